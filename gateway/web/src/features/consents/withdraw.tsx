/** Takes a consent back: shows what that changes, and asks once. */
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { Confirm, useOnceConfirmed } from "@/features/signin/confirm";
import { Summary } from "@/features/staff/errors";
import { Dialog } from "@/ui/dialog";
import { Loaded } from "@/ui/states";
import styles from "./consents.module.css";
import { EffectOf } from "./effect";
import { type Consent, useWithdraw, useWithdrawalPreview } from "./hooks";
import { useConsentWords } from "./use-words";
import { sentenceOf } from "./words";
import { isOvertaken, mustConfirm, useConsentWrongs } from "./wrongs";

interface Props {
  consent: Consent;
  close: () => void;
  finish: (withdrawn: Consent) => void;
  reload: () => void;
}

/** Why the consent releases nothing once it has ended needs no telling. */
const NONE: string[] = [];

export function WithdrawDialog({ consent, close, finish, reload }: Props) {
  const t = useTranslations("consents");
  const words = useConsentWords(consent.patientId)(consent.facilityId);
  const preview = useWithdrawalPreview(consent);
  const withdraw = useWithdraw(consent.patientId);
  const wrongsOf = useConsentWrongs();
  const isBlocked = mustConfirm(withdraw.error);
  // What is listed is asked for again meanwhile: a callback of `mutate` might go away with its line.
  const send = () =>
    void withdraw.mutateAsync(consent).then(
      (answer) => finish(answer as Consent),
      () => undefined, // shown from withdraw.error
    );
  useOnceConfirmed(isBlocked, send);
  return (
    <Dialog
      close={close}
      title={t("withdrawal.title")}
      closeLabel={t("withdrawal.no")}
      size="lg"
      isAtTop
    >
      <div className={styles.form}>
        <Summary wrongs={wrongsOf(withdraw.error)} />
        <p className={styles.sentence}>{sentenceOf(consent, words)}</p>
        <p className={styles.about}>{t("withdrawal.text")}</p>
        <h2>{t("effect.title")}</h2>
        {consent.state === "STATE_PENDING" ? (
          <p>{t("effect.pending")}</p>
        ) : (
          <Loaded query={preview} title={t("effect.failed")} shape="card">
            {({ effects }) => <EffectOf preview={{ effects, remarks: NONE }} means={words} />}
          </Loaded>
        )}
        {isBlocked && <Confirm text={t("confirmText")} />}
        <div className={styles.actions}>
          {isOvertaken(withdraw.error) ? (
            <Button onClick={reload}>{t("reload")}</Button>
          ) : (
            <Button
              variant="outline"
              className={styles.danger}
              loading={withdraw.isPending}
              disabled={isBlocked}
              onClick={send}
            >
              {t("withdrawal.yes")}
            </Button>
          )}
          <Button variant="default" onClick={close}>
            {t("withdrawal.no")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
