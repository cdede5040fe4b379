/** What can be said to have happened with a task: an attempt to reach somebody, or an outcome that closes it. Pure. */
import type { Task } from "@/api/client";

export type AttemptResult =
  | "RESULT_REACHED"
  | "RESULT_LEFT_MESSAGE"
  | "RESULT_NO_ANSWER"
  | "RESULT_WRONG_NUMBER";

/** Who was told, and when they read it back. */
export interface ReadBack {
  toldName: string;
  time: string;
}

export type Outcome =
  | { kind: "attempt"; result: AttemptResult; closes: boolean }
  | { kind: "outcome"; key: string; closes: true };

const ATTEMPTS: Extract<Outcome, { kind: "attempt" }>[] = [
  { kind: "attempt", result: "RESULT_REACHED", closes: true },
  { kind: "attempt", result: "RESULT_LEFT_MESSAGE", closes: false },
  { kind: "attempt", result: "RESULT_NO_ANSWER", closes: false },
];
const WRONG_NUMBER: Outcome = { kind: "attempt", result: "RESULT_WRONG_NUMBER", closes: false };
/** Said by documenting attempts, not by choosing. */
const BY_ATTEMPTS = new Set(["reached", "attempts_met"]);
const MOST_BUTTONS = 3;

export const isContact = (task: Task): boolean => task.outcomes.includes("reached");
/** Whether somebody is to be called, and to be asked something: reaching them is not yet the answer. */
const asks = (task: Task): boolean => task.takesAttempts && !isContact(task);
export const isCall = (task: Task): boolean => isContact(task) || asks(task);

/** The outcomes under the keys 1, 2, 3, and the rarer ones. */
export function outcomesOf(task: Task): { main: Outcome[]; others: Outcome[] } {
  const keys = isContact(task)
    ? task.outcomes.filter((key) => !BY_ATTEMPTS.has(key))
    : task.outcomes;
  const own = keys.map((key): Outcome => ({ kind: "outcome", key, closes: true }));
  if (isContact(task)) return { main: ATTEMPTS, others: [WRONG_NUMBER, ...own] };
  const tries = asks(task) ? [...ATTEMPTS.filter((one) => !one.closes), WRONG_NUMBER] : [];
  return { main: own.slice(0, MOST_BUTTONS), others: [...own.slice(MOST_BUTTONS), ...tries] };
}

/** Whether it is only taken with who was told, and when they read it back. */
export const asksReadBack = (task: Task, outcome: Outcome): boolean =>
  outcome.kind === "outcome" && task.readBackOutcomes.includes(outcome.key);

/** The names to look for in the translations, the more special first. */
export function wordsFor(task: Task, outcome: Outcome): string[] {
  if (outcome.kind === "attempt") return [outcome.result];
  return [`${task.step}_${outcome.key}`, outcome.key];
}
