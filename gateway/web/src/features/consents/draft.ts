/** What is typed in the form, what is missing in it, and the consent that it makes. Pure. */
import { dayIn, partsIn, startOfDay } from "@/ui/moments";
import type { Consent, ConsentBody } from "./hooks";
import {
  DATA_CLASSES,
  type DataClass,
  type Decision,
  type Form,
  type Label,
  NEEDS_SIGNATURE,
  type Purpose,
} from "./terms";

export interface Draft {
  decision: Decision;
  recipientIds: string[];
  sourceIds: string[];
  purposes: Purpose[];
  labels: Label[];
  dataClasses: DataClass[];
  /** Days such as "2027-05-03"; "" where nobody chose one. */
  given: string;
  start: string;
  /** The last day on which it holds. */
  end: string;
  form: Form;
  hasEvidence: boolean;
  evidenceId: string;
  evidenceNote: string;
  givenById: string;
  facilityId: string;
}

type Scope = Pick<Draft, "purposes" | "labels" | "dataClasses">;

/** A permission names what it covers; a refusal that names nothing covers everything. */
const SCOPES: Record<"permit" | "deny", Scope> = {
  permit: {
    purposes: ["PURPOSE_TREATMENT", "PURPOSE_CARE_COORDINATION"],
    labels: ["LABEL_NORMAL"],
    dataClasses: [...DATA_CLASSES],
  },
  deny: { purposes: [], labels: [], dataClasses: [] },
};

export const scopeOf = (decision: Decision): Scope =>
  SCOPES[decision === "DECISION_PERMIT" ? "permit" : "deny"];

/** The day that a moment is on at a place: "2027-05-03". */
export function dayOf(at: Date, zone: string): string {
  const { year, month, day } = partsIn(zone, at);
  return [year, String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}

export function newDraft(facilityId: string, now: Date, zone: string): Draft {
  return {
    ...scopeOf("DECISION_PERMIT"),
    decision: "DECISION_PERMIT",
    recipientIds: [],
    sourceIds: [],
    given: dayOf(now, zone),
    start: "",
    end: "",
    form: "FORM_ELECTRONIC",
    hasEvidence: false,
    evidenceId: "",
    evidenceNote: "",
    givenById: "",
    facilityId,
  };
}

export function draftOf(consent: Consent, zone: string): Draft {
  const { decision, recipientIds, sourceIds, purposes, labels, dataClasses, form } = consent;
  const { giveTime, startTime, endTime, evidenceId, evidenceNote, givenById, facilityId } = consent;
  return {
    ...{ decision, recipientIds, sourceIds, purposes, labels, dataClasses, form },
    given: dayOf(new Date(giveTime), zone),
    start: startTime > giveTime ? dayOf(new Date(startTime), zone) : "",
    end: endTime ? dayOf(new Date(endTime), zone) : "",
    hasEvidence: Boolean(evidenceId),
    ...{ evidenceId, evidenceNote, givenById, facilityId },
  };
}

export type Missing =
  | "purposes"
  | "labels"
  | "dataClasses"
  | "evidence"
  | "reference"
  | "given"
  | "givenLater"
  | "endFirst"
  | "signature"
  | "place";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type Found = readonly [field: string, what: Missing];

/** What is wrong, by field, as far as the form can tell; the service has the last word. */
export function missingIn(draft: Draft, today: string): Found[] {
  const { given, start, end, evidenceId } = draft;
  const isPermit = draft.decision === "DECISION_PERMIT";
  const checks: [boolean, ...Found][] = [
    ...(isPermit ? ofPermit(draft) : []),
    [!given, "given", "given"],
    [given > today, "given", "givenLater"],
    [Boolean(end) && (end < given || end < start), "end", "endFirst"],
    [Boolean(evidenceId) && !UUID.test(evidenceId), "evidenceId", "reference"],
    [!draft.facilityId, "facilityId", "place"],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, field, what]) => [field, what]);
}

function ofPermit(draft: Draft): [boolean, ...Found][] {
  const { purposes, labels, dataClasses, form, hasEvidence, evidenceId } = draft;
  const isSensitive = NEEDS_SIGNATURE.some((each) => labels.includes(each));
  return [
    [purposes.length === 0, "purposes", "purposes"],
    [labels.length === 0, "labels", "labels"],
    [dataClasses.length === 0, "dataClasses", "dataClasses"],
    [form === "FORM_VERBAL" && isSensitive, "form", "signature"],
    [!hasEvidence && !evidenceId, "hasEvidence", "evidence"],
  ];
}

interface Around {
  patientId: string;
  zone: string;
  now: Date;
  /** What it changes. A day that nobody changed stays the moment that it was. */
  before?: Consent;
  /** For evidence that has no id yet. */
  evidenceId: string;
}

const LAST_MS = 1_000;

/** The consent as it is sent. It ends in the last second of its last day. */
export function consentOf(draft: Draft, around: Around): ConsentBody {
  const { patientId, zone, now, before } = around;
  const { given, start, end, hasEvidence, evidenceId, ...said } = draft;
  const old = before && draftOf(before, zone);
  const times: Pick<ConsentBody, "giveTime" | "startTime" | "endTime"> = {};
  if (old?.given === given) times.giveTime = before?.giveTime;
  else if (dayIn(zone, now) !== dayIn(zone, startOfDay(given, zone))) {
    times.giveTime = startOfDay(given, zone).toISOString();
  }
  if (start) {
    times.startTime =
      old?.start === start ? before?.startTime : startOfDay(start, zone).toISOString();
  }
  if (end) times.endTime = old?.end === end ? before?.endTime : endOfDay(end, zone);
  return {
    ...said,
    ...times,
    patientId,
    evidenceId: evidenceId || (hasEvidence ? around.evidenceId : ""),
    evidenceNote: said.evidenceNote.trim(),
  };
}

function endOfDay(day: string, zone: string): string {
  const next = new Date(Date.parse(`${day}T12:00:00Z`) + 24 * 3_600_000).toISOString().slice(0, 10);
  return new Date(startOfDay(next, zone).getTime() - LAST_MS).toISOString();
}
