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
