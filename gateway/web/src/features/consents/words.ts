/** A consent and its effect as sentences, in the reader's language. Pure; `useConsentWords` gives it names and times. */
import type { useTranslations } from "use-intl";
import { wordOf } from "@/features/access/words";
import type { Consent, Rows } from "./hooks";
import { classesWith, DATA_CLASSES, type DataClass, LABELS, type Label } from "./terms";

export interface Means {
  t: ReturnType<typeof useTranslations<"consents">>;
  /** "a, b and c" */
  list: (words: readonly string[]) => string;
  /** Of a facility, an organization, a team or a person; undefined where it is not known. */
  nameOf: (id: string) => string | undefined;
  moment: (at: Date) => string;
}

type Said = Pick<
  Consent,
  "decision" | "recipientIds" | "sourceIds" | "purposes" | "labels" | "dataClasses"
> &
  Partial<Pick<Consent, "giveTime" | "startTime" | "endTime" | "state">>;

const TENSES: Partial<Record<Consent["state"], "past" | "future">> = {
  STATE_EXPIRED: "past",
  STATE_WITHDRAWN: "past",
  STATE_PENDING: "future",
};
/** Of so many labels it is shorter to say which are missing. */
const FEW = 3;

/** "Allows Riverside Clinic to see mental health records for treatment, until Mon 3 May 2027." */
export function sentenceOf(consent: Said, means: Means): string {
  const { t } = means;
  const isPermit = consent.decision === "DECISION_PERMIT";
  const nobody = isPermit ? t("who.treating") : t("who.everybody");
  return t(isPermit ? "sentence.permit" : "sentence.deny", {
    tense: TENSES[consent.state ?? "STATE_IN_FORCE"] ?? "present",
    who: namesOf(consent.recipientIds, means) || nobody,
    what: whatOf(consent, means, isPermit ? t("what.everything") : t("what.anything")),
    sources: namesOf(consent.sourceIds, means),
    hasSources: yes(consent.sourceIds.length > 0),
    purposes: purposesOf(consent, means),
    hasPurposes: yes(consent.purposes.length > 0),
    ...daysOf(consent, means),
  });
}

const yes = (isSo: boolean) => (isSo ? "yes" : "no");

/** It begins when it was given, unless somebody chose a later day. */
function daysOf({ giveTime, startTime, endTime }: Said, { moment }: Means) {
  const start = startTime && startTime > (giveTime ?? "") ? moment(new Date(startTime)) : "";
  const end = endTime ? moment(new Date(endTime)) : "";
  return { start, isStarting: yes(start !== ""), end, isEnding: yes(end !== "") };
}

/** "mental health records from Mercy Hospital, for treatment" */
export function rowsOf(rows: Rows, means: Means): string {
  const { t } = means;
  return t("rows", {
    what: whatOf(rows, means, t("what.everything")),
    sources: namesOf(rows.sourceIds, means),
    purposes: purposesOf(rows, means),
  });
}

/** The names, and how many have none that one may know. */
export function namesOf(ids: readonly string[], { t, list, nameOf }: Means): string {
  const names = ids.map(nameOf).filter((name) => name !== undefined);
  const count = ids.length - names.length;
  return list(
    count > 0 ? [...names.sort(byName), t("unknownName", { count })] : names.sort(byName),
  );
}

const byName = (a: string, b: string) => a.localeCompare(b);

function purposesOf({ purposes }: Pick<Said, "purposes">, { t, list }: Means): string {
  return list(purposes.map((each) => t(`purposes.${wordOf(each) as "TREATMENT"}`)));
}

type What = Pick<Said, "labels" | "dataClasses">;

/** Which rows: by sort where not all are meant, by how sensitive where not all are. None named is all. */
function whatOf({ labels, dataClasses }: What, means: Means, all: string): string {
  const { t, list } = means;
  const classes = classesOf(dataClasses, means);
  const [kinds, missing] = labelsOf(labels, means).map((words) => list(words));
  if (missing) return t(classes ? "what.sortsBut" : "what.allBut", { classes, missing });
  if (!kinds) return classes || all;
  return classes ? t("what.both", { classes, labels: kinds }) : kinds;
}

function classesOf(classes: readonly DataClass[], { t, list }: Means): string {
  if (classes.length === 0 || DATA_CLASSES.every((each) => classes.includes(each))) return "";
  const named = classesWith(classes).filter((each) => classes.includes(each));
  return list(named.map((each) => t(`classes.${wordOf(each) as "VISITS"}`)));
}

/**
 * The words of those that are meant, or of those that are not where these are few; neither where all are.
 * What is sent without a label never leaves its facility: it is told only where it is all there is.
 */
function labelsOf(labels: readonly Label[], { t }: Means): [meant: string[], missing: string[]] {
  const word = (each: Label) => t(`labels.${wordOf(each) as "HIV"}`);
  const named = LABELS.filter((each) => labels.includes(each));
  if (named.length === 0) return [labels.map(word), []];
  const missing = LABELS.filter((each) => !labels.includes(each));
  return missing.length > FEW ? [named.map(word), []] : [[], missing.map(word)];
}
