/** The care plan: goals, the patient's own first, and who does what, by facility. */
import { Button, VisuallyHidden } from "@mantine/core";
import {
  IconAlertTriangleFilled,
  IconCheck,
  IconCircleDashed,
  IconMinus,
  IconPlus,
} from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { api, type CarePlan, read } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useNow, useWhen, useZone } from "@/ui/when";
import styles from "./careplans.module.css";
import { GoalDialog } from "./goal-dialog";
import { type Activity, type Goal, useChange, usePlans } from "./hooks";
import { useNames } from "./names";
import { Team, useWhere } from "./team";

export function Plan({ patientId, language }: { patientId: string; language: string }) {
  const t = useTranslations("careplans.plan");
  const plans = usePlans(patientId);
  return (
    <Loaded query={plans} title={t("failed")} shape="card">
      {(found) =>
        found.length === 0 ? (
          <section aria-labelledby="plan" className={styles.section}>
            <h2 id="plan">{t("title")}</h2>
            <Card>
              <Empty title={t("none")}>{t("noneText")}</Empty>
            </Card>
          </section>
        ) : (
          found.map((plan) => <OnePlan key={plan.id} plan={plan} language={language} />)
        )
      }
    </Loaded>
  );
}

/** Whether the caller may change what is of this facility. */
export function useMayAt(permission: string, facilityId: string): boolean {
  const may = useMay(permission);
  return useMe().facilityIds.includes(facilityId) && may;
}

function OnePlan({ plan, language }: { plan: CarePlan; language: string }) {
  const t = useTranslations("careplans.plan");
  const words = useTranslations("careplans.goal");
  const when = useWhen();
  const zone = useZone(plan.facilityId);
  const nameOf = useNames();
  const isActive = plan.state === "STATE_ACTIVE";
  const mayChange = useMayAt("care_plans.write", plan.facilityId) && isActive;
  const [isAdding, add] = useState(false);
  const since = (isActive ? plan.startTime : plan.endTime) ?? plan.startTime ?? "";
  return (
    <section aria-labelledby={`plan-${plan.id}`} className={styles.section}>
      <header className={styles.head}>
        <h2 id={`plan-${plan.id}`}>{plan.title}</h2>
        <span className={styles.chip}>
          {t(`states.${plan.state}`, { day: when.day(new Date(since), zone) })}
        </span>
        {mayChange && (
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconPlus size={16} stroke={1.9} aria-hidden="true" />}
            onClick={() => add(true)}
          >
            {words("add")}
          </Button>
        )}
      </header>
      <p className={styles.small}>{t("coordinator", { name: nameOf(plan.coordinatorId) })}</p>
      <Card>
        {plan.goals.length === 0 && <p className={styles.quiet}>{t("noGoals")}</p>}
        <ul className={styles.list} aria-label={t("goals")}>
          {plan.goals.map((goal) => (
            <GoalRow key={goal.id} plan={plan} goal={goal} mayChange={mayChange} />
          ))}
        </ul>
      </Card>
      <Team plan={plan} mayChange={mayChange} />
      <Activities plan={plan} mayChange={mayChange} />
      {isAdding && <GoalDialog plan={plan} language={language} close={() => add(false)} />}
    </section>
  );
}

interface GoalProps {
  plan: CarePlan;
  goal: Goal;
  mayChange: boolean;
}

function GoalRow({ plan, goal, mayChange }: GoalProps) {
  const t = useTranslations("careplans.plan");
  const when = useWhen();
  const zone = useZone(plan.facilityId);
  const nameOf = useNames();
  const change = useChange(plan.patientId);
  const path = { carePlanId: plan.id, goalId: goal.id };
  const body = { etag: plan.etag };
  const isActive = goal.state === "STATE_ACTIVE";
  const about = {
    day: when.date(goal.dueDate, zone),
    measure: goal.measure,
    owner: nameOf(goal.ownerId),
  };
  return (
    <li className={styles.goal} data-state={goal.state}>
      {goal.isPatientsOwn && <p className={styles.small}>{t("own")}</p>}
      <p className={styles.words} lang={goal.language} data-is-own={goal.isPatientsOwn}>
        <bdi>{goal.text}</bdi>
      </p>
      <p className={styles.small}>{t("by", about)}</p>
      {!isActive && (
        <p className={styles.state}>
          {goal.state === "STATE_MET" ? <Done /> : <Dropped />}
          {t(`goalStates.${goal.state}`)}
        </p>
      )}
      {isActive && mayChange && (
        <div className={styles.actions}>
          <Button
            variant="default"
            size="compact-xs"
            onClick={() =>
              void change(
                read(
                  api.POST("/v1/carePlans/{carePlanId}/goals/{goalId}:meet", {
                    params: { path },
                    body,
                  }),
                ),
              )
            }
          >
            {t("met")}
          </Button>
          <Button
            variant="default"
            size="compact-xs"
            onClick={() =>
              void change(
                read(
                  api.POST("/v1/carePlans/{carePlanId}/goals/{goalId}:drop", {
                    params: { path },
                    body,
                  }),
                ),
              )
            }
          >
            {t("drop")}
          </Button>
        </div>
      )}
    </li>
  );
}

function Activities({ plan, mayChange }: { plan: CarePlan; mayChange: boolean }) {
  const t = useTranslations("careplans.plan");
  const whereOf = useWhere();
  const done = plan.activities.filter(({ state }) => state === "STATE_DONE").length;
  const open = plan.activities.filter(({ state }) => state === "STATE_PLANNED").length;
  const places = [...new Set(plan.activities.map(({ facilityId }) => facilityId))];
  return (
    <>
      <header className={styles.head}>
        <h3>{t("who")}</h3>
        <span className={styles.small}>{t("counts", { done, open })}</span>
      </header>
      <Card>
        {places.length === 0 && <p className={styles.quiet}>{t("nothing")}</p>}
        {places.map((place) => {
          const here = plan.activities.filter(({ facilityId }) => facilityId === place);
          return (
            <div key={place} className={styles.place}>
              <h4>
                <bdi>{whereOf(place)}</bdi>
                {here[0]?.isOwn && <span className={styles.chip}>{t("yours")}</span>}
              </h4>
              <ul className={styles.list}>
                {here.map((each) => (
                  <ActivityRow key={each.id} plan={plan} activity={each} mayChange={mayChange} />
                ))}
              </ul>
            </div>
          );
        })}
      </Card>
    </>
  );
}

interface ActivityProps {
  plan: CarePlan;
  activity: Activity;
  mayChange: boolean;
}

function ActivityRow({ plan, activity, mayChange }: ActivityProps) {
  const t = useTranslations("careplans.plan");
  const when = useWhen();
  const now = useNow();
  const zone = useZone(activity.facilityId);
  const nameOf = useNames();
  const change = useChange(plan.patientId);
  const due = new Date(activity.dueTime ?? "");
  const isPlanned = activity.state === "STATE_PLANNED";
  const isLate = isPlanned && due < now;
  const complete = () => {
    const path = { carePlanId: plan.id, activityId: activity.id };
    const url = "/v1/carePlans/{carePlanId}/activities/{activityId}:complete";
    void change(read(api.POST(url, { params: { path }, body: { etag: plan.etag } })));
  };
  return (
    <li className={styles.row} data-state={activity.state}>
      <span className={styles.what}>
        {activity.state === "STATE_DONE" && <Done />}
        {activity.state === "STATE_DROPPED" && <Dropped />}
        {isPlanned && (isLate ? <Late /> : <Planned />)}
        <VisuallyHidden>
          {isLate ? t("late") : t(`activityStates.${activity.state}`)}
        </VisuallyHidden>
        <span>
          {activity.title}
          {activity.ownerId && (
            <span className={styles.small}>
              {" · "}
              <bdi>{nameOf(activity.ownerId)}</bdi>
            </span>
          )}
        </span>
      </span>
      {isPlanned && mayChange && !activity.taskId && (
        <Button variant="default" size="compact-xs" onClick={complete}>
          {t("done")}
        </Button>
      )}
      <span className={styles.small} data-is-late={isLate}>
        {when.moment(due, zone)}
      </span>
    </li>
  );
}

const Done = () => <IconCheck size={16} stroke={2.2} className={styles.ok} aria-hidden="true" />;
const Dropped = () => <IconMinus size={16} stroke={1.9} aria-hidden="true" />;
const Planned = () => <IconCircleDashed size={16} stroke={1.9} aria-hidden="true" />;
const Late = () => <IconAlertTriangleFilled size={16} className={styles.late} aria-hidden="true" />;
