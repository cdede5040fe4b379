/** What the partner is told, that the patient agrees, and sending it. */
import { Button, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Loop, type Match, type Patient, read } from "@/api/client";
import { Card } from "@/ui/page";
import { useToasts } from "@/ui/toasts";
import { useZone } from "@/ui/when";
import { type Asked, consentOf, draftOf, isGiven, isRide, itemsOf, NOT_GIVEN } from "./asking";
import { ConsentFields } from "./consent-fields";
import { useChange } from "./hooks";
import styles from "./referrals.module.css";

interface Props {
  patient: Patient;
  loop: Loop | undefined;
  asked: Asked;
  ask: (asked: Asked) => void;
  service: Match["service"];
  others: Match[];
}

export function Sending({ patient, loop, asked, ask, service, others }: Props) {
  const t = useTranslations("referrals.page");
  const consentWords = useTranslations("referrals.consent");
  const [given, give] = useState(NOT_GIVEN);
  const [isMissing, miss] = useState(false);
  const told = isRide(asked) ? asked : { ...asked, destination: "" };
  const items = itemsOf(told);
  const { send, change } = useSend(patient, loop, asked, service);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    miss(!isGiven(given));
    if (isGiven(given)) void send(consentOf(given, service.id, items));
  };
  const wrong = isMissing ? consentWords("missing") : change.error;
  return (
    <form onSubmit={submit} className={styles.steps} noValidate>
      <section aria-labelledby="told">
        <h2 id="told">{t("told", { service: service.name })}</h2>
        <Card className={`${styles.box} ${styles.form}`}>
          <p>{t("toldText")}</p>
          <Told asked={asked} ask={ask} />
        </Card>
      </section>
      <section aria-labelledby="consent">
        <h2 id="consent">{consentWords("title")}</h2>
        <Card className={`${styles.box} ${styles.form}`}>
          <ConsentFields
            given={given}
            change={give}
            service={service.name}
            items={items}
            others={others}
          />
        </Card>
      </section>
      {wrong && (
        <p role="alert" className={styles.error}>
          {wrong}
        </p>
      )}
      <div className={styles.actions}>
        <Button type="submit" loading={change.isBusy}>
          {t("send", { service: service.name })}
        </Button>
      </div>
    </form>
  );
}

const LONGEST = {
  area: 100,
  firstName: 50,
  telephone: 30,
  address: 200,
  destination: 200,
} as const;

function Told({ asked, ask }: Pick<Props, "asked" | "ask">) {
  const t = useTranslations("referrals.page");
  const isARide = isRide(asked);
  const fields = ["area", "firstName", "telephone", "address"] as const;
  return (isARide ? ([...fields, "destination"] as const) : fields).map((field) => (
    <TextInput
      key={field}
      label={t(field === "address" && isARide ? "pickUp" : field)}
      maxLength={LONGEST[field]}
      autoComplete="off"
      value={asked[field]}
      onChange={(event) => ask({ ...asked, [field]: event.currentTarget.value })}
    />
  ));
}

/** A draft is made and sent. One that cannot be sent stays on the patient's page, where it is sent or taken back. */
function useSend(
  patient: Patient,
  loop: Loop | undefined,
  asked: Asked,
  service: Match["service"],
) {
  const t = useTranslations("referrals.page");
  const change = useChange(patient.id);
  const zone = useZone(asked.facilityId);
  const go = useNavigate();
  const { say } = useToasts();
  const leave = (text: string) => {
    say({ text });
    return go({ to: "/patients/$patientId", params: { patientId: patient.id } });
  };
  const send = async (consent: ReturnType<typeof consentOf>) => {
    const autoNext = consent.serviceIds.length > 1;
    const body = draftOf({ asked, patient, loop, serviceId: service.id, autoNext, zone });
    const draft = await change.run(() => read(api.POST("/v1/referrals", { body })));
    if (!draft) return;
    const params = { path: { referralId: draft.id } };
    const url = "/v1/referrals/{referralId}:send";
    const asking = { params, body: { etag: draft.etag, consent } };
    let reason = "";
    const sent = await change.run(
      () => read(api.POST(url, asking)),
      (why) => {
        reason = why;
      },
    );
    await leave(sent ? t("sent", { service: service.name }) : t("kept", { reason }));
  };
  return { send, change };
}
