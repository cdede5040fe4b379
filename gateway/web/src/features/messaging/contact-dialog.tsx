/** Changes how a patient is reached. What is emptied is again what the care plan or the record says. */
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Contact, read } from "@/api/client";
import { LANGUAGES } from "@/i18n/language";
import { Dialog } from "@/ui/dialog";
import { CHANNELS, type Consent, consentOf, hourOf } from "./contact";
import { useChange } from "./hooks";
import styles from "./messaging.module.css";
import { Problem } from "./problem";

const STATES = ["STATE_UNKNOWN", "STATE_ALLOWED", "STATE_REFUSED"] as const;
const HOURS = Array.from({ length: 25 }, (_, hour) => hour);

export function ContactDialog({ contact, close }: { contact: Contact; close: () => void }) {
  const t = useTranslations("messaging.contact");
  const { send, problem, isBusy } = useChange();
  const [draft, set] = useState(contact);
  const change = (part: Partial<Contact>) => set((before) => ({ ...before, ...part }));
  const consent = (channel: (typeof CHANNELS)[number], state: Consent) =>
    change({
      consents: CHANNELS.map((each) => ({
        channel: each,
        state: each === channel ? state : consentOf(draft, each),
      })),
    });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const changed = changesOf(contact, draft);
    if (changed.length === 0) return close();
    const params = { path: { patientId: contact.id }, query: { updateMask: changed.join(",") } };
    const asked = api.PATCH("/v1/contacts/{patientId}", { params, body: draft });
    if (await send(read(asked))) close();
  };
  const spoken = { ...LANGUAGES, ...(draft.language && { [draft.language]: draft.language }) };
  return (
    <Dialog title={t("changeTitle")} close={close} closeLabel={t("cancel")} size="lg">
      <form onSubmit={(event) => void submit(event)} className={styles.form}>
        <TextInput
          type="tel"
          label={t("phone")}
          description={t("phoneHint")}
          autoComplete="off"
          value={draft.phone}
          onChange={(event) => change({ phone: event.currentTarget.value.trim() })}
          data-autofocus
        />
        <Checkbox
          label={t("isShared")}
          description={t("isSharedHint")}
          checked={draft.isSharedPhone}
          onChange={(event) => change({ isSharedPhone: event.currentTarget.checked })}
        />
        <TextInput
          type="email"
          label={t("email")}
          description={t("emailHint")}
          autoComplete="off"
          value={draft.email}
          onChange={(event) => change({ email: event.currentTarget.value.trim() })}
        />
        <NativeSelect
          label={t("language")}
          value={draft.language}
          onChange={(event) => change({ language: event.currentTarget.value })}
          data={[
            { value: "", label: t(contact.wishes?.language ? "asPlan" : "asRecord") },
            ...Object.entries({ ...spoken, ...LANGUAGES }).map(([value, label]) => ({
              value,
              label,
            })),
          ]}
        />
        <fieldset className={styles.fieldset}>
          <legend>{t("consent")}</legend>
          {CHANNELS.map((channel) => (
            <NativeSelect
              key={channel}
              label={t(`channels.${channel}`)}
              value={consentOf(draft, channel)}
              onChange={(event) => {
                const state = STATES.find((each) => each === event.currentTarget.value);
                if (state) consent(channel, state);
              }}
              data={STATES.filter(
                // What they said once is not forgotten.
                (state) =>
                  state !== "STATE_UNKNOWN" || consentOf(contact, channel) === "STATE_UNKNOWN",
              ).map((value) => ({ value, label: t(`states.${value}`) }))}
            />
          ))}
        </fieldset>
        <NativeSelect
          label={t("preferred")}
          value={draft.preferredChannel}
          onChange={(event) => change({ preferredChannel: event.currentTarget.value })}
          data={[
            { value: "", label: t("noWish") },
            ...CHANNELS.map((value) => ({ value, label: t(`channels.${value}`) })),
          ]}
        />
        <fieldset className={styles.fieldset} data-is-pair>
          <legend>{t("best")}</legend>
          <Hour
            label={t("from")}
            value={draft.bestFromHour}
            set={(bestFromHour) => change({ bestFromHour })}
          />
          <Hour
            label={t("until")}
            value={draft.bestUntilHour}
            set={(bestUntilHour) => change({ bestUntilHour })}
          />
          <p className={styles.small}>
            {contact.wishes?.bestFrom
              ? t("bestHintPlan", {
                  from: contact.wishes.bestFrom,
                  until: contact.wishes.bestUntil,
                })
              : t("bestHint")}
          </p>
        </fieldset>
        <Problem>{problem}</Problem>
        <div className={styles.actions}>
          <Button type="submit" disabled={isBusy}>
            {t("save")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface HourProps {
  label: string;
  value: number;
  set: (hour: number) => void;
}

function Hour({ label, value, set }: HourProps) {
  return (
    <NativeSelect
      label={label}
      value={String(value)}
      onChange={(event) => set(Number(event.currentTarget.value))}
      data={HOURS.map((hour) => ({ value: String(hour), label: hourOf(hour) }))}
    />
  );
}

const FIELDS = [
  "phone",
  "email",
  "language",
  "preferredChannel",
  "consents",
  "bestFromHour",
  "bestUntilHour",
  "isSharedPhone",
] as const;

/** The fields that differ: nobody else's change is written over. */
const changesOf = (before: Contact, after: Contact) =>
  FIELDS.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
