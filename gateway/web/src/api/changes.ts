/** Which answers are old after what was heard on the stream. Pure. */
import type { Change, Frame, Kind } from "./stream/frames";

/** What was heard and has not been asked yet. */
export interface Waiting {
  /** Everything is to be looked at. */
  isAll: boolean;
  changes: ReadonlyMap<string, Change>;
}

export const NOTHING_WAITS: Waiting = { isAll: false, changes: new Map() };
const ALL: Waiting = { isAll: true, changes: new Map() };
/** More than that, and asking for everything is cheaper than thinking about it. */
const MOST = 300;

/** Take in what was heard: each thing once. */
export function gathered(waiting: Waiting, frames: readonly Frame[]): Waiting {
  if (waiting.isAll) return waiting;
  const changes = new Map(waiting.changes);
  for (const frame of frames) {
    if (frame.kind === "resync") return ALL;
    changes.set(`${frame.kind} ${frame.id}`, frame);
  }
  return changes.size > MOST ? ALL : { isAll: false, changes };
}

type Key = readonly unknown[];

function ofPlans(what: string): (key: Key, change: Change) => boolean {
  return ([holds, of, part], { patientId }) =>
    holds === "plans" && of === patientId && part === what;
}

/** The keys of our queries begin with what they hold. Lists of a patient name the patient next. */
const TOUCHES: Record<Kind, (key: Key, change: Change) => boolean> = {
  task([holds, by, of], { id, patientId }) {
    if (holds === "time") return by === patientId;
    if (holds !== "tasks") return false;
    if (by === "worklist" || by === "counts") return true;
    return by === "one" ? of === id : of === patientId;
  },
  loop([holds, by, of], { id, patientId }) {
    if (holds === "claims") return by === "list" || of === id;
    return holds === "loops" && of === patientId;
  },
  patient: ([holds, of], { id }) => holds === "patients" && of === id,
  encounter: ([holds, of, part], { patientId }) =>
    holds === "patients" && of === patientId && part === "encounters",
  appointment: ([holds, by, of], { id, patientId }) =>
    holds === "appointments" && (by === "day" || by === "slots" || of === id || of === patientId),
  observation: ([holds, of, part], { patientId }) =>
    holds === "patients" && of === patientId && part === "observations",
  feed: ([holds]) => holds === "feeds",
  care_plan: ofPlans("plans"),
  reconciliation: ofPlans("reconciliation"),
  preferences: ofPlans("preferences"),
  thread([holds, by, of], { id, patientId }) {
    if (holds !== "threads") return false;
    return by === "one" ? of === id : of === patientId;
  },
  message: ([holds, of], { patientId }) =>
    holds === "telephone" || (holds === "messages" && of === patientId),
  referral: ([holds, of], { patientId }) => holds === "referrals" && of === patientId,
  risk: ([holds, of], { patientId }) => holds === "risks" && of === patientId,
};

const TOLD_OF: readonly unknown[] = [
  "tasks",
  "loops",
  "patients",
  "appointments",
  "claims",
  "time",
  "feeds",
  "plans",
  "threads",
  "messages",
  "telephone",
  "referrals",
  "risks",
];

/** Whether a query's answer may be old now. */
export function isTouched({ isAll, changes }: Waiting, key: Key): boolean {
  if (isAll) return TOLD_OF.includes(key[0]);
  for (const change of changes.values()) if (TOUCHES[change.kind](key, change)) return true;
  return false;
}
