/** What needs more than a tap: a consent, what a partner said by telephone, taking it back, a link to read out. */
import { Button, NativeSelect, Radio } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Referral, read } from "@/api/client";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { consentOf, isGiven, itemsIn, NOT_GIVEN } from "./asking";
import { ConsentFields } from "./consent-fields";
import { type Change, useChange } from "./hooks";
import styles from "./referrals.module.css";
import { isUnderWay } from "./standing";

export interface DialogProps {
  referral: Referral;
  close: () => void;
}

interface FormProps {
  title: string;
  text: string;
  save: string;
  isOff?: boolean;
  back: string;
  closeLabel: string;
  change: Change;
  submit: () => void;
  close: () => void;
  children: ReactNode;
}

function Form(props: FormProps) {
  const { title, text, save, isOff, back, closeLabel, change, submit, close, children } = props;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    submit();
  };
  return (
    <Dialog title={title} close={close} closeLabel={closeLabel}>
      <form onSubmit={onSubmit} className={styles.form}>
        {change.error && (
          <p role="alert" className={styles.error}>
            {change.error}
          </p>
        )}
        {text && <p>{text}</p>}
        {children}
        <div className={styles.actions}>
          <Button type="submit" loading={change.isBusy} disabled={isOff ?? false}>
            {save}
          </Button>
          <Button variant="default" onClick={close}>
            {back}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function ConsentDialog({ referral, close }: DialogProps) {
  const t = useTranslations("referrals");
  const { say } = useToasts();
  const change = useChange(referral.patientId);
  const [given, give] = useState(NOT_GIVEN);
  const service = referral.serviceName;
  const items = itemsIn(referral);
  const submit = async () => {
    const params = { path: { referralId: referral.id } };
    const consent = consentOf(given, referral.serviceId, items);
    const body = { etag: referral.etag, consent };
    const url = "/v1/referrals/{referralId}:send";
    if (!(await change.run(() => read(api.POST(url, { params, body }))))) return;
    say({ text: t("page.sent", { service }) });
    close();
  };
  return (
    <Form
      title={t("consent.dialog", { service })}
      text=""
      save={t("consent.save")}
      back={t("cancel")}
      closeLabel={t("consent.close")}
      isOff={!isGiven(given)}
      change={change}
      submit={() => void submit()}
      close={close}
    >
      <ConsentFields given={given} change={give} service={service} items={items} />
    </Form>
  );
}

const ANSWERS = {
  asked: ["ANSWER_YES", "ANSWER_NO"],
  underWay: ["ANSWER_DONE", "ANSWER_COULD_NOT"],
} as const;
type Answer = (typeof ANSWERS)[keyof typeof ANSWERS][number];

const WHY = {
  ANSWER_YES: [],
  ANSWER_DONE: [],
  ANSWER_NO: ["NO_CAPACITY", "TOO_FAR", "NOT_ELIGIBLE", "OTHER"],
  ANSWER_COULD_NOT: ["CLIENT_ABSENT", "CLIENT_DECLINED", "UNREACHABLE", "DRIVER_FAILED", "OTHER"],
} as const satisfies Record<Answer, readonly string[]>;

export function AnswerDialog({ referral, close }: DialogProps) {
  const t = useTranslations("referrals.answer");
  const back = useTranslations("referrals")("cancel");
  const { say } = useToasts();
  const change = useChange(referral.patientId);
  const answers = isUnderWay(referral.state) ? ANSWERS.underWay : ANSWERS.asked;
  const [answer, setAnswer] = useState<Answer>(answers[0]);
  const [why, setWhy] = useState("");
  const reasons = WHY[answer];
  const service = referral.serviceName;
  const submit = async () => {
    const reason = reasons.find((each) => each === why) ?? reasons[0] ?? "";
    const params = { path: { referralId: referral.id } };
    const body = { etag: referral.etag, answer, reason };
    const url = "/v1/referrals/{referralId}:recordAnswer";
    if (!(await change.run(() => read(api.POST(url, { params, body }))))) return;
    say({ text: t("saved", { service }) });
    close();
  };
  return (
    <Form
      title={t("title", { service })}
      text={t("text")}
      save={t("save")}
      back={back}
      closeLabel={t("close")}
      change={change}
      submit={() => void submit()}
      close={close}
    >
      <Radio.Group
        label={t("what")}
        value={answer}
        onChange={(value) => setAnswer(value as Answer)}
      >
        {answers.map((each) => (
          <Radio key={each} value={each} label={t(`answers.${each}`)} className={styles.choice} />
        ))}
      </Radio.Group>
      {reasons.length > 0 && (
        <NativeSelect
          label={t("why")}
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value)}
          data={reasons.map((value) => ({ value, label: t(`reasons.${value}`) }))}
        />
      )}
    </Form>
  );
}

const CANCELLATIONS = [
  "CLIENT_DECLINED",
  "NOT_NEEDED",
  "SOLVED_OTHERWISE",
  "MOVED",
  "DIED",
  "DUPLICATE",
  "OTHER",
] as const;

export function CancelDialog({ referral, close }: DialogProps) {
  const t = useTranslations("referrals.cancelling");
  const { say } = useToasts();
  const change = useChange(referral.patientId);
  const [reason, choose] = useState<string>(CANCELLATIONS[0]);
  const service = referral.serviceName;
  const submit = async () => {
    const params = { path: { referralId: referral.id } };
    const body = { etag: referral.etag, reason };
    const url = "/v1/referrals/{referralId}:cancel";
    if (!(await change.run(() => read(api.POST(url, { params, body }))))) return;
    say({ text: t("done", { service }) });
    close();
  };
  return (
    <Form
      title={t("title", { service })}
      text={t("text")}
      save={t("save")}
      back={t("keep")}
      closeLabel={t("keep")}
      change={change}
      submit={() => void submit()}
      close={close}
    >
      <NativeSelect
        label={t("why")}
        value={reason}
        onChange={(event) => choose(event.currentTarget.value)}
        data={CANCELLATIONS.map((value) => ({ value, label: t(`reasons.${value}`) }))}
      />
    </Form>
  );
}
