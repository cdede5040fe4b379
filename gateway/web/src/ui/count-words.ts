/** Why a deadline falls on its day, in the words of the chosen language. The API says it in English. Pure. */
import type { useTranslations } from "use-intl";

type Translate = ReturnType<typeof useTranslations<"shell.counted">>;

const HOURS = /^(\d+) hours? after (\S+ \S+)$/;
const DAYS = /^(\d+) (calendar|business) days? after ([^\s;]+)(?:; (.+) (?:does|do) not count)?$/;
/** Each day that does not count begins with its date; some have a name. */
const BETWEEN = /(?:, | and )(?=\d{4}-)/;

interface Means {
  t: Translate;
  locale: string;
  /** A text with its dates, such as 2026-09-04, in our words. */
  dated: (text: string) => string;
}

/** What is not known stays as it came. */
export function countWords(text: string, { t, locale, dated }: Means): string {
  const [, hours, moment] = HOURS.exec(text) ?? [];
  if (hours && moment) return t("hours", { count: Number(hours), since: dated(moment) });
  const [, days, kind, day, skipped] = DAYS.exec(text) ?? [];
  if (!days || !day) return dated(text);
  const slots = { count: Number(days), since: dated(day) };
  if (kind === "calendar") return t("calendar", slots);
  if (!skipped) return t("business", slots);
  const names = skipped.split(BETWEEN).map(dated);
  const listed = new Intl.ListFormat(locale).format(names);
  return t("skipping", { ...slots, skipped: names.length, days: listed });
}
