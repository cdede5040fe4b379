/** The consents of a patient, a sentence each: what holds first, then what will, then what did. */
import { Button } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { Card } from "@/ui/page";
import { Empty } from "@/ui/states";
import styles from "./consents.module.css";
import { grouped } from "./groups";
import { type Consent, useProxies } from "./hooks";
import { kindOf, useConsentWords, useMoments, useNames } from "./use-words";
import { sentenceOf } from "./words";

interface Props {
  patient: Patient;
  consents: Consent[];
  /** Absent for whoever may only read. */
  change?: (consent: Consent) => void;
  withdraw?: (consent: Consent) => void;
}

export function ConsentList({ patient, consents, change, withdraw }: Props) {
  const t = useTranslations("consents");
  if (consents.length === 0) {
    return (
      <Card>
        <Empty icon={<IconFileText size={22} stroke={1.9} />} title={t("none")}>
          {t("noneText")}
        </Empty>
      </Card>
    );
  }
  return grouped(consents).map(({ key, members }) => (
    <section key={key} aria-labelledby={`consents-${key}`} className={styles.group}>
      <h2 id={`consents-${key}`}>{t(`groups.${key}`)}</h2>
      <Card>
        <ul className={styles.list}>
          {members.map((consent) => (
            <Item
              key={consent.id}
              patient={patient}
              consent={consent}
              change={key === "ended" ? undefined : change}
              withdraw={key === "ended" ? undefined : withdraw}
            />
          ))}
        </ul>
      </Card>
    </section>
  ));
}

interface ItemProps extends Pick<Props, "patient" | "change" | "withdraw"> {
  consent: Consent;
}

function Item({ patient, consent, change, withdraw }: ItemProps) {
  const t = useTranslations("consents");
  const words = useConsentWords(patient.id);
  const sentence = sentenceOf(consent, words(consent.facilityId));
  return (
    <li className={styles.item} data-is-over={!change && !withdraw}>
      <div className={styles.said}>
        <p className={styles.sentence}>{sentence}</p>
        <State consent={consent} />
        <Origin consent={consent} patientId={patient.id} />
      </div>
      {(change || withdraw) && (
        <div className={styles.itemActions}>
          {change && (
            <Button
              variant="default"
              size="compact-md"
              aria-label={t("changeThis", { sentence })}
              onClick={() => change(consent)}
            >
              {t("change")}
            </Button>
          )}
          {withdraw && (
            <Button
              variant="outline"
              size="compact-md"
              className={styles.danger}
              aria-label={t("withdrawThis", { sentence })}
              onClick={() => withdraw(consent)}
            >
              {t("withdraw")}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

/** How it ended; what holds and what will stand under headlines of their own. */
function State({ consent: { state, withdrawTime, facilityId } }: { consent: Consent }) {
  const t = useTranslations("consents.states");
  const moment = useMoments()(facilityId);
  if (state === "STATE_EXPIRED") return <p className={styles.over}>{t("expired")}</p>;
  if (state !== "STATE_WITHDRAWN" || !withdrawTime) return null;
  return <p className={styles.over}>{t("withdrawn", { when: moment(new Date(withdrawTime)) })}</p>;
}

/** How it was given, who recorded it where, and where its evidence is. */
function Origin({ consent, patientId }: { consent: Consent; patientId: string }) {
  const t = useTranslations("consents");
  const moment = useMoments()(consent.facilityId);
  const nameOf = useNames();
  const giver = useProxies(patientId).find(({ personId }) => personId === consent.givenById);
  const byProxy = t(`givers.${giver ? kindOf(giver) : "other"}`);
  return (
    <div className={styles.small}>
      <p>
        {t("given", {
          form: consent.form,
          giver: consent.givenById ? byProxy : t("givers.patient"),
          when: moment(new Date(consent.giveTime)),
        })}{" "}
        {t("recorded", {
          name: nameOf(consent.recorderId) ?? t("unknownName", { count: 1 }),
          facility: nameOf(consent.facilityId) ?? "",
          when: moment(new Date(consent.recordTime ?? consent.giveTime)),
        })}
      </p>
      {consent.evidenceNote && (
        <p>
          <bdi>{t("evidence", { note: consent.evidenceNote })}</bdi>
        </p>
      )}
      {consent.evidenceId && (
        <p className={styles.reference}>
          <bdi>{t("reference", { id: consent.evidenceId })}</bdi>
        </p>
      )}
    </div>
  );
}
