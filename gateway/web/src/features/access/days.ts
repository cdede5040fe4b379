/** Who has looked, day by day. Pure. */
import type { Access } from "./hooks";

export interface LookDay {
  /** "2026-11-28" */
  day: string;
  accesses: Access[];
}

/** The newest day first, and of a day the last to look; a day that two pages share is one. */
export function byDay(accesses: readonly Access[]): LookDay[] {
  const days = new Map<string, Access[]>();
  for (const access of accesses) days.set(access.day, [...(days.get(access.day) ?? []), access]);
  return [...days]
    .sort(([a], [b]) => b.localeCompare(a))
    .map(([day, each]) => ({
      day,
      accesses: each.sort((a, b) => b.lastTime.localeCompare(a.lastTime)),
    }));
}

/** "DATA_CLASS_VISITS" -> "VISITS", "LABEL_HIV" -> "HIV". */
export const wordOf = (name: string) => name.replace(/^(DATA_CLASS|LABEL|PURPOSE)_/, "");

/** What an explanation says for "2026-11-28 14:05 UTC", as an instant. */
export function untilOf(text: string | undefined): Date | null {
  const found = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}) UTC$/.exec(text ?? "");
  return found ? new Date(`${found[1]}T${found[2]}:00Z`) : null;
}
