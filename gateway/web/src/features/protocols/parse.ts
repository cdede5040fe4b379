/** A protocol's text as the shape that the picture is drawn from. Tolerant: what is wrong is the server's to say. */
import { LineCounter, parseDocument } from "yaml";

export type Anchor = "admission" | "discharge";

export interface Deadline {
  after: Anchor;
  unit: "business_days" | "calendar_days" | "hours";
  count: number;
  /** Empty: always. */
  when: string;
}

export interface Rung {
  /** Part of the time until the deadline, in percent; undefined: hours after it. */
  at?: number;
  hoursLate?: number;
  notify: string;
  by: string[];
}

export interface Outcome {
  key: string;
  title: string;
  completes: boolean;
}

export interface Step {
  key: string;
  title: string;
  description: string;
  role: string;
  when: string;
  start?: Deadline;
  deadlines: Deadline[];
  ladder: string;
  rungs: Rung[];
  outcomes: Outcome[];
  attempts?: { needed: number; hoursApart: number };
  shownBy: string;
  doneWhen: string[];
  alsoCounts: string[];
  neverCounts: string[];
  source: string;
  isRequired: boolean;
  /** Counted from 1; 0 when unknown. */
  line: number;
}

export interface Ending {
  reason: string;
  kind: "cancels" | "closes";
  description: string;
  source: string;
}

export interface Shape {
  key: string;
  title: string;
  effectiveFrom: string;
  sources: string[];
  conditions: Record<string, string>;
  trigger: { when: string; source: string };
  keyDates: { key: string; title: string; deadline?: Deadline; source: string }[];
  ladders: Record<string, Rung[]>;
  steps: Step[];
  endings: Ending[];
}

type Map_ = Record<string, unknown>;
const map = (value: unknown): Map_ =>
  value && typeof value === "object" && !Array.isArray(value) ? (value as Map_) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string =>
  typeof value === "string"
    ? value.trim()
    : value === undefined || value === null
      ? ""
      : `${value}`;
const lines = (value: unknown): string[] => list(value).map(text).filter(Boolean);

/** The shape of a text, or null while it is no YAML. */
export function parseProtocol(source: string): Shape | null {
  const counter = new LineCounter();
  const document = parseDocument(source, { lineCounter: counter, schema: "core" });
  if (document.errors.length > 0) return null;
  const root = map(document.toJS());
  const ladders = Object.fromEntries(
    Object.entries(map(root.ladders)).map(([key, rungs]) => [key, list(rungs).map(rung)]),
  );
  const lineOf = (at: number) => {
    const node = document.getIn(["steps", at], true) as { range?: [number] } | undefined;
    return node?.range ? counter.linePos(node.range[0]).line : 0;
  };
  return {
    key: text(root.key),
    title: text(root.title),
    effectiveFrom: text(root.effective_from),
    sources: lines(root.sources),
    conditions: Object.fromEntries(
      Object.entries(map(root.conditions)).map(([key, value]) => [key, text(value)]),
    ),
    trigger: { when: text(map(root.trigger).when), source: text(map(root.trigger).source) },
    keyDates: Object.entries(map(root.key_dates)).map(([key, value]) => ({
      key,
      title: text(map(value).title),
      deadline: deadlinesOf(map(value).deadline)[0],
      source: text(map(value).source),
    })),
    ladders,
    steps: list(root.steps).map((value, at) => step(map(value), ladders, lineOf(at))),
    endings: [...endings("cancels", root.cancels), ...endings("closes", root.closes)],
  };
}

function rung(value: unknown): Rung {
  const { at, hours_late, notify, by } = map(value);
  const percent = Number.parseFloat(text(at));
  return {
    at: Number.isFinite(percent) ? percent : undefined,
    hoursLate: hours_late === undefined ? undefined : Number(hours_late),
    notify: text(notify),
    by: lines(by),
  };
}

const UNITS = ["business_days", "calendar_days", "hours"] as const;

function deadlineOf(value: unknown): Deadline[] {
  const found = map(value);
  const unit = UNITS.find((one) => found[one] !== undefined);
  if (!unit) return [];
  const after: Anchor = found.after === "admission" ? "admission" : "discharge";
  return [{ after, unit, count: Number(found[unit]) || 0, when: text(found.when) }];
}

const deadlinesOf = (value: unknown): Deadline[] =>
  (Array.isArray(value) ? value : [value]).flatMap(deadlineOf);

const ALSO = /^also counts:\s*/i;
const NEVER = /^never counts:\s*/i;

function step(value: Map_, ladders: Record<string, Rung[]>, line: number): Step {
  const done = lines(value.done_when);
  const ladder = text(value.ladder) || "default";
  const attempts = map(value.attempts);
  const after = (pattern: RegExp) =>
    done.filter((one) => pattern.test(one)).map((one) => sentence(one.replace(pattern, "")));
  return {
    key: text(value.key),
    title: text(value.title),
    description: text(value.description),
    role: text(value.role),
    when: text(value.when),
    start: deadlinesOf(value.start)[0],
    deadlines: deadlinesOf(value.deadline),
    ladder,
    rungs: ladders[ladder] ?? [],
    outcomes: list(value.outcomes).map(outcome),
    attempts: value.attempts
      ? { needed: Number(attempts.needed) || 0, hoursApart: Number(attempts.hours_apart) || 0 }
      : undefined,
    shownBy: (Array.isArray(value.shown_by) ? value.shown_by : [value.shown_by])
      .map((one) => text(map(one).description))
      .filter(Boolean)
      .join(" "),
    doneWhen: done.filter((one) => !ALSO.test(one) && !NEVER.test(one)),
    alsoCounts: after(ALSO),
    neverCounts: after(NEVER),
    source: text(value.source),
    isRequired: value.is_required !== false,
    line,
  };
}

const sentence = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

function outcome(value: unknown): Outcome {
  const { key, title, completes } = map(value);
  return { key: text(key), title: text(title), completes: completes !== false };
}

function endings(kind: Ending["kind"], value: unknown): Ending[] {
  return list(value).map((one) => {
    const { reason, description, source } = map(one);
    return { kind, reason: text(reason), description: text(description), source: text(source) };
  });
}

/** Endings that read the same stand once. */
export function distinct(endings: readonly Ending[]): Ending[] {
  return endings.filter(
    (one, at) => endings.findIndex(({ description }) => description === one.description) === at,
  );
}
