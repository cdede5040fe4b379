/** Lines of a reconciliation as they are shown, and what each part of one says. Pure. */
import type { Line } from "./hooks";

export const CHOICES = [
  "DECISION_CONTINUE",
  "DECISION_CHANGE",
  "DECISION_STOP",
  "DECISION_ASK",
] as const;
export type Choice = (typeof CHOICES)[number];

export const GROUPS = [
  "DIFFERENCE_DIFFERENT",
  "DIFFERENCE_ONLY_AFTER",
  "DIFFERENCE_ONLY_BEFORE",
  "DIFFERENCE_SAME",
] as const;
export type Group = (typeof GROUPS)[number];

/** The groups that have lines, differences first. */
export function grouped(lines: readonly Line[]): { group: Group; lines: Line[] }[] {
  return GROUPS.map((group) => ({
    group,
    lines: lines.filter(({ difference }) => difference === group),
  })).filter((each) => each.lines.length > 0);
}

export const nameOfLine = (line: Line): string => line.after?.name ?? line.before?.name ?? "";

export const isDecided = (line: Line): boolean => line.decision !== "DECISION_UNSPECIFIED";

/** Where the focus goes from a line: to the next that is not decided, else to the next. */
export function nextOf(lines: readonly Line[], id: string): string {
  const at = lines.findIndex((line) => line.id === id);
  const rest = [...lines.slice(at + 1), ...lines.slice(0, at)];
  return (rest.find((line) => !isDecided(line)) ?? lines[at + 1] ?? lines[at])?.id ?? "";
}

/** The line one step on or back, staying at the ends. */
export function stepFrom(lines: readonly Line[], id: string, step: 1 | -1): string {
  const at = lines.findIndex((line) => line.id === id);
  const to = at < 0 ? 0 : Math.min(Math.max(at + step, 0), lines.length - 1);
  return lines[to]?.id ?? "";
}
