/** Who works here: their roles and where, how they are reached, and the two changes. */
import { Button } from "@mantine/core";
import { IconMail, IconUserOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { StaffMember, Team } from "@/api/client";
import { useFacilities, useMay, useMe } from "@/api/queries";
import { Initials } from "@/ui/initials";
import { Card } from "@/ui/page";
import { Empty } from "@/ui/states";
import { EndDialog } from "./end-dialog";
import { PersonDialog } from "./person-dialog";
import styles from "./staff.module.css";

interface Props {
  shown: StaffMember[];
  staff: StaffMember[];
  teams: Team[];
}

export function People({ shown, staff, teams }: Props) {
  const t = useTranslations("staff.list");
  if (shown.length === 0) {
    return (
      <Card>
        <Empty title={t("empty")}>
          <p>{t("emptyText")}</p>
        </Empty>
      </Card>
    );
  }
  return (
    <Card>
      <ul className={styles.people} aria-label={t("label")}>
        {shown.map((person) => (
          <Person key={person.id} person={person} staff={staff} teams={teams} />
        ))}
      </ul>
    </Card>
  );
}

function Person({ person, staff, teams }: Omit<Props, "shown"> & { person: StaffMember }) {
  const t = useTranslations("staff.list");
  const may = useMay("staff.write");
  const isMe = useMe().staffMember.id === person.id;
  const [open, setOpen] = useState<"change" | "end">();
  const hasLeft = person.state === "STATE_DEACTIVATED";
  const name = person.displayName;
  return (
    <li className={styles.person} data-has-left={hasLeft}>
      <Initials name={name} isMe={isMe} />
      <div className={styles.who}>
        <strong>
          <bdi>{name}</bdi>
          {isMe && <span className={styles.tag}>{t("you")}</span>}
          {hasLeft && (
            <span className={styles.tag}>
              <IconUserOff size={14} stroke={1.9} aria-hidden="true" /> {t("gone")}
            </span>
          )}
        </strong>
        <span className={styles.second}>
          <bdi>{person.account}</bdi>
        </span>
      </div>
      <RoleList person={person} />
      <span className={styles.email} data-is-missing={!person.email}>
        <IconMail size={16} stroke={1.9} aria-hidden="true" />
        <bdi>{person.email || t("noEmail")}</bdi>
      </span>
      <div className={styles.personActions}>
        {may && !hasLeft && (
          <>
            <Button
              size="xs"
              variant="default"
              aria-label={t("changeOf", { name })}
              onClick={() => setOpen("change")}
            >
              {t("change")}
            </Button>
            {!isMe && (
              <Button
                size="xs"
                variant="subtle"
                className={styles.quiet}
                aria-label={t("endOf", { name })}
                onClick={() => setOpen("end")}
              >
                {t("end")}
              </Button>
            )}
          </>
        )}
      </div>
      {open === "change" && <PersonDialog person={person} close={() => setOpen(undefined)} />}
      {open === "end" && (
        <EndDialog person={person} staff={staff} teams={teams} close={() => setOpen(undefined)} />
      )}
    </li>
  );
}

function RoleList({ person }: { person: StaffMember }) {
  const t = useTranslations("staff");
  const names = useTranslations("shell.roles");
  const facilities = useFacilities();
  if (person.roles.length === 0) {
    return <span className={styles.second}>{t("list.noRole")}</span>;
  }
  return (
    <ul className={styles.roles}>
      {person.roles.map(({ role, facilityId }) => {
        const where = facilityId ? facilities.get(facilityId)?.name : t("network");
        const title = names.has(role as "nurse") ? names(role as "nurse") : role;
        return (
          <li key={`${role} ${facilityId}`}>
            {t("list.role", { role: title, where: where ?? facilityId })}
          </li>
        );
      })}
    </ul>
  );
}
