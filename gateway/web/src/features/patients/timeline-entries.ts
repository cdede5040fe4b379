/** One timeline out of visits, loops and tasks: what is to come, the latest first, then what was. Pure. */
import type { Encounter, Loop, Observation, Task } from "@/api/client";
import { type Panel, panelsOf } from "./results";

export type Kind = "visit" | "result" | "step" | "contact" | "loop";

interface Placed {
  id: string;
  at: string;
  facilityId: string;
}

/** What is asked for page by page, the newest first. */
export type Paged = "visit" | "result";

/** The place from which on older ones of a kind are missing. `at`: of the oldest that is here; empty if none is. */
export type Cut = Placed & { what: "older"; kind: Paged };

/** What happened or will: enough for words, and nothing in words yet. */
export type Entry = Placed &
  (
    | { what: "due" | "late"; kind: "step"; task: Task }
    | { what: "keyDate"; kind: "loop"; loop: Loop; title: string; explanation: string }
    | { what: "admitted" | "discharged"; kind: "visit"; encounter: Encounter }
    | { what: "results"; kind: "result"; observations: Observation[] }
    | { what: "done"; kind: "step"; task: Task; shownBy: string }
    | { what: "cancelled"; kind: "step"; task: Task }
    | { what: "attempt"; kind: "contact"; task: Task; number: number; index: number }
    | { what: "note"; kind: "contact"; task: Task; index: number }
    | { what: "opened" | "closed"; kind: "loop"; loop: Loop }
  );

export interface Timeline {
  /** The farthest first; what is late stands last, next to now. */
  future: Entry[];
  /** The newest first. */
  past: (Entry | Cut)[];
}

interface Story {
  encounters: readonly Encounter[];
  observations?: readonly Observation[];
  loops: readonly Loop[];
  tasks: readonly Task[];
  /** Of which there are older ones than those here. */
  cut?: readonly Paged[];
}

export function timelineOf(story: Story, now: Date): Timeline {
  const { encounters, observations = [], loops, tasks, cut = [] } = story;
  const entries = [
    ...encounters.flatMap(ofEncounter),
    ...panelsOf(observations).flatMap(ofPanel),
    ...loops.flatMap((loop) => ofLoop(loop, now)),
    ...tasks.flatMap((task) => ofTask(task, shownBy(task, loops), now)),
  ];
  const byTime = (a: Entry, b: Entry) => b.at.localeCompare(a.at) || a.id.localeCompare(b.id);
  const isAhead = (entry: Entry) => entry.what === "late" || Date.parse(entry.at) > now.getTime();
  const past = entries.filter((entry) => !isAhead(entry)).sort(byTime);
  return {
    future: entries.filter(isAhead).sort(byTime),
    past: cut.reduce<(Entry | Cut)[]>((all, kind) => withCut(all, kind, entries), past),
  };
}

/** Right after the oldest of its kind; at the end, if none of it is here. */
function withCut(past: (Entry | Cut)[], kind: Paged, entries: readonly Entry[]) {
  const oldest = entries
    .filter((entry) => entry.kind === kind)
    .reduce<Entry | null>((first, entry) => (first && first.at <= entry.at ? first : entry), null);
  const { at = "", facilityId = "" } = oldest ?? {};
  const place = past.findIndex((entry) => entry.at < at);
  const found: Cut = { id: `older-${kind}`, at, facilityId, what: "older", kind };
  return place < 0 ? [...past, found] : [...past.slice(0, place), found, ...past.slice(place)];
}

function ofEncounter(encounter: Encounter): Entry[] {
  const { id, facilityId, admitTime, dischargeTime } = encounter;
  const entries: Entry[] = [];
  if (admitTime) {
    entries.push({
      id: `${id}+`,
      at: admitTime,
      facilityId,
      what: "admitted",
      kind: "visit",
      encounter,
    });
  }
  if (dischargeTime) {
    entries.push({
      id: `${id}-`,
      at: dischargeTime,
      facilityId,
      what: "discharged",
      kind: "visit",
      encounter,
    });
  }
  return entries;
}

function ofPanel({ at, observations }: Panel): Entry[] {
  const [first] = observations;
  if (!first || !at) return [];
  const { id, facilityId } = first;
  return [{ id: `${id}r`, at, facilityId, what: "results", kind: "result", observations }];
}

/** That a loop opened and closed; of an open one also its end, which no task says. */
function ofLoop(loop: Loop, now: Date): Entry[] {
  const { id, facilityId, openTime, closeTime } = loop;
  const entries: Entry[] = [];
  if (openTime) {
    entries.push({ id: `${id}+`, at: openTime, facilityId, what: "opened", kind: "loop", loop });
  }
  if (closeTime) {
    entries.push({ id: `${id}-`, at: closeTime, facilityId, what: "closed", kind: "loop", loop });
  }
  const end = loop.keyDates.reduce<Loop["keyDates"][number] | null>(
    (last, date) => ((date.time ?? "") > (last?.time ?? "") ? date : last),
    null,
  );
  if (loop.state === "STATE_OPEN" && end?.time && Date.parse(end.time) > now.getTime()) {
    const { title, explanation, time } = end;
    entries.push({
      id: `${id}!`,
      at: time,
      facilityId,
      what: "keyDate",
      kind: "loop",
      loop,
      title,
      explanation,
    });
  }
  return entries;
}

/** The kind of what shows that a step is done, where it was not a person who said so: "ENCOUNTER", "REPLY", … */
function shownBy({ loopId, step, completedById }: Task, loops: readonly Loop[]): string {
  if (completedById) return "";
  const loop = loops.find(({ id }) => id === loopId);
  const isIt = (each: Loop["evidence"][number]) =>
    each.step === step && each.kind !== "CONTACT_ATTEMPTS";
  return loop?.evidence.find(isIt)?.kind ?? "";
}

function ofTask(task: Task, shownBy: string, now: Date): Entry[] {
  const { id, facilityId } = task;
  const entries: Entry[] = [];
  const attempts = [...task.attempts].sort((a, b) => (a.time ?? "").localeCompare(b.time ?? ""));
  attempts.forEach(({ time, result }, index) => {
    // Reaching somebody is told once, as the step that it completed.
    if (!time || (result === "RESULT_REACHED" && task.closeTime)) return;
    const number = index + 1;
    entries.push({
      id: `${id}a${index}`,
      at: time,
      facilityId,
      what: "attempt",
      kind: "contact",
      task: { ...task, attempts },
      number,
      index,
    });
  });
  task.comments.forEach(({ time }, index) => {
    if (time) {
      entries.push({
        id: `${id}c${index}`,
        at: time,
        facilityId,
        what: "note",
        kind: "contact",
        task,
        index,
      });
    }
  });
  const end = endOf(task, now);
  if (end) entries.push({ id, facilityId, kind: "step", task, shownBy, ...end });
  return entries;
}

function endOf(
  task: Task,
  now: Date,
): { at: string; what: "due" | "late" | "done" | "cancelled" } | null {
  if (task.state === "STATE_OPEN") {
    if (!task.dueTime) return null;
    return { at: task.dueTime, what: Date.parse(task.dueTime) < now.getTime() ? "late" : "due" };
  }
  if (!task.closeTime) return null;
  return { at: task.closeTime, what: task.state === "STATE_COMPLETED" ? "done" : "cancelled" };
}

/** Days between two moments, as nights in a bed are counted. */
export function nightsOf({ admitTime, dischargeTime }: Encounter): number {
  if (!admitTime || !dischargeTime) return 0;
  return Math.round((Date.parse(dischargeTime) - Date.parse(admitTime)) / 86_400_000);
}

const HOME = new Set(["", "01", "06", "08", "50", "81", "86"]);
const DIED = new Set(["20", "40", "41", "42"]);

/** Where somebody went, from the HL7 table 0112 code. */
export function whereTo(disposition: string): "home" | "other" | "died" | "against" {
  if (HOME.has(disposition)) return "home";
  if (DIED.has(disposition)) return "died";
  return disposition === "07" ? "against" : "other";
}
