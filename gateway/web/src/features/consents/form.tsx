/** Records a consent, or has one say something else: first what it says, then what that changes, then one button. */
import { Button } from "@mantine/core";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { useMe } from "@/api/queries";
import { Confirm, useOnceConfirmed } from "@/features/signin/confirm";
import { Summary, type Wrongs } from "@/features/staff/errors";
import { Card } from "@/ui/page";
import { useNow, useZone } from "@/ui/when";
import styles from "./consents.module.css";
import { consentOf, type Draft, dayOf, draftOf, missingIn, newDraft } from "./draft";
import { EffectOf } from "./effect";
import { Fields } from "./fields";
import { type Consent, type ConsentBody, type Preview, usePreview, useSaveConsent } from "./hooks";
import { useConsentWords } from "./use-words";
import { sentenceOf } from "./words";
import { isOvertaken, mustConfirm, useConsentWrongs } from "./wrongs";

interface Props {
  patient: Patient;
  /** The consent that it changes; absent: a new one. */
  changes?: Consent;
  close: () => void;
  finish: (saved: Consent) => void;
  /** Begin again from what somebody else has made of it. */
  reload: () => void;
}

export function ConsentForm({ patient, changes, close, finish, reload }: Props) {
  const t = useTranslations("consents.form");
  const now = useNow();
  const places = usePlaces(patient);
  const zoneOfChanged = useZone(changes?.facilityId ?? places[0] ?? "");
  const [draft, set] = useState<Draft>(() =>
    changes ? draftOf(changes, zoneOfChanged) : newDraft(places[0] ?? "", now, zoneOfChanged),
  );
  const [missing, setMissing] = useState<Wrongs>({});
  const [isLooking, look] = useState(false);
  const preview = usePreview();
  const consent = useBody(draft, patient.id, changes);
  const wrongsOf = useConsentWrongs();
  const needed = useTranslations("consents.needed");
  const confirmText = useTranslations("consents")("confirmText");
  const zone = useZone(draft.facilityId);
  const isBlocked = mustConfirm(preview.error);
  const ask = () => {
    const asked = { consent: consent(), consentId: changes?.id };
    preview.mutate(asked, { onSuccess: () => look(true) });
  };
  useOnceConfirmed(isBlocked, ask);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = missingIn(draft, dayOf(now, zone));
    setMissing(Object.fromEntries(found.map(([field, what]) => [field, needed(what)])));
    if (found.length > 0) return;
    ask();
  };
  const wrongs = Object.keys(missing).length > 0 ? missing : wrongsOf(preview.error);
  if (isLooking && preview.data) {
    return (
      <Looking
        {...{ patient, changes, finish, reload }}
        consent={consent()}
        preview={preview.data}
        back={() => look(false)}
      />
    );
  }
  return (
    <>
      <header className={styles.head}>
        <Headline words={changes ? t("changeTitle") : t("newTitle")} />
      </header>
      {changes && <p className={styles.about}>{t("changeText")}</p>}
      <Card className={styles.sheet}>
        <form className={styles.form} onSubmit={submit} noValidate>
          <Summary wrongs={wrongs} />
          <Fields
            draft={draft}
            patientId={patient.id}
            places={places}
            isFixed={Boolean(changes)}
            wrongs={wrongs}
            change={(part) => set((old) => ({ ...old, ...part }))}
          />
          {isBlocked && <Confirm text={confirmText} />}
          <div className={styles.actions}>
            {isOvertaken(preview.error) ? (
              <Overtaken reload={reload} />
            ) : (
              <Button type="submit" loading={preview.isPending} disabled={isBlocked}>
                {t("look")}
              </Button>
            )}
            <Button variant="default" onClick={close}>
              {changes ? t("cancelChange") : t("cancel")}
            </Button>
          </div>
        </form>
      </Card>
    </>
  );
}

/** A new page takes the place of the old one: whoever listens begins at its headline. */
function Headline({ words }: { words: string }) {
  const line = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    line.current?.focus();
    window.scrollTo(0, 0);
  }, []);
  return (
    <h1 ref={line} tabIndex={-1} className={styles.headline}>
      {words}
    </h1>
  );
}

function Overtaken({ reload }: { reload: () => void }) {
  const t = useTranslations("consents");
  return <Button onClick={reload}>{t("reload")}</Button>;
}

interface LookingProps extends Pick<Props, "patient" | "changes" | "finish" | "reload"> {
  consent: ConsentBody;
  preview: Preview;
  back: () => void;
}

/** What it says and what it changes, to be read to the patient; then it is saved, or gone back on. */
function Looking({ patient, changes, finish, reload, consent, preview, back }: LookingProps) {
  const t = useTranslations("consents");
  const words = useConsentWords(patient.id)(consent.facilityId);
  const save = useSaveConsent(patient.id);
  const wrongsOf = useConsentWrongs();
  // One for each time that it is looked at: what was changed in between is another consent.
  const [requestId] = useState(() => crypto.randomUUID());
  const isBlocked = mustConfirm(save.error);
  const said = { ...NOTHING, ...consent };
  const send = () =>
    save.mutate(
      { consent, changes, requestId },
      { onSuccess: (saved) => finish(saved as Consent) },
    );
  useOnceConfirmed(isBlocked, send);
  const isOptOut = said.decision === "DECISION_DENY" && said.recipientIds.length === 0;
  const now = useNow();
  const starts = new Date(consent.startTime ?? 0);
  return (
    <>
      <header className={styles.head}>
        <Headline words={t("effect.before")} />
      </header>
      <Card className={styles.sheet}>
        <div className={styles.form}>
          <Summary wrongs={wrongsOf(save.error)} />
          <section aria-labelledby="says">
            <h2 id="says">{t("effect.says")}</h2>
            <p className={styles.sentence}>{sentenceOf(said, words)}</p>
            {isOptOut && <p className={styles.about}>{t("effect.limits")}</p>}
          </section>
          <section aria-labelledby="changes">
            <h2 id="changes">{t("effect.title")}</h2>
            {starts > now && <p>{t("effect.begins", { when: words.moment(starts) })}</p>}
            <EffectOf preview={preview} means={words} ifNothing={t("effect.nothingText")} />
          </section>
          {isBlocked && <Confirm text={t("confirmText")} />}
          <div className={styles.actions}>
            {isOvertaken(save.error) ? (
              <Overtaken reload={reload} />
            ) : (
              <Button loading={save.isPending} disabled={isBlocked} onClick={send}>
                {changes ? t("effect.saveChange") : t("effect.save")}
              </Button>
            )}
            <Button variant="default" onClick={back}>
              {t("effect.back")}
            </Button>
          </div>
        </div>
      </Card>
    </>
  );
}

const NOTHING = { recipientIds: [], sourceIds: [], purposes: [], labels: [], dataClasses: [] };

/** One's own facilities that know the patient; all of one's own where that is not told. */
function usePlaces(patient: Patient): string[] {
  const { facilityIds } = useMe();
  const known = facilityIds.filter((id) => patient.facilityIds.includes(id));
  return known.length > 0 ? known : facilityIds;
}

function useBody(draft: Draft, patientId: string, before: Consent | undefined) {
  const now = useNow();
  const zone = useZone(draft.facilityId);
  const [evidenceId] = useState(() => crypto.randomUUID());
  return () => consentOf(draft, { patientId, zone, now, before, evidenceId });
}
