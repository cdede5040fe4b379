/** Dates and times in the words of the chosen language, in the zone of a facility, with the zone named where it differs. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Day } from "@/api/client";
import { hubNow } from "@/api/hub-time";
import { useFacilities, useMe } from "@/api/queries";
import { countWords } from "./count-words";
import {
  dayIn,
  dayNumber,
  fullDay,
  MINUTE,
  partsIn,
  type Span,
  spanOf,
  word,
  zoneName,
} from "./moments";

const Now = createContext<Date>(new Date(0));

/** The time at the hub, as all of a screen sees it: one clock that moves every ten seconds. */
export function NowProvider({ children, now }: { children: ReactNode; now?: Date }) {
  const [at, setAt] = useState(() => now ?? hubNow());
  useEffect(() => {
    if (now) return;
    const timer = setInterval(() => setAt(hubNow()), MINUTE / 6);
    return () => clearInterval(timer);
  }, [now]);
  return <Now.Provider value={at}>{children}</Now.Provider>;
}

export const useNow = () => useContext(Now);

/** The zone of the caller's first facility: the one that the header names. */
export function useHomeZone(): string {
  const me = useMe();
  const facilities = useFacilities();
  const home = me.facilityIds.map((id) => facilities.get(id)).find(Boolean);
  return home?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The zone of a facility. */
export function useZone(facilityId: string): string {
  const home = useHomeZone();
  return useFacilities().get(facilityId)?.timeZone ?? home;
}

export function useWhen() {
  const t = useTranslations("shell.time");
  const counts = useTranslations("shell.counted");
  const locale = useLocale();
  const now = useNow();
  const home = useHomeZone();
  return useMemo(() => {
    type Parts = { year: number; month: number; day: number };

    /** "17:00" */
    const time = (at: Date, zone: string) => {
      const { hour, minute } = partsIn(zone, at);
      return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
    };
    /** "Wed 9 Sep", with the year when it is another one. */
    const dayWords = (parts: Parts, thisYear: number) => {
      const slots = {
        weekday: word(locale, parts, "weekday"),
        day: String(parts.day),
        month: word(locale, parts, "month"),
        year: String(parts.year),
      };
      return parts.year === thisYear ? t("day", slots) : t("dayYear", slots);
    };
    /** "Today", "Yesterday", "Wed 9 Sep". */
    const day = (at: Date, zone: string) => {
      const parts = partsIn(zone, at);
      const off = dayNumber(parts) - dayIn(zone, now);
      if (off === 0) return t("today");
      if (off === 1) return t("tomorrow");
      if (off === -1) return t("yesterday");
      return dayWords(parts, partsIn(zone, now).year);
    };
    /** "Today 17:00", "Wed 9 Sep 17:00 MST"; only the day for the end of a day. */
    const moment = (at: Date, zone: string) => {
      const parts = partsIn(zone, at);
      const isEndOfDay = parts.hour === 23 && parts.minute === 59;
      const when = isEndOfDay
        ? day(at, zone)
        : t("dayTime", { day: day(at, zone), time: time(at, zone) });
      const names = [zone, home].map((each) => zoneName(each, at));
      return names[0] === names[1] ? when : t("zoned", { when, zone: names[0] ?? zone });
    };
    /** "Wed 9 Sep 2026, 13:12 CST": for the header. */
    const full = (at: Date, zone: string) => {
      const parts = partsIn(zone, at);
      const when = t("dayTime", { day: dayWords(parts, 0), time: time(at, zone) });
      return t("zoned", { when, zone: zoneName(zone, at) });
    };
    /** A day of the calendar: "Fri 11 Sep". */
    const date = (value: Day | undefined, zone: string) => {
      const parts = fullDay(value);
      return parts ? dayWords(parts, partsIn(zone, now).year) : "";
    };
    /** A sentence of the API with its days, such as "2 business days after 2026-09-04", in our words. */
    const sentence = (text: string, zone: string) =>
      text.replace(/\b(\d{4})-(\d{2})-(\d{2})\b/g, (_, year, month, dayOfMonth) =>
        date({ year: Number(year), month: Number(month), day: Number(dayOfMonth) }, zone),
      );
    /** Why a deadline falls on its day: "2 business days after Fri 4 Sep". */
    const counted = (text: string, zone: string) =>
      countWords(text, { t: counts, locale, dated: (each) => sentence(each, zone) });
    /** A day of birth: "2 Mar 1948". */
    const birth = (value: Day | undefined) => {
      const parts = fullDay(value);
      if (!parts) return "";
      const month = word(locale, parts, "month");
      return t("birth", { day: String(parts.day), month, year: String(parts.year) });
    };
    /** "3 h 48 min", "18 h", "3 days". */
    const span = (milliseconds: number) => short(spanOf(milliseconds), t);
    /** The same for people who listen. */
    const spoken = (milliseconds: number) => {
      const { days, hours, minutes } = spanOf(milliseconds);
      return t("spoken", { days, hours, minutes }).trim();
    };
    return { time, day, moment, full, date, sentence, counted, birth, span, spoken };
  }, [t, counts, locale, now, home]);
}

export type When = ReturnType<typeof useWhen>;

function short(
  { days, hours, minutes }: Span,
  t: ReturnType<typeof useTranslations<"shell.time">>,
): string {
  if (days) return t("days", { days });
  if (!hours) return t("minutes", { minutes: String(minutes) });
  const slots = { hours: String(hours), minutes: String(minutes) };
  return minutes ? t("hoursMinutes", slots) : t("hours", slots);
}
