/** The telephones of a demo hub: what came, in the words that were sent, and answers in the patient's place. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { IconDeviceMobile, IconDeviceMobileOff } from "@tabler/icons-react";
import { Link, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { api, read, type TelephoneEntry } from "@/api/client";
import { useMay } from "@/api/queries";
import { phoneWords } from "@/features/patients/person";
import { Page } from "@/ui/page";
import { ShowMore } from "@/ui/show-more";
import { Empty, Loaded } from "@/ui/states";
import { useHomeZone, useWhen } from "@/ui/when";
import { hasNoTelephone, useChange, useContact, useTelephone } from "./hooks";
import styles from "./messaging.module.css";
import { Problem } from "./problem";

const ANSWERS = ["1", "2", "R"] as const;
const BARRIERS = ["1", "2", "3", "4", "5", "6", "7"] as const;
const MOST_TEXT = 480;

export function TelephonePage() {
  const t = useTranslations("messaging.telephone");
  const { patient = "" } = useSearch({ from: "/shell/telephone" });
  const telephone = useTelephone(patient);
  return (
    <Page title={t("title")}>
      <p className={styles.small}>{t("text")}</p>
      {hasNoTelephone(telephone.error) ? (
        <Empty icon={<IconDeviceMobileOff size={22} stroke={1.9} />} title={t("off")}>
          {t("offText")}
        </Empty>
      ) : (
        <Loaded query={telephone} title={t("failed")} shape="card">
          {(entries) =>
            entries.length === 0 ? (
              <Empty icon={<IconDeviceMobile size={22} stroke={1.9} />} title={t("none")}>
                {t("noneText")}
              </Empty>
            ) : (
              <>
                <Telephones entries={entries} />
                <ShowMore query={telephone}>{t("more")}</ShowMore>
              </>
            )
          }
        </Loaded>
      )}
    </Page>
  );
}

/** One telephone at a time; the one that something came to last stands first. */
function Telephones({ entries }: { entries: TelephoneEntry[] }) {
  const t = useTranslations("messaging.telephone");
  const numbers = [...new Set(entries.map(({ phone }) => phone))];
  const [chosen, choose] = useState("");
  const phone = numbers.includes(chosen) ? chosen : (numbers[0] ?? "");
  const shown = entries.filter((entry) => entry.phone === phone);
  return (
    <div className={styles.telephones}>
      {numbers.length > 1 && (
        <NativeSelect
          label={t("which")}
          value={phone}
          onChange={(event) => choose(event.currentTarget.value)}
          data={numbers.map((number) => ({ value: number, label: phoneWords(number) }))}
        />
      )}
      <Telephone key={phone} phone={phone} entries={shown} />
    </div>
  );
}

function Telephone({ phone, entries }: { phone: string; entries: TelephoneEntry[] }) {
  const t = useTranslations("messaging.telephone");
  const patientId = entries[0]?.patientId ?? "";
  const { data: contact } = useContact(patientId);
  const end = useRef<HTMLDivElement>(null);
  const newest = entries[0]?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new comes into sight
  useEffect(() => {
    const box = end.current;
    if (box) box.scrollTop = box.scrollHeight;
  }, [newest]);
  return (
    <section aria-labelledby="phone" className={styles.phone}>
      <header className={styles.phoneHead}>
        <h2 id="phone">
          <bdi>{phoneWords(phone)}</bdi>
        </h2>
        <Link to="/patients/$patientId/messages" params={{ patientId }} className={styles.link}>
          {t("whose")}
        </Link>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard */}
      <div ref={end} className={styles.screen} role="log" aria-label={t("log")} tabIndex={0}>
        {[...entries].reverse().map((entry) => (
          <Bubble key={entry.id} entry={entry} language={contact?.language ?? ""} />
        ))}
      </div>
      {useMay("threads.write") && <Answers phone={phone} />}
    </section>
  );
}

function Bubble({ entry, language }: { entry: TelephoneEntry; language: string }) {
  const t = useTranslations("messaging.telephone");
  const when = useWhen();
  const zone = useHomeZone();
  const isWritten = entry.direction === "DIRECTION_WRITTEN";
  const at = entry.time ? when.moment(new Date(entry.time), zone) : "";
  const how = entry.channel === "voice" ? t("called", { at }) : t("came", { at });
  return (
    <div className={styles.bubble} data-is-written={isWritten}>
      <p lang={language || undefined} className={styles.words}>
        <bdi>{entry.text}</bdi>
      </p>
      <p className={styles.at}>{isWritten ? t("written", { at }) : how}</p>
    </div>
  );
}

function Answers({ phone }: { phone: string }) {
  const t = useTranslations("messaging.telephone");
  const { send, problem, isBusy } = useChange();
  const [text, write] = useState("");
  const answer = (words: string) =>
    send(read(api.POST("/v1/telephone:answer", { body: { phone, text: words } })));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() && (await answer(text.trim()))) write("");
  };
  return (
    <div className={styles.answers}>
      <div role="group" aria-label={t("answer")} className={styles.keys}>
        {ANSWERS.map((key) => (
          <Button key={key} variant="default" disabled={isBusy} onClick={() => void answer(key)}>
            {t(`answers.${key}`)}
          </Button>
        ))}
        <Button variant="default" disabled={isBusy} onClick={() => void answer("STOP")}>
          {t("answers.STOP")}
        </Button>
      </div>
      <details className={styles.more}>
        <summary>{t("why")}</summary>
        <div role="group" aria-label={t("why")} className={styles.keys}>
          {BARRIERS.map((key) => (
            <Button key={key} variant="default" disabled={isBusy} onClick={() => void answer(key)}>
              {t(`barriers.${key}`)}
            </Button>
          ))}
        </div>
      </details>
      <form onSubmit={(event) => void submit(event)} className={styles.write}>
        <TextInput
          label={t("own")}
          maxLength={MOST_TEXT}
          autoComplete="off"
          value={text}
          onChange={(event) => write(event.currentTarget.value)}
        />
        <Button type="submit" disabled={isBusy || !text.trim()}>
          {t("send")}
        </Button>
      </form>
      <Problem>{problem}</Problem>
    </div>
  );
}
