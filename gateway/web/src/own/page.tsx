/** Who has looked at my record: what surrounds it, and everything that can be instead of it. */
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { signOut } from "@/api/session";
import type { Language } from "@/i18n/language";
import { NotAnswered, type Own, ownRecords } from "./data";
import styles from "./own.module.css";
import { Record } from "./record";

const LANGUAGES: { [language in Language]: string } = { en: "English", es: "Español" };

interface Speaking {
  language: Language;
  choose: (language: Language) => void;
  prefer: (language: string) => void;
}

type State = { records: Own[] } | { failed: number } | undefined;

/** What was asked for, once it is there; asked again by the function. */
export function useAsked<T>(
  ask: () => Promise<T>,
): [T | undefined, number | undefined, () => void] {
  const [answer, settle] = useState<{ value?: T; failed?: number }>({});
  const again = useCallback(() => {
    settle({});
    ask().then(
      (value) => settle({ value }),
      (error) => settle({ failed: error instanceof NotAnswered ? error.status : 0 }),
    );
  }, [ask]);
  useEffect(again, [again]);
  return [answer.value, answer.failed, again];
}

export function Page({ language, choose, prefer }: Speaking) {
  const t = useTranslations("own");
  const [records, failed, again] = useAsked(ownRecords);
  const [chosen, look] = useState(0);
  const wanted = records?.[0]?.language;
  useEffect(() => prefer(wanted ?? ""), [prefer, wanted]);
  const state: State = records ? { records } : failed === undefined ? undefined : { failed };
  const isIn = failed !== 401;
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <b>CareHub</b>
        <fieldset className={styles.languages} aria-label={t("language")}>
          {Object.entries(LANGUAGES).map(([each, name]) => (
            <button
              key={each}
              type="button"
              lang={each}
              aria-pressed={each === language}
              onClick={() => choose(each as Language)}
            >
              {name}
            </button>
          ))}
        </fieldset>
        {isIn && (
          <button type="button" onClick={() => void leave()}>
            {t("signOut")}
          </button>
        )}
      </header>
      <main className={styles.main}>
        <Body state={state} again={again} chosen={chosen} look={look} />
      </main>
      <footer className={styles.foot}>
        {records && <p>{t("wrong")}</p>}
        <p>
          <b>{t("call911")}</b>
        </p>
      </footer>
    </div>
  );
}

interface Choosing {
  state: State;
  again: () => void;
  chosen: number;
  look: (at: number) => void;
}

function Body({ state, again, chosen, look }: Choosing) {
  const t = useTranslations("own");
  if (!state) return <Waiting />;
  if ("failed" in state) return <Instead status={state.failed} again={again} />;
  const record = state.records[chosen];
  if (!record) return <Instead status={403} again={again} />;
  return (
    <>
      {state.records.length > 1 && (
        <nav className={styles.whose} aria-label={t("whose")}>
          {state.records.map((each, at) => (
            <button
              key={each.patientId}
              type="button"
              aria-pressed={at === chosen}
              onClick={() => look(at)}
            >
              {each.relation === "RELATION_SELF" ? t("mine") : <bdi>{each.name}</bdi>}
            </button>
          ))}
        </nav>
      )}
      <Record key={record.patientId} record={record} />
    </>
  );
}

/** Nothing for a moment, then a sentence. */
export function Waiting() {
  const t = useTranslations("own");
  return (
    <p className={styles.waiting} role="status">
      {t("loading")}
    </p>
  );
}

export function Instead({ status, again }: { status: number; again: () => void }) {
  const t = useTranslations("own");
  if (status === 401) {
    return (
      <Card title={t("signIn.title")} text={t("signIn.text")}>
        <a className={styles.do} href="/signin?next=/my">
          {t("signIn.button")}
        </a>
      </Card>
    );
  }
  if (status === 403 || status === 404) {
    return (
      <Card title={t("none.title")} text={t("none.text")}>
        <a href="/">{t("none.staff")}</a>
      </Card>
    );
  }
  return (
    <Card title={t("failed.title")} text={t("failed.text")}>
      <button type="button" className={styles.do} onClick={again}>
        {t("failed.button")}
      </button>
    </Card>
  );
}

function Card({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <section className={styles.instead}>
      <h1>{title}</h1>
      <p>{text}</p>
      {children}
    </section>
  );
}

async function leave() {
  location.assign(await signOut("/my").catch(() => "/my"));
}
