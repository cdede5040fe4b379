/** Teams by facility: who answers for each, who is in it, and at which one escalations end. */
import { Button } from "@mantine/core";
import { IconAlertTriangleFilled, IconShieldCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Facility, StaffMember, Team } from "@/api/client";
import { useMay } from "@/api/queries";
import { Initials } from "@/ui/initials";
import { Card } from "@/ui/page";
import { Empty } from "@/ui/states";
import { useToasts } from "@/ui/toasts";
import { useWrongs } from "./errors";
import { useMakeDuty } from "./hooks";
import styles from "./staff.module.css";
import { TeamDialog } from "./team-dialog";

interface Props {
  facilities: Facility[];
  teams: Team[];
  staff: StaffMember[];
}

export function Teams({ facilities, teams, staff }: Props) {
  return facilities.map((facility) => (
    <AtFacility
      key={facility.id}
      facility={facility}
      teams={teams.filter(({ facilityId }) => facilityId === facility.id)}
      staff={staff}
    />
  ));
}

function AtFacility({
  facility,
  teams,
  staff,
}: Omit<Props, "facilities"> & { facility: Facility }) {
  const t = useTranslations("staff.team");
  const isDuty = ({ id }: Team) => id === facility.dutyTeamId;
  const sorted = [...teams].sort((left, right) => Number(isDuty(right)) - Number(isDuty(left)));
  const headline = `teams-${facility.id}`;
  return (
    <Card>
      <section aria-labelledby={headline}>
        <header className={styles.cardHead}>
          <h2 id={headline}>
            <bdi>{facility.name}</bdi>
          </h2>
        </header>
        {!teams.some(isDuty) && (
          <p className={styles.stuck}>
            <IconAlertTriangleFilled size={16} aria-hidden="true" />
            <span>{t("noDuty", { facility: facility.name })}</span>
          </p>
        )}
        {teams.length === 0 && (
          <Empty title={t("empty")}>
            <p>{t("emptyText")}</p>
          </Empty>
        )}
        <ul className={styles.teams}>
          {sorted.map((team) => (
            <TeamRow
              key={team.id}
              team={team}
              facility={facility}
              isDuty={isDuty(team)}
              staff={staff}
            />
          ))}
        </ul>
      </section>
    </Card>
  );
}

interface RowProps {
  team: Team;
  facility: Facility;
  isDuty: boolean;
  staff: StaffMember[];
}

function TeamRow({ team, facility, isDuty, staff }: RowProps) {
  const t = useTranslations("staff.team");
  const names = useTranslations("shell.roles");
  const may = useMay("staff.write");
  const [isChanging, change] = useState(false);
  const nameOf = (id: string) => staff.find((one) => one.id === id)?.displayName ?? id;
  const lead = nameOf(team.leadId);
  const rest = team.memberIds.filter((id) => id !== team.leadId).map(nameOf);
  return (
    <li className={styles.team}>
      <div className={styles.who}>
        <strong>
          <bdi>{team.name}</bdi>
          {isDuty && (
            <span className={styles.duty}>
              <IconShieldCheck size={14} stroke={1.9} aria-hidden="true" /> {t("duty")}
            </span>
          )}
        </strong>
        {team.role && (
          <span className={styles.second}>{t("first", { role: names(team.role as "nurse") })}</span>
        )}
        {isDuty && <span className={styles.second}>{t("dutyText")}</span>}
      </div>
      <dl className={styles.teamPeople}>
        <div>
          <dt>{t("lead")}</dt>
          <dd className={styles.lead}>
            <Initials name={lead} /> <bdi>{lead}</bdi>
          </dd>
        </div>
        <div>
          <dt>{t("members")}</dt>
          <dd>
            {rest.length === 0 && t("onlyLead")}
            {rest.map((name) => (
              <bdi key={name} className={styles.member}>
                {name}
              </bdi>
            ))}
          </dd>
        </div>
      </dl>
      <div className={styles.personActions}>
        {may && (
          <Button
            size="xs"
            variant="default"
            aria-label={t("changeOf", { name: team.name })}
            onClick={() => change(true)}
          >
            {t("change")}
          </Button>
        )}
        {!isDuty && <MakeDuty team={team} facility={facility} />}
      </div>
      {isChanging && <TeamDialog team={team} staff={staff} close={() => change(false)} />}
    </li>
  );
}

function MakeDuty({ team, facility }: { team: Team; facility: Facility }) {
  const t = useTranslations("staff.team");
  const may = useMay("facilities.write");
  const make = useMakeDuty();
  const wrongsOf = useWrongs();
  const { say } = useToasts();
  if (!may) return null;
  const wrong = Object.values(wrongsOf(make.error))[0];
  const begin = () =>
    make.mutate(
      { facility, team },
      {
        onSuccess: () => say({ text: t("dutyDone", { team: team.name, facility: facility.name }) }),
      },
    );
  return (
    <>
      <Button size="xs" variant="subtle" loading={make.isPending} onClick={begin}>
        {t("makeDuty")}
      </Button>
      {wrong && (
        <p role="alert" className={styles.fieldError}>
          {t("dutyFailed", { reason: wrong })}
        </p>
      )}
    </>
  );
}
