/** Claim, assign, decline, note: what can be done with a task besides doing it. */
import { Button } from "@mantine/core";
import { IconHandStop, IconListCheck, IconNotes, IconUserPlus } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { useFacilities, useMe } from "@/api/queries";
import { Cap } from "@/ui/keys";
import { actionsFor, type Doing } from "./doing";
import styles from "./pane.module.css";

const ICONS = {
  claim: IconListCheck,
  assign: IconUserPlus,
  decline: IconHandStop,
  note: IconNotes,
} as const;
export const KEYS = { claim: "C", assign: "A", decline: "D", note: "N" } as const;

export function ActionBar({ task, doing }: { task: Task; doing: Doing }) {
  const t = useTranslations("worklist");
  const me = useMe().staffMember.id;
  const facility = useFacilities().get(task.facilityId);
  if (!doing.may(task)) {
    return <p className={styles.barText}>{t("notYours", { facility: facility?.name ?? "" })}</p>;
  }
  return (
    <div className={styles.bar}>
      {actionsFor(task, me).map((action) => {
        const Icon = ICONS[action];
        return (
          <Button
            key={action}
            variant="default"
            size="xs"
            fz="sm"
            leftSection={<Icon size={16} stroke={1.9} />}
            rightSection={<Cap>{KEYS[action]}</Cap>}
            aria-keyshortcuts={KEYS[action].toLowerCase()}
            onClick={() => doing.start(task, action)}
          >
            {t(`actions.${action}`)}
          </Button>
        );
      })}
    </div>
  );
}
