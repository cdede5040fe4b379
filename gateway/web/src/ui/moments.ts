/** Moments and days as people at a place say them. Pure; `useWhen` gives them words. */
import type { Day } from "@/api/client";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface LocalParts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(key: string, make: () => Intl.DateTimeFormat): Intl.DateTimeFormat {
  const made = formats.get(key) ?? make();
  formats.set(key, made);
  return made;
}

/** The wall clock of a zone at a moment. */
export function partsIn(zone: string, at: Date): LocalParts {
  const made = format(`parts ${zone}`, () => {
    const numeric = "numeric" as const;
    return new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
    });
  });
  const found = Object.fromEntries(made.formatToParts(at).map((part) => [part.type, part.value]));
  const { year, month, day, hour, minute } = found;
  return {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
  };
}

/** A day as a number that counts days, to compare and subtract. */
export function dayNumber(day: { year: number; month: number; day: number }): number {
  return Math.round(Date.UTC(day.year, day.month - 1, day.day) / DAY);
}

/** The day that it is at a place. */
export function dayIn(zone: string, at: Date): number {
  return dayNumber(partsIn(zone, at));
}

/** When a day such as "2027-05-03" begins at a place. */
export function startOfDay(day: string, zone: string): Date {
  const asIfUtc = Date.parse(`${day}T00:00:00Z`);
  const off = (at: number) => {
    const { year, month, day: date, hour, minute } = partsIn(zone, new Date(at));
    return Date.UTC(year, month - 1, date, hour, minute) - at;
  };
  // Twice: clocks may be put forward or back between the guess and the day.
  const guess = asIfUtc - off(asIfUtc);
  return new Date(asIfUtc - off(guess));
}

export function fullDay(day: Day | undefined): { year: number; month: number; day: number } | null {
  if (!day?.year || !day.month || !day.day) return null;
  return { year: day.year, month: day.month, day: day.day };
}

/** "CST", "MST": what people of the place call its clock. */
export function zoneName(zone: string, at: Date): string {
  const made = format(
    `zone ${zone}`,
    () => new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "short" }),
  );
  return made.formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? zone;
}

export function word(
  locale: string,
  day: { year: number; month: number; day: number },
  part: "weekday" | "month",
): string {
  const made = format(
    `${part} ${locale}`,
    () =>
      new Intl.DateTimeFormat(locale, {
        timeZone: "UTC",
        [part]: "short",
      } as Intl.DateTimeFormatOptions),
  );
  const text = made.format(new Date(Date.UTC(day.year, day.month - 1, day.day)));
  return text.replace(/\.$/, "");
}

/** Full years of life on a day. */
export function ageOn(birth: Day | undefined, today: LocalParts): number | null {
  const born = fullDay(birth);
  if (!born) return null;
  const hadBirthday =
    today.month > born.month || (today.month === born.month && today.day >= born.day);
  return today.year - born.year - (hadBirthday ? 0 : 1);
}

export interface Span {
  days: number;
  hours: number;
  minutes: number;
}

/** How long, cut to what matters: days from two days on, else hours and minutes. */
export function spanOf(milliseconds: number): Span {
  const total = Math.max(0, Math.floor(milliseconds / MINUTE));
  if (total >= 2 * 24 * 60) return { days: Math.floor(total / (24 * 60)), hours: 0, minutes: 0 };
  const hours = Math.floor(total / 60);
  return { days: 0, hours, minutes: hours >= 10 ? 0 : total % 60 };
}

/** The moment at which a zone's clock shows "2026-09-11T08:30"; in the hour that a clock skips, the one after it. */
export function momentIn(zone: string, local: string): Date {
  const wanted = Date.parse(`${local}Z`);
  const off = (at: number) => {
    const { year, month, day, hour, minute } = partsIn(zone, new Date(at));
    return Date.UTC(year, month - 1, day, hour, minute) - at;
  };
  const first = wanted - off(wanted);
  return new Date(wanted - off(first));
}
