/** What is looked for in the directory, and how a service says when it is there. Pure. */
import type { Wanted } from "@/features/referrals/asking";
import { RIDES } from "@/features/referrals/needs";

/** As it is typed. */
export interface Looked {
  need: string;
  postalCode: string;
  county: string;
  language: string;
  age: string;
  needsWheelchair: boolean;
}

export const NOTHING_LOOKED: Looked = {
  need: RIDES,
  postalCode: "",
  county: "",
  language: "",
  age: "",
  needsWheelchair: false,
};

const OLDEST = 130;

/** Whole years that somebody can be old, or nothing. */
export function ageIn(text: string): number | null {
  if (!text.trim()) return 0;
  const age = Number(text);
  return Number.isInteger(age) && age > 0 && age <= OLDEST ? age : null;
}

export function wantedOf(looked: Looked, facilityId: string): Wanted {
  return {
    need: looked.need,
    facilityId,
    postalCode: looked.postalCode.trim(),
    county: looked.county.trim(),
    language: looked.language,
    age: ageIn(looked.age) ?? 0,
    needsWheelchair: looked.need === RIDES && looked.needsWheelchair,
  };
}

const DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;

/** The days of one line of hours, from Monday on, those in a row as one: [["MO","FR"],["SU","SU"]]. None: every day. */
export function rangesOf(days: readonly string[]): [number, number][] {
  const found = DAYS.flatMap((day, index) => (days.includes(day) ? [index] : []));
  const ranges: [number, number][] = [];
  for (const day of found) {
    const last = ranges.at(-1);
    if (last && last[1] === day - 1) last[1] = day;
    else ranges.push([day, day]);
  }
  return ranges;
}
