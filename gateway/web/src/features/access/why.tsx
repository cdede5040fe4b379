/** Why somebody may see a patient, or not: the facts that decide, in words. */
import { NativeSelect, Select } from "@mantine/core";
import { IconCheck, IconLock } from "@tabler/icons-react";
import { useId, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { Explanation, Patient } from "@/api/client";
import { useFacilities, useMay, useMe, useStaff } from "@/api/queries";
import { Card } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { useHomeZone, useWhen } from "@/ui/when";
import styles from "./access.module.css";
import { type Answer, useExplanation } from "./hooks";
import { alike, borne, howMuch, untilOf, wordOf } from "./words";

type Line = Answer["lines"][number];

export function Why({ patient }: { patient: Patient }) {
  const t = useTranslations("access.why");
  const mayAsk = useMay("access.explain");
  const [personId, setPerson] = useState("");
  const [source, setSource] = useState("");
  const facilities = useFacilities();
  const asked = useExplanation({ patientId: patient.id, personId, sourceFacilityId: source });
  const places = patient.facilityIds.map((id) => ({
    value: id,
    label: facilities.get(id)?.name ?? id,
  }));
  return (
    <>
      <p className={styles.about}>{mayAsk ? t("about") : t("aboutMine")}</p>
      <div className={styles.asking}>
        {mayAsk && <Person personId={personId} choose={setPerson} />}
        {places.length > 1 && (
          <NativeSelect
            label={t("source")}
            value={source || asked.data?.sourceFacilityId || places[0]?.value}
            onChange={(event) => setSource(event.currentTarget.value)}
            data={places}
          />
        )}
      </div>
      <Loaded query={asked} title={t("failed")} shape="card">
        {(found) => <Found explanation={found} isMe={!personId} />}
      </Loaded>
    </>
  );
}

function Person({ personId, choose }: { personId: string; choose: (id: string) => void }) {
  const t = useTranslations("access.why");
  const me = useMe();
  const staff = useStaff();
  const people = staff
    .filter(({ id }) => id !== me.staffMember.id)
    .map(({ id, displayName, account }) => ({ value: id, label: `${displayName} (${account})` }));
  return (
    <Select
      label={t("person")}
      description={t("personHint")}
      data={[{ value: me.staffMember.id, label: t("myself") }, ...people]}
      value={personId || me.staffMember.id}
      onChange={(value) => choose(value === me.staffMember.id ? "" : (value ?? ""))}
      searchable
      allowDeselect={false}
      nothingFoundMessage={t("nobody")}
      className={styles.person}
    />
  );
}

function Found({ explanation, isMe }: { explanation: Explanation; isMe: boolean }) {
  const t = useTranslations("access.why");
  const answers = borne(explanation.answers);
  const isOrdinary = ({ labels }: Answer) => labels.includes("LABEL_NORMAL");
  const ordinary = answers.filter(isOrdinary);
  const sensitive = answers.filter((answer) => !isOrdinary(answer));
  const key = howMuch(ordinary);
  return (
    <div aria-live="polite" className={styles.found}>
      <h2>{isMe ? t(`mine.${key}`) : t(`theirs.${key}`)}</h2>
      <Card>
        <ul className={styles.answers}>
          {ordinary.map((answer) => (
            <AnswerItem key={answer.dataClasses.join()} answer={answer} isMe={isMe} />
          ))}
        </ul>
      </Card>
      {sensitive.length > 0 && <Sensitive answers={sensitive} />}
    </div>
  );
}

/** Of each label, for privacy officers; labels for which the same holds together. Closed: nobody reads it over a shoulder. */
function Sensitive({ answers }: { answers: Answer[] }) {
  const t = useTranslations("access");
  const format = useFormatter();
  return (
    <details className={styles.sensitive}>
      <summary>{t("why.sensitive")}</summary>
      <p className={styles.small}>{t("why.sensitiveText")}</p>
      {alike(answers).map(({ labels, answers: theirs }) => (
        <section key={labels.join()} aria-labelledby={labels.join("-")}>
          <h3 id={labels.join("-")}>
            {format.list(labels.map((label) => t(`labels.${label as "HIV"}`)))}
          </h3>
          <ul className={styles.answers}>
            {theirs.map((answer) => (
              <AnswerItem key={answer.dataClasses.join()} answer={answer} />
            ))}
          </ul>
        </section>
      ))}
    </details>
  );
}

const EVERY_CLASS = 8;

function AnswerItem({ answer, isMe = false }: { answer: Answer; isMe?: boolean }) {
  const t = useTranslations("access");
  const format = useFormatter();
  const id = useId();
  const { dataClasses, isAllowed, lines } = answer;
  const classes =
    dataClasses.length === EVERY_CLASS
      ? t("classes.ALL")
      : format.list(dataClasses.map((each) => t(`classes.${wordOf(each) as "VISITS"}`)));
  return (
    <li className={styles.answer} data-is-allowed={isAllowed} aria-labelledby={id}>
      {isAllowed ? (
        <IconCheck size={16} stroke={1.9} aria-hidden="true" />
      ) : (
        <IconLock size={16} stroke={1.9} aria-hidden="true" />
      )}
      <div>
        <p id={id} className={styles.verdict}>
          {isAllowed ? t("why.shown", { classes }) : t("why.notShown", { classes })}
        </p>
        <ul className={styles.lines}>
          {lines.map((line) => (
            <li key={`${line.key} ${line.factId} ${line.params.reason ?? ""}`}>
              <Sentence line={line} isMe={isMe} />
            </li>
          ))}
        </ul>
      </div>
    </li>
  );
}

/** The sentence in the reader's language; the API's English for a fact that this version does not know. */
function Sentence({ line, isMe }: { line: Line; isMe: boolean }) {
  const t = useTranslations("access");
  const format = useFormatter();
  const when = useWhen();
  const zone = useHomeZone();
  const mine = line.key.replace("allowed.", "mine.") as "mine.TREATED";
  const known = isMe && t.has(mine) ? mine : (`lines.${line.key}` as "lines.allowed.TREATED");
  if (!t.has(known)) return line.sentence;
  const until = untilOf(line.params.until);
  const reason = `reasons.${line.params.reason ?? ""}` as "reasons.TREATED";
  const labels = (line.params.labels ?? "").split(", ").filter(Boolean);
  return t(known, {
    isEnding: until ? "yes" : "no",
    until: until ? when.moment(until, zone) : "",
    reason: t.has(reason) ? t(reason) : (line.params.reason ?? ""),
    labels: format.list(labels.map((each) => t(`labels.${each as "HIV"}`))),
  });
}
