/** What a dry run found: its days, each task with its date and why, who would hear of it, and what to look at. */
import {
  IconAlertTriangleFilled,
  IconArrowBigUpLinesFilled,
  IconCheck,
  IconCircle,
  IconExclamationCircle,
  IconInfoCircle,
  IconMinus,
} from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import { useOwnerWords } from "@/features/worklist/owner";
import { useWhen, useZone } from "@/ui/when";
import { type DryRun, numberOf, strip } from "./dry-run";
import styles from "./dry-run.module.css";
import type { Shape } from "./parse";
import { Problems } from "./problems";
import { useWords } from "./words";

type Tried = DryRun["tasks"][number];

interface Props {
  run: DryRun;
  shape: Shape | null;
  facilityId: string;
  goTo: (line: number) => void;
}

export function DryRunResult({ run, shape, facilityId, goTo }: Props) {
  const t = useTranslations("protocols.dryRun");
  if (run.problems.length > 0) return <Problems problems={run.problems} goTo={goTo} />;
  if (!run.loop) {
    return (
      <p className={styles.none}>
        <IconInfoCircle size={16} stroke={1.9} aria-hidden="true" />
        <span>{t(`none.${run.noneReason as "NOT_TRIGGERED"}`)}</span>
      </p>
    );
  }
  return (
    <>
      <Days run={run} facilityId={facilityId} />
      <Ended run={run} facilityId={facilityId} />
      <ol className={styles.tasks} aria-label={t("tasks")}>
        {run.tasks.filter(isShown).map((each) => (
          <TaskRow key={each.task.step} each={each} facilityId={facilityId} />
        ))}
      </ol>
      <Over run={run} />
      <Notices run={run} shape={shape} facilityId={facilityId} />
    </>
  );
}

/** Steps for the time in hospital go with the discharge: that is no news. */
const isOver = ({ task }: Tried) => task.closeReason === "STEP_NOT_NEEDED";
const isShown = (each: Tried) => !isOver(each);

function Over({ run }: { run: DryRun }) {
  const t = useTranslations("protocols.dryRun");
  const over = run.tasks.filter(isOver).map(({ task }) => task.title);
  if (over.length === 0) return null;
  return <p className={styles.over}>{t("over", { titles: over.join("; ") })}</p>;
}

/** How many days of the strip stand side by side at most. */
const MOST_DAYS = 45;

function Days({ run, facilityId }: Pick<Props, "run" | "facilityId">) {
  const t = useTranslations("protocols.dryRun.days");
  const when = useWhen();
  const zone = useZone(facilityId);
  const left = run.encounter?.localDischargeTime || run.encounter?.localAdmitTime || "";
  const [year, month, day] = left.slice(0, 10).split("-").map(Number);
  const days = strip(run, numberOf({ year, month, day })).slice(0, MOST_DAYS);
  const off = days.filter(({ day: one }) => !one.isBusinessDay);
  const holidays = off
    .filter(({ day: one }) => one.holiday)
    .map(({ day: one }) => t("holiday", { day: when.date(one.date, zone), name: one.holiday }));
  const first = when.date(days[0]?.day.date, zone);
  const words = t("label", { first, count: days.length, off: off.length });
  return (
    <div className={styles.days}>
      <div className={styles.strip} role="img" aria-label={words}>
        {days.map(({ day: one, due }) => (
          <span
            key={numberOf(one.date ?? {})}
            data-is-off={!one.isBusinessDay}
            data-is-holiday={Boolean(one.holiday)}
            data-has-due={due > 0}
            data-changes={one.clockChangeMinutes !== 0}
            title={[when.date(one.date, zone), one.holiday].filter(Boolean).join(" · ")}
          />
        ))}
      </div>
      <p className={styles.small}>{t("key", { first })}</p>
      {holidays.length > 0 && <p className={styles.small}>{holidays.join(" · ")}</p>}
    </div>
  );
}

function Ended({ run, facilityId }: Pick<Props, "run" | "facilityId">) {
  const t = useTranslations("protocols.dryRun");
  const when = useWhen();
  const zone = useZone(facilityId);
  const { loop, tasks } = run;
  if (!loop || loop.state === "STATE_OPEN")
    return (
      <p className={styles.why} lang="en">
        {loopWhy(run, when, zone)}
      </p>
    );
  const taken = tasks.filter(isShown).filter(({ task }) => task.state === "STATE_CANCELLED").length;
  const time = loop.closeTime ? when.moment(new Date(loop.closeTime), zone) : "";
  return (
    <p className={styles.ended}>
      <IconCheck size={16} stroke={1.9} aria-hidden="true" />
      <span>
        <strong lang="en">{loop.evidence.at(-1)?.description}</strong>{" "}
        {t("ended", { time, count: taken })}
      </span>
    </p>
  );
}

function loopWhy({ loop }: DryRun, when: ReturnType<typeof useWhen>, zone: string): string {
  return when.sentence(loop?.why ?? "", zone);
}

function TaskRow({ each, facilityId }: { each: Tried; facilityId: string }) {
  const t = useTranslations("protocols.dryRun");
  const when = useWhen();
  const zone = useZone(facilityId);
  const owner = useOwnerWords();
  const { task, levels } = each;
  const isGone = task.state === "STATE_CANCELLED";
  const Icon = isGone ? IconMinus : task.state === "STATE_COMPLETED" ? IconCheck : IconCircle;
  const due = task.dueTime ? when.moment(new Date(task.dueTime), zone) : "";
  return (
    <li data-is-gone={isGone}>
      <Icon size={16} stroke={1.9} aria-hidden="true" className={styles.icon} />
      <div>
        <p className={styles.line}>
          <span className={styles.title} lang="en">
            {task.title}
          </span>
          <strong className={styles.due}>{isGone ? t("taken") : due}</strong>
        </p>
        {!isGone && (
          <>
            <p className={styles.small}>
              {when.counted(task.dueExplanation, zone)} · <bdi>{owner(task.owner)}</bdi>
            </p>
            {task.state === "STATE_OPEN" && <Levels levels={levels} zone={zone} />}
          </>
        )}
      </div>
    </li>
  );
}

function Levels({ levels, zone }: { levels: Tried["levels"]; zone: string }) {
  const t = useTranslations("protocols.dryRun");
  const when = useWhen();
  const { role } = useWords();
  const [first] = levels;
  if (!first?.time) return null;
  return (
    <details className={styles.levels}>
      <summary>
        <IconArrowBigUpLinesFilled size={13} aria-hidden="true" />
        <span>
          {t("ifNobody", {
            time: when.moment(new Date(first.time), zone),
            who: role(first.notify),
          })}
        </span>
      </summary>
      <ul>
        {levels.map(({ level, time, notify, channels, recipients }) => (
          <li key={level}>
            <span>{time && when.moment(new Date(time), zone)}</span>
            <span>
              {role(notify)} (<bdi>{recipients.join(", ")}</bdi>)
              {channels.includes("email") && `, ${t("byEmail")}`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Notices({ run, shape, facilityId }: Omit<Props, "goTo">) {
  const t = useTranslations("protocols.dryRun.notices");
  const when = useWhen();
  const zone = useZone(facilityId);
  const { role } = useWords();
  const { notices, tasks } = run;
  if (notices.length === 0) {
    return (
      <p className={styles.fine}>
        <IconCheck size={16} stroke={1.9} aria-hidden="true" /> <span>{t("fine")}</span>
      </p>
    );
  }
  const stepOf = (key: string) => tasks.find(({ task }) => task.step === key)?.task;
  const roleless = new Map<string, string>();
  for (const { reason, step, detail } of notices) {
    const held = stepOf(step)?.role ?? shape?.steps.find(({ key }) => key === step)?.role;
    if (reason === "ROLE_WITHOUT_TEAM" && held) roleless.set(held, detail);
  }
  return (
    <section className={styles.notices} aria-labelledby="notices">
      <h3 id="notices">{t("title")}</h3>
      <ul>
        {notices
          .filter(({ reason }) => reason !== "ROLE_WITHOUT_TEAM")
          .map(({ reason, step, detail }) => {
            const isClock = reason === "CLOCKS_CHANGE";
            const Icon = isClock ? IconExclamationCircle : IconAlertTriangleFilled;
            const title = stepOf(step)?.title ?? step;
            const words = isClock
              ? t("clocks", { title, day: when.sentence(detail, zone) })
              : t("window", { title, holiday: detail || "none" });
            return (
              <li key={`${reason} ${step}`}>
                <Icon size={16} aria-hidden="true" /> <span>{words}</span>
              </li>
            );
          })}
        {[...roleless].map(([held, who]) => (
          <li key={held}>
            <IconExclamationCircle size={16} aria-hidden="true" />{" "}
            <span>{t("role", { role: role(held), who })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
