/** Adds somebody or changes them: name, account, e-mail, roles and where they hold. */
import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { StaffMember } from "@/api/client";
import { useFacilities, useMe } from "@/api/queries";
import english from "@/i18n/en";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { fieldId, Summary, useWrongs, type Wrongs } from "./errors";
import { useSaveStaff } from "./hooks";
import styles from "./staff.module.css";

type Assignment = StaffMember["roles"][number];
/** The roles of the contract, in its order. */
export const ROLES = Object.keys(english.shell.roles) as (keyof typeof english.shell.roles)[];
const NETWORK_ADMIN = "network_admin";

export function PersonDialog({ person, close }: { person?: StaffMember; close: () => void }) {
  const t = useTranslations("staff");
  const me = useMe();
  const { say } = useToasts();
  const save = useSaveStaff();
  const wrongsOf = useWrongs();
  const [name, setName] = useState(person?.displayName ?? "");
  const [account, setAccount] = useState(person?.account ?? "");
  const [email, setEmail] = useState(person?.email ?? "");
  const [subject, setSubject] = useState("");
  const [roles, setRoles] = useState<Assignment[]>(person?.roles ?? []);
  const [missing, setMissing] = useState<Wrongs>({});
  const isMe = person?.id === me.staffMember.id;
  const wrongs = Object.keys(missing).length > 0 ? missing : wrongsOf(save.error);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found: Wrongs = {};
    if (!name.trim()) found.displayName = t("needed.name");
    if (!account.trim()) found.account = t("needed.account");
    if (roles.some(({ role }) => !role)) found.roles = t("needed.role");
    setMissing(found);
    if (Object.keys(found).length > 0) return;
    const body = {
      id: person?.id ?? (subject.trim() || undefined),
      etag: person?.etag,
      account: account.trim(),
      displayName: name.trim(),
      email: email.trim(),
      roles,
    };
    save.mutate(body, {
      onSuccess: (saved) => {
        const slots = { name: saved.displayName, account: saved.account };
        say({ text: person ? t("person.saved", slots) : t("person.added", slots) });
        close();
      },
    });
  };

  return (
    <Dialog
      close={close}
      size="lg"
      title={person ? t("person.changeTitle", { name: person.displayName }) : t("person.addTitle")}
      closeLabel={t("person.cancel")}
    >
      <form className={styles.form} onSubmit={submit} noValidate>
        <Summary wrongs={wrongs} />
        <TextInput
          id={fieldId("displayName")}
          label={t("person.name")}
          description={t("person.nameHint")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={wrongs.displayName}
          autoComplete="off"
          data-autofocus
        />
        <TextInput
          id={fieldId("account")}
          label={t("person.account")}
          description={t("person.accountHint")}
          value={account}
          readOnly={Boolean(person)}
          onChange={(event) => setAccount(event.currentTarget.value)}
          error={wrongs.account}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
        />
        <TextInput
          id={fieldId("email")}
          type="email"
          label={t("person.email")}
          description={t("person.emailHint")}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={wrongs.email}
          autoComplete="off"
        />
        {!person && (
          <TextInput
            id={fieldId("id")}
            label={t("person.subject")}
            description={t("person.subjectHint")}
            value={subject}
            onChange={(event) => setSubject(event.currentTarget.value)}
            error={wrongs.id}
            spellCheck={false}
            autoComplete="off"
          />
        )}
        <Roles
          roles={roles}
          set={setRoles}
          wrong={wrongs.roles}
          note={isMe ? t("person.ownRoles") : undefined}
        />
        <div className={styles.dialogActions}>
          <Button type="submit" loading={save.isPending}>
            {person ? t("person.save", { name: name.trim() || account }) : t("person.saveNew")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("person.cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface RolesProps {
  roles: Assignment[];
  set: (roles: Assignment[]) => void;
  wrong?: string;
  /** Why they cannot be changed. */
  note?: string;
}

function Roles({ roles, set, wrong, note }: RolesProps) {
  const t = useTranslations("staff.person");
  const change = (at: number, part: Partial<Assignment>) =>
    set(roles.map((role, here) => (here === at ? { ...role, ...part } : role)));
  return (
    <fieldset className={styles.fieldset} disabled={Boolean(note)}>
      <legend>{t("roles")}</legend>
      {note && <p className={styles.second}>{note}</p>}
      {roles.map((role, at) => (
        <RoleLine
          // biome-ignore lint/suspicious/noArrayIndexKey: two lines may say the same for a while
          key={at}
          role={role}
          isFirst={at === 0}
          isWrong={Boolean(wrong)}
          change={(part) => change(at, part)}
          remove={() => set(roles.filter((_, here) => here !== at))}
        />
      ))}
      {wrong && <p className={styles.fieldError}>{wrong}</p>}
      <Button
        id={roles.length === 0 ? fieldId("roles") : undefined}
        variant="subtle"
        size="compact-sm"
        leftSection={<IconPlus size={16} stroke={1.9} aria-hidden="true" />}
        onClick={() => set([...roles, { role: "", facilityId: "" }])}
      >
        {t("addRole")}
      </Button>
    </fieldset>
  );
}

interface LineProps {
  role: Assignment;
  isFirst: boolean;
  isWrong: boolean;
  change: (part: Partial<Assignment>) => void;
  remove: () => void;
}

function RoleLine({ role, isFirst, isWrong, change, remove }: LineProps) {
  const t = useTranslations("staff.person");
  const names = useTranslations("shell.roles");
  const facilities = [...useFacilities().values()];
  const isEverywhere = role.role === NETWORK_ADMIN;
  const label = role.role ? names(role.role as "nurse") : t("role");
  return (
    <div className={styles.roleLine}>
      <NativeSelect
        id={isFirst ? fieldId("roles") : undefined}
        aria-label={t("role")}
        value={role.role}
        error={isWrong && !role.role}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          change(chosen === NETWORK_ADMIN ? { role: chosen, facilityId: "" } : { role: chosen });
        }}
        data={[
          { value: "", label: t("choose") },
          ...ROLES.map((value) => ({ value, label: names(value) })),
        ]}
      />
      <NativeSelect
        aria-label={t("where")}
        value={role.facilityId}
        disabled={isEverywhere}
        onChange={(event) => change({ facilityId: event.currentTarget.value })}
        data={[
          { value: "", label: t("anywhere") },
          ...facilities.map(({ id, name }) => ({ value: id, label: name })),
        ]}
      />
      <ActionIcon
        variant="subtle"
        size={32}
        aria-label={t("removeRole", { role: label })}
        onClick={remove}
      >
        <IconX size={16} stroke={1.9} aria-hidden="true" />
      </ActionIcon>
    </div>
  );
}
