/** What a service says of itself, in our words. */
import { useLocale, useTranslations } from "use-intl";
import { languageName } from "@/features/patients/person";
import { word } from "@/ui/moments";
import type { Service } from "./hooks";
import { rangesOf } from "./looking";

export function useAreaWords(): (service: Service) => string {
  const t = useTranslations("directory.facts");
  return ({ postalCodes, counties }) => [...counties, ...postalCodes].join(", ") || t("everywhere");
}

export function useLanguageWords(): (service: Service) => string {
  const t = useTranslations("directory.facts");
  const locale = useLocale();
  return ({ languages }) =>
    languages.map((tag) => languageName(tag, locale)).join(", ") || t("languagesUnknown");
}

export function useAgeWords(): (service: Service) => string {
  const t = useTranslations("directory.facts");
  return ({ minimumAge, maximumAge }) => {
    if (minimumAge && maximumAge) return t("ageBetween", { from: minimumAge, to: maximumAge });
    if (minimumAge) return t("ageFrom", { from: minimumAge });
    return maximumAge ? t("ageTo", { to: maximumAge }) : t("ageAny");
  };
}

// The third of May 2027 is a Monday.
const MONDAY = 3;

/** "Mon–Fri 07:00–18:00", one line for each. */
export function useHoursWords(): (service: Service) => string[] {
  const t = useTranslations("directory.facts");
  const locale = useLocale();
  const name = (day: number) =>
    word(locale, { year: 2027, month: 5, day: MONDAY + day }, "weekday");
  return ({ hours }) =>
    hours.map(({ days, opensAt, closesAt }) => {
      const on = rangesOf(days)
        .map(([from, to]) =>
          from === to ? name(from) : t("days", { from: name(from), to: name(to) }),
        )
        .join(", ");
      const time = opensAt && closesAt ? t("hours", { opensAt, closesAt }) : t("allDay");
      return t("open", { days: on || t("everyDay"), time });
    });
}
