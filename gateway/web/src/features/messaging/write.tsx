/** Somebody's own words to the patient: where they lead, in which language they are read, when they leave. */
import { Button, NativeSelect, Textarea } from "@mantine/core";
import { IconMoon } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { api, type Patient, read } from "@/api/client";
import { useFacilities } from "@/api/queries";
import { languageName, phoneWords } from "@/features/patients/person";
import { Card } from "@/ui/page";
import { useToasts } from "@/ui/toasts";
import { useNow, useWhen, useZone } from "@/ui/when";
import { useChange, useContact, usePlaces } from "./hooks";
import styles from "./messaging.module.css";
import { Problem } from "./problem";
import { isQuiet } from "./quiet";

const MOST_TEXT = 480;

export function Write({ patient }: { patient: Patient }) {
  const t = useTranslations("messaging.write");
  const facilities = useFacilities();
  const places = usePlaces(patient.facilityIds);
  const { send, problem, reason, forget, isBusy } = useChange();
  const [text, write] = useState("");
  const [chosen, choose] = useState("");
  const facilityId = chosen || (places[0] ?? "");
  const sent = useSent(facilityId);
  const mustLook = reason === "WORDS_NEED_A_LOOK";
  const deliver = async (isChecked: boolean) => {
    const params = { path: { patientId: patient.id } };
    const body = { facilityId, text: text.trim(), isChecked };
    const asked = read(api.POST("/v1/contacts/{patientId}:send", { params, body }));
    if (await send(asked)) {
      write("");
      sent(await asked);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void deliver(false);
  };
  return (
    <Card className={styles.inside}>
      <form onSubmit={submit} className={styles.form}>
        <Textarea
          label={t("label")}
          description={<Hint patient={patient} />}
          autosize
          minRows={2}
          maxLength={MOST_TEXT}
          value={text}
          onChange={(event) => {
            write(event.currentTarget.value);
            forget();
          }}
        />
        {places.length > 1 && (
          <NativeSelect
            label={t("for")}
            value={facilityId}
            onChange={(event) => choose(event.currentTarget.value)}
            data={places.map((id) => ({ value: id, label: facilities.get(id)?.name ?? id }))}
          />
        )}
        <Quiet facilityId={facilityId} />
        {mustLook ? (
          <Look send={() => void deliver(true)} change={forget} isBusy={isBusy} />
        ) : (
          <>
            <Problem>{problem}</Problem>
            <div className={styles.actions}>
              <Button type="submit" disabled={isBusy || !text.trim()}>
                {t("send")}
              </Button>
            </div>
          </>
        )}
      </form>
    </Card>
  );
}

function useSent(facilityId: string): (message: { waitsFor: string; dueTime?: string }) => void {
  const t = useTranslations("messaging.write");
  const when = useWhen();
  const zone = useZone(facilityId);
  const { say } = useToasts();
  return ({ waitsFor, dueTime }) => {
    const moment = dueTime ? when.moment(new Date(dueTime), zone) : "";
    say({ text: waitsFor === "QUIET_HOURS" ? t("saved", { moment }) : t("leaves") });
  };
}

function Hint({ patient }: { patient: Patient }) {
  const t = useTranslations("messaging.write");
  const { data } = useContact(patient.id);
  const locale = useLocale();
  if (!data) return t("hint");
  const language = languageName(data.language, locale) || t("unknown");
  return data.phone
    ? t("hintTo", { phone: phoneWords(data.phone), language })
    : t("hintLanguage", { language });
}

function Quiet({ facilityId }: { facilityId: string }) {
  const t = useTranslations("messaging.write");
  const when = useWhen();
  const now = useNow();
  const zone = useZone(facilityId);
  const facility = useFacilities().get(facilityId)?.name ?? "";
  if (!isQuiet(zone, now)) return <p className={styles.small}>{t("quietRule")}</p>;
  return (
    <p className={styles.quiet} role="status">
      <IconMoon size={16} stroke={1.9} aria-hidden="true" />
      <span>{t("quiet", { time: when.time(now, zone), facility })}</span>
    </p>
  );
}

interface LookProps {
  send: () => void;
  change: () => void;
  isBusy: boolean;
}

/** Words that could tell of an illness leave only after somebody has looked once more. */
function Look({ send, change, isBusy }: LookProps) {
  const t = useTranslations("messaging.write");
  return (
    <div role="alert" className={styles.look}>
      <p>
        <strong>{t("look")}</strong>
      </p>
      <p>{t("lookText")}</p>
      <div className={styles.actions}>
        <Button variant="default" onClick={change}>
          {t("change")}
        </Button>
        <Button variant="default" disabled={isBusy} onClick={send}>
          {t("sendAnyway")}
        </Button>
      </div>
    </div>
  );
}
