/** Measures in the person's language; one that this version has no words for, as the hub says it. */
import { useTranslations } from "use-intl";
import type { Measure } from "./hooks";

const KNOWN = [
  "contact-2-business-days",
  "follow-up-7-days",
  "follow-up-14-days",
  "readmission-30-days",
  "referral-closed",
  "critical-result-60-minutes",
] as const;

export function useMeasureWords({ key, title, definition }: Measure) {
  const t = useTranslations("measures.known");
  const known = KNOWN.find((one) => one === key);
  if (!known) return { title, definition };
  return { title: t(`${known}.title`), definition: t(`${known}.definition`) };
}

const REASONS = [
  "CONTACTED", "NOT_CONTACTED", "LATE", "SEEN", "NOT_SEEN", "READMITTED", "NOT_READMITTED", "PLANNED",
  "DIED_OR_LEFT", "HOSPICE", "BIRTH", "PSYCHIATRIC", "COMPLETED", "NOT_ENDED", "NOT_DONE", "NOT_ELIGIBLE", "DECEASED", "DISCHARGE_CANCELLED",
  "ADMISSION_CANCELLED", "READ_BACK", "READ_BACK_LATE", "NOT_READ_BACK", "RESULT_WITHDRAWN", "RESULT_CORRECTED",
] as const; // biome-ignore format: a list

export function useReasonWords(): (reason: string) => string {
  const t = useTranslations("measures.reasons");
  return (reason) => {
    const known = REASONS.find((one) => one === reason);
    return known ? t(known) : t("OTHER");
  };
}
