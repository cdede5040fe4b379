/** Adds a team or changes it: who is in it, and who answers for it. */
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { StaffMember, Team } from "@/api/client";
import { useFacilities } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { fieldId, Summary, useWrongs, type Wrongs } from "./errors";
import { type TeamDraft, useSaveTeam } from "./hooks";
import { ROLES } from "./person-dialog";
import styles from "./staff.module.css";

interface Props {
  team?: Team;
  facilityId?: string;
  staff: StaffMember[];
  close: () => void;
}

export function TeamDialog({ team, facilityId = "", staff, close }: Props) {
  const t = useTranslations("staff");
  const names = useTranslations("shell.roles");
  const facilities = [...useFacilities().values()];
  const { say } = useToasts();
  const save = useSaveTeam();
  const wrongsOf = useWrongs();
  const [draft, set] = useState<TeamDraft>(
    () => team ?? { facilityId, name: "", role: "", leadId: "", memberIds: [] },
  );
  const [missing, setMissing] = useState<Wrongs>({});
  const change = (part: Partial<TeamDraft>) => set((old) => ({ ...old, ...part }));
  const wrongs = Object.keys(missing).length > 0 ? missing : wrongsOf(save.error);
  const members = staff.filter(({ id }) => draft.memberIds.includes(id));
  const needs = useNeeds();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = needs(draft);
    setMissing(found);
    if (Object.keys(found).length > 0) return;
    save.mutate(draft, {
      onSuccess: ({ name }) => {
        say({ text: t("form.saved", { name }) });
        close();
      },
    });
  };
  return (
    <Dialog
      close={close}
      size="lg"
      title={team ? t("form.changeTitle", { name: team.name }) : t("form.addTitle")}
      closeLabel={t("form.cancel")}
    >
      <form className={styles.form} onSubmit={submit} noValidate>
        <Summary wrongs={wrongs} />
        <TextInput
          id={fieldId("name")}
          label={t("form.name")}
          value={draft.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          error={wrongs.name}
          autoComplete="off"
          data-autofocus
        />
        <NativeSelect
          id={fieldId("facilityId")}
          label={t("form.facility")}
          description={team && t("form.facilityFixed")}
          disabled={Boolean(team)}
          value={draft.facilityId}
          onChange={(event) => change({ facilityId: event.currentTarget.value })}
          error={wrongs.facilityId}
          data={[
            { value: "", label: "–" },
            ...facilities.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <NativeSelect
          id={fieldId("role")}
          label={t("form.role")}
          value={draft.role}
          onChange={(event) => change({ role: event.currentTarget.value })}
          error={wrongs.role}
          data={[
            { value: "", label: t("form.noRole") },
            ...ROLES.map((value) => ({ value, label: names(value) })),
          ]}
        />
        <Members draft={draft} staff={staff} wrong={wrongs.memberIds} change={change} />
        <NativeSelect
          id={fieldId("leadId")}
          label={t("form.lead")}
          description={t("form.leadHint")}
          value={draft.leadId}
          onChange={(event) => change({ leadId: event.currentTarget.value })}
          error={wrongs.leadId}
          data={[
            { value: "", label: t("form.chooseLead") },
            ...members.map(({ id, displayName }) => ({ value: id, label: displayName })),
          ]}
        />
        <div className={styles.dialogActions}>
          <Button type="submit" loading={save.isPending}>
            {team ? t("form.save", { name: draft.name }) : t("form.saveNew")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("form.cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function useNeeds() {
  const t = useTranslations("staff.needed");
  return ({ name, facilityId, memberIds, leadId }: TeamDraft): Wrongs => {
    const found: Wrongs = {};
    if (!name.trim()) found.name = t("name");
    if (!facilityId) found.facilityId = t("facility");
    if (memberIds.length === 0) found.memberIds = t("members");
    else if (!memberIds.includes(leadId)) found.leadId = t("lead");
    return found;
  };
}

interface MembersProps {
  draft: TeamDraft;
  staff: StaffMember[];
  wrong?: string;
  change: (part: Partial<TeamDraft>) => void;
}

function Members({ draft, staff, wrong, change }: MembersProps) {
  const t = useTranslations("staff.form");
  const { facilityId, memberIds } = draft;
  const here = staff.filter(
    ({ state, roles }) =>
      state === "STATE_ACTIVE" &&
      roles.some((role) => role.facilityId === facilityId || role.facilityId === ""),
  );
  const [others] = useState(() => memberIds);
  const shown = staff.filter((one) => here.includes(one) || others.includes(one.id));
  const turn = (id: string, isIn: boolean) =>
    change({
      memberIds: isIn ? [...memberIds, id] : memberIds.filter((member) => member !== id),
    });
  return (
    <fieldset className={styles.fieldset}>
      <legend id={fieldId("memberIds")} tabIndex={-1}>
        {t("members")}
      </legend>
      <p className={styles.second}>{t("membersHint", { count: here.length })}</p>
      {wrong && <p className={styles.fieldError}>{wrong}</p>}
      <div className={styles.members}>
        {shown.map(({ id, displayName, account }) => (
          <Checkbox
            key={id}
            size="xs"
            checked={memberIds.includes(id)}
            onChange={(event) => turn(id, event.currentTarget.checked)}
            label={`${displayName} (${account})`}
          />
        ))}
      </div>
    </fieldset>
  );
}
