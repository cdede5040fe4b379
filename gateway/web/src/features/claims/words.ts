/** What the rules of billing found, by keys that our words have. Pure. */
import type { ClaimCandidate, TimeEntry } from "@/api/client";

export const REASONS = [
  "not_eligible_source",
  "source_unknown",
  "not_eligible_destination",
  "destination_unknown",
  "not_discharged",
  "no_rule",
  "contact_pending",
  "contact_missed",
  "fewer_than_2_attempts",
  "visit_pending",
  "no_visit",
  "visit_after_day_14",
  "mdm_unknown",
  "mdm_low",
  "medrec_pending",
  "medrec_late",
  "deceased",
  "readmitted",
  "period_overlaps",
  "other_provider_billed",
  "global_period",
] as const;
export type Reason = (typeof REASONS)[number];

const isReason = (text: string): text is Reason => REASONS.some((each) => each === text);
export const reasonsOf = ({ reasons }: Pick<ClaimCandidate, "reasons">) => reasons.filter(isReason);

/** What is still to come, or to be said: it may yet be billed. Of anything else no time brings it back. */
const WAITS = new Set<string>([
  "contact_pending",
  "visit_pending",
  "mdm_unknown",
  "medrec_pending",
  "source_unknown",
  "destination_unknown",
]);

export type Standing = "can" | "waits" | "cannot";

export function standingOf({ code, reasons }: Pick<ClaimCandidate, "code" | "reasons">): Standing {
  if (code) return "can";
  return reasons.every((each) => WAITS.has(each)) ? "waits" : "cannot";
}

const PATTERNS = [
  [/^on day (-?\d+)$/, "day"],
  [/^(\d+) separate attempts in time$/, "attempts"],
  [/^(\d+) in time$/, "tries"],
] as const;

export interface Finding {
  key: string;
  count: number;
}

/** "on day 5" as its kind and its number; what has no number is its own key. */
export function findingOf(text: string): Finding {
  for (const [pattern, key] of PATTERNS) {
    const found = pattern.exec(text);
    if (found) return { key, count: Number(found[1]) };
  }
  return { key: text.replaceAll(" ", "_"), count: 0 };
}

/** What was written down and counts now: neither replaced nor taken away. */
export function standingEntries(entries: readonly TimeEntry[]): TimeEntry[] {
  const replaced = new Set(entries.map(({ replacesId }) => replacesId).filter(Boolean));
  return entries.filter(({ id, isWithdrawn }) => !isWithdrawn && !replaced.has(id));
}

export const minutesOf = ({ startTime, endTime }: Pick<TimeEntry, "startTime" | "endTime">) =>
  Math.floor((Date.parse(endTime ?? "") - Date.parse(startTime ?? "")) / 60_000);
