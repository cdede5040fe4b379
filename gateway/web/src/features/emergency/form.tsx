/** Opens a patient in an emergency: says what follows, asks why, and that whoever asks is who they are. */
import { Button, Checkbox, NativeSelect, Radio, Textarea } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import { useFacilities, useMe } from "@/api/queries";
import { Confirm, useOnceConfirmed } from "@/features/signin/confirm";
import { fieldId, Summary, type Wrongs } from "@/features/staff/errors";
import { Dialog } from "@/ui/dialog";
import styles from "./emergency.module.css";
import { type Reason, useBreakGlass } from "./hooks";

const REASONS: Reason[] = [
  "REASON_DANGER_TO_LIFE",
  "REASON_UNABLE_TO_CONSENT",
  "REASON_COVERING_CARE",
  "REASON_OTHER",
];
const FEWEST_WORDS = 3;

export function EmergencyForm({ patientId, close }: { patientId: string; close: () => void }) {
  const t = useTranslations("emergency.form");
  const open = useBreakGlass();
  const places = usePlaces();
  const [requestId] = useState(() => crypto.randomUUID());
  const [facilityId, setFacility] = useState(places[0]?.value ?? "");
  const [reason, setReason] = useState<Reason | "">("");
  const [reasonText, setText] = useState("");
  const [isPart2Emergency, setPart2] = useState(false);
  const [missing, setMissing] = useState<Wrongs>({});
  const error = open.error instanceof Failure ? open.error : null;
  const mustConfirm = error?.reason === "STEP_UP_REQUIRED";
  const send = () => {
    if (!reason) return;
    open.mutate({
      patientId,
      facilityId,
      reason,
      reasonText: reasonText.trim(),
      isPart2Emergency,
      requestId,
    });
  };
  useOnceConfirmed(mustConfirm, send);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wrongs: Wrongs = {};
    if (!reason) wrongs.reason = t("needsReason");
    if (reasonText.trim().split(/\s+/).length < FEWEST_WORDS) wrongs.reasonText = t("needsText");
    setMissing(wrongs);
    if (Object.keys(wrongs).length === 0) send();
  };
  const refused = useRefused(error);
  return (
    <Dialog title={t("title")} close={close} closeLabel={t("cancel")} size="lg" isAtTop>
      <form className={styles.form} onSubmit={submit} noValidate>
        <Summary wrongs={Object.keys(missing).length > 0 ? missing : refused} />
        <ul className={styles.follows}>
          <li>{t("followsHour")}</li>
          <li>{t("followsReview")}</li>
          <li>{t("followsPatient")}</li>
          <li>{t("followsNotes")}</li>
        </ul>
        <Radio.Group
          id={fieldId("reason")}
          label={t("reason")}
          value={reason}
          onChange={(value) => setReason(value as Reason)}
          error={missing.reason}
        >
          {REASONS.map((each) => (
            <Radio key={each} value={each} label={t(`reasons.${each}`)} className={styles.choice} />
          ))}
        </Radio.Group>
        <Textarea
          id={fieldId("reasonText")}
          label={t("text")}
          description={t("textHint")}
          value={reasonText}
          onChange={(event) => setText(event.currentTarget.value)}
          error={missing.reasonText}
          rows={2}
          maxLength={500}
        />
        {places.length > 1 && (
          <NativeSelect
            label={t("facility")}
            value={facilityId}
            onChange={(event) => setFacility(event.currentTarget.value)}
            data={places}
          />
        )}
        <Checkbox
          label={t("part2")}
          description={t("part2Hint")}
          checked={isPart2Emergency}
          onChange={(event) => setPart2(event.currentTarget.checked)}
        />
        {mustConfirm && <Confirm text={t("confirmText")} />}
        <div className={styles.actions}>
          <Button type="submit" loading={open.isPending} disabled={mustConfirm}>
            {t("open")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function usePlaces() {
  const me = useMe();
  const facilities = useFacilities();
  return me.facilityIds.map((id) => ({ value: id, label: facilities.get(id)?.name ?? id }));
}

function useRefused(error: Failure | null): Wrongs {
  const t = useTranslations("emergency.form");
  if (!error || error.reason === "STEP_UP_REQUIRED") return {};
  const known = `errors.${error.reason}` as "errors.PATIENT_NOT_FOUND";
  if (t.has(known)) return { "": t(known) };
  return { "": error.status > 0 && error.status < 500 ? error.message : t("failed") };
}
