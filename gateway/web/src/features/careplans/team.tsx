/** Who works on a plan: the one coordinator first, then the others, with their role and organization. */
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { CarePlan } from "@/api/client";
import { useFacilities, useMay, useOrganizations } from "@/api/queries";
import { Card } from "@/ui/page";
import { Cut } from "@/ui/states";
import styles from "./careplans.module.css";
import { CoordinatorDialog } from "./coordinator-dialog";
import { useCareTeam } from "./hooks";
import { useNames } from "./names";

interface Props {
  plan: CarePlan;
  mayChange: boolean;
}

export function Team({ plan, mayChange }: Props) {
  const t = useTranslations("careplans.team");
  const roles = useTranslations("shell.roles");
  const nameOf = useNames();
  const whereOf = useWhere();
  const [isNaming, name] = useState(false);
  const { data = [], isCut } = useCareTeam(plan.patientId, useMay("patients.read"));
  const working = new Set(plan.team.map(({ memberId }) => memberId));
  const others = data.filter(
    ({ state, memberId }) => state === "STATE_ACTIVE" && !working.has(memberId),
  );
  const id = `team-${plan.id}`;
  return (
    <>
      <header className={styles.head}>
        <h3 id={id}>{t("title")}</h3>
        {mayChange && (
          <Button variant="subtle" size="compact-sm" onClick={() => name(true)}>
            {t("change")}
          </Button>
        )}
      </header>
      {isCut && <Cut />}
      <Card>
        <ul className={styles.list} aria-labelledby={id}>
          {plan.team.map(({ memberId, role, facilityId, isCoordinator }) => (
            <li key={`${memberId} ${role} ${facilityId}`} className={styles.row}>
              <span className={styles.member} data-is-first={isCoordinator}>
                <bdi>{nameOf(memberId)}</bdi>
              </span>
              {isCoordinator && <span className={styles.chip}>{t("coordinator")}</span>}
              <span className={styles.small}>
                {!isCoordinator && (roles.has(role as "nurse") ? roles(role as "nurse") : role)}
                {!isCoordinator && " · "}
                <bdi>{whereOf(facilityId)}</bdi>
              </span>
            </li>
          ))}
          {others.map(({ id, memberId, facilityId }) => (
            <li key={id} className={styles.row}>
              <bdi>{nameOf(memberId)}</bdi>
              <span className={styles.chip}>{t("letIn")}</span>
              <span className={styles.small}>
                <bdi>{whereOf(facilityId)}</bdi>
              </span>
            </li>
          ))}
        </ul>
      </Card>
      {isNaming && <CoordinatorDialog plan={plan} close={() => name(false)} />}
    </>
  );
}

/** A facility with its organization, where that has another name. */
export function useWhere(): (facilityId: string) => string {
  const t = useTranslations("careplans");
  const facilities = useFacilities();
  const organizations = useOrganizations();
  return (facilityId) => {
    const place = facilities.get(facilityId);
    if (!place) return t("plan.elsewhere");
    const whose = organizations.get(place.organizationId)?.name;
    return whose && whose !== place.name
      ? t("team.where", { place: place.name, organization: whose })
      : place.name;
  };
}
