/** Ends somebody's access: says first what will happen, and asks who leads afterwards. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { StaffMember, Team } from "@/api/client";
import { useFacilities } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { consequences } from "./deactivation";
import { fieldId, Summary, useWrongs, type Wrongs } from "./errors";
import { useEndAccess } from "./hooks";
import styles from "./staff.module.css";

interface Props {
  person: StaffMember;
  staff: StaffMember[];
  teams: Team[];
  close: () => void;
}

export function EndDialog({ person, staff, teams, close }: Props) {
  const t = useTranslations("staff.end");
  const needed = useTranslations("staff.needed");
  const format = useFormatter();
  const { say } = useToasts();
  const end = useEndAccess();
  const wrongsOf = useWrongs();
  const [reason, setReason] = useState("");
  const [successorId, setSuccessor] = useState("");
  const [missing, setMissing] = useState<Wrongs>({});
  const found = consequences(person, staff, teams, useFacilities().values());
  const { leads, empties, candidates } = found;
  const names = (some: Team[]) => format.list(some.map(({ name }) => name));
  const isStuck = empties.length > 0 || (leads.length > 0 && candidates.length === 0);
  const wrongs = Object.keys(missing).length > 0 ? missing : wrongsOf(end.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const isOpen = leads.length > 0 && !successorId;
    setMissing(isOpen ? { successorId: needed("successor") } : {});
    if (isOpen || isStuck) return;
    const asked = { staffId: person.id, reason: reason.trim(), successorId };
    // The line that this dialog belongs to goes away with the access, and a callback of `mutate` with it.
    end.mutateAsync(asked).then(
      () => {
        say({ text: t("done", { name: person.displayName }) });
        close();
      },
      () => undefined, // shown from end.error
    );
  };
  return (
    <Dialog close={close} title={t("title", { name: person.displayName })} closeLabel={t("no")}>
      <form className={styles.form} onSubmit={submit} noValidate>
        <Summary wrongs={wrongs} />
        <div>
          <h3>{t("what")}</h3>
          <ul className={styles.effects}>
            <li>{t("access")}</li>
            <li>{t("work")}</li>
            <li>{t("history")}</li>
          </ul>
        </div>
        {empties.length > 0 && <Stuck words={t("last", { teams: names(empties) })} />}
        {leads.length > 0 && candidates.length === 0 && empties.length === 0 && (
          <Stuck words={t("nobody", { teams: names(leads) })} />
        )}
        {leads.length > 0 && candidates.length > 0 && (
          <>
            <p>{t("leads", { teams: names(leads) })}</p>
            <NativeSelect
              id={fieldId("successorId")}
              label={t("successor")}
              description={t("successorHint", { teams: names(leads) })}
              value={successorId}
              onChange={(event) => setSuccessor(event.currentTarget.value)}
              error={wrongs.successorId}
              data={[
                { value: "", label: t("choose") },
                ...candidates.map(({ id, displayName }) => ({ value: id, label: displayName })),
              ]}
            />
          </>
        )}
        {!isStuck && (
          <TextInput
            id={fieldId("reason")}
            label={t("reason")}
            description={t("reasonHint")}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={wrongs.reason}
            autoComplete="off"
          />
        )}
        <div className={styles.dialogActions}>
          <Button
            type="submit"
            variant="outline"
            className={styles.danger}
            disabled={isStuck}
            loading={end.isPending}
          >
            {t("yes")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("no")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Stuck({ words }: { words: string }) {
  return (
    <p className={styles.stuck}>
      <IconAlertTriangleFilled size={16} aria-hidden="true" />
      <span>{words}</span>
    </p>
  );
}
