/** One referral: what it is for, how it stands in plain words, who answers by when, and what can be done. */
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Referral, read } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import loopStyles from "@/features/patients/loops.module.css";
import { Clock } from "@/ui/clock";
import { useToasts } from "@/ui/toasts";
import { useWhen, useZone } from "@/ui/when";
import { itemsIn } from "./asking";
import { useItemWords } from "./consent-fields";
import { AnswerDialog, CancelDialog, ConsentDialog } from "./dialogs";
import { useChange } from "./hooks";
import { LinkDialog } from "./link-dialog";
import { isNeed } from "./needs";
import styles from "./referrals.module.css";
import { type Doing, doingsOf } from "./standing";

interface CardProps {
  referral: Referral;
  /** Whose partner said no or nothing before. */
  before: Referral | undefined;
}

export function ReferralCard({ referral, before }: CardProps) {
  const t = useTranslations("referrals.card");
  const needOf = useNeedWords();
  const waits = referral.state === "STATE_REQUESTED";
  return (
    <article className={loopStyles.loop} aria-labelledby={referral.id}>
      <div className={loopStyles.loopHead}>
        <h3 id={referral.id}>{needOf(referral.need)}</h3>
        {waits && (
          <Clock
            of={{
              state: "STATE_OPEN",
              startTime: referral.sendTime,
              dueTime: referral.answerDueTime,
            }}
            facilityId={referral.facilityId}
          />
        )}
      </div>
      <p className={styles.state}>
        {t(`states.${referral.state}`, {
          service: referral.serviceName,
          reason: referral.stateReason || "other",
          queued: referral.isQueued ? "yes" : "no",
        })}
      </p>
      <Facts referral={referral} before={before} />
      <Doings referral={referral} />
    </article>
  );
}

export function useNeedWords(): (need: string) => string {
  const t = useTranslations("referrals.needs");
  return (need) => (isNeed(need) ? t(need) : need);
}

function Facts({ referral, before }: CardProps) {
  const t = useTranslations("referrals.card");
  const when = useWhen();
  const zone = useZone(referral.facilityId);
  const itemWords = useItemWords();
  const how = useHowWords();
  const at = (time: string) => when.moment(new Date(time), zone);
  const { details, consent, answerDueTime, endTime, state } = referral;
  const items = consent?.items ?? itemsIn(referral);
  const isWaiting = state === "STATE_REQUESTED";
  return (
    <dl className={loopStyles.facts}>
      {isWaiting && answerDueTime && (
        <>
          <dt>{t("due")}</dt>
          <dd>
            {t("dueText", {
              due: at(answerDueTime),
              how: how(referral.answerDueExplanation, zone),
            })}
          </dd>
        </>
      )}
      {details?.startTime && details.endTime && (
        <>
          <dt>{t("when")}</dt>
          <dd>{t("whenText", { start: at(details.startTime), end: at(details.endTime) })}</dd>
        </>
      )}
      <dt>{t("told")}</dt>
      <dd>{items.length > 0 ? itemWords(items) : t("toldNothing")}</dd>
      <dt>{t("consent")}</dt>
      <dd>
        {consent?.giveTime
          ? t("consentText", {
              form: consent.form,
              day: at(consent.giveTime),
              witness: consent.witness,
            })
          : t("consentNone")}
      </dd>
      {before && (
        <>
          <dt>{t("before")}</dt>
          <dd>
            <bdi>{before.serviceName}</bdi>
          </dd>
        </>
      )}
      {isWaiting && referral.autoNext && <dd className={styles.whole}>{t("auto")}</dd>}
      {endTime && <dd className={styles.whole}>{t("ended", { when: at(endTime) })}</dd>}
    </dl>
  );
}

const PROMISED = /^(\d+) hours? after it was sent, as the service promised$/;
const HOURS = /^(\d+) hours? after it was sent$/;
const BEFORE = /^(\d+) hours? before it is needed, to leave time to ask another$/;

/** How the time to answer was counted, in our words. */
function useHowWords(): (text: string, zone: string) => string {
  const t = useTranslations("referrals.card.how");
  const when = useWhen();
  return (text, zone) => {
    const [, promised] = PROMISED.exec(text) ?? [];
    if (promised) return t("promised", { count: Number(promised) });
    const [, hours] = HOURS.exec(text) ?? [];
    if (hours) return t("hours", { count: Number(hours) });
    const [, before] = BEFORE.exec(text) ?? [];
    if (before) return t("before", { count: Number(before) });
    return text.startsWith("halfway to when") ? t("halfway") : when.counted(text, zone);
  };
}

/** Only people of the facility that refers change it. */
function useMayChange(referral: Referral): boolean {
  const mayWrite = useMay("referrals.write");
  return useMe().facilityIds.includes(referral.facilityId) && mayWrite;
}

function Doings({ referral }: { referral: Referral }) {
  const t = useTranslations("referrals");
  const { say } = useToasts();
  const change = useChange(referral.patientId);
  const [open, show] = useState<Doing | null>(null);
  const doings = doingsOf(referral);
  if (!useMayChange(referral)) {
    return doings.length > 0 && <p className={styles.small}>{t("viewOnly")}</p>;
  }
  const askNext = async () => {
    const params = { path: { referralId: referral.id } };
    const url = "/v1/referrals/{referralId}:askNext";
    const body = { etag: referral.etag };
    const next = await change.run(() => read(api.POST(url, { params, body })));
    if (!next) return;
    const isSent = next.isQueued || next.state !== "STATE_DRAFT";
    say({ text: t(isSent ? "next.asked" : "next.draft", { service: next.serviceName }) });
  };
  const close = () => show(null);
  return (
    <>
      {change.error && (
        <p role="alert" className={styles.error}>
          {change.error}
        </p>
      )}
      <div className={`${loopStyles.loopActions} ${styles.doings}`}>
        {doings.map((doing) => (
          <Button
            key={doing}
            size="xs"
            variant={doing === "send" ? "filled" : "default"}
            loading={doing === "askNext" && change.isBusy}
            onClick={() => (doing === "askNext" ? void askNext() : show(doing))}
          >
            {t(`doings.${doing}`)}
          </Button>
        ))}
      </div>
      {open === "send" && <ConsentDialog referral={referral} close={close} />}
      {open === "answer" && <AnswerDialog referral={referral} close={close} />}
      {open === "cancel" && <CancelDialog referral={referral} close={close} />}
      {open === "link" && <LinkDialog referral={referral} close={close} />}
    </>
  );
}
