/** What the service refuses, in words, at the field that it is about. */
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import type { Wrongs } from "@/features/staff/errors";

const PLACES: Record<string, string> = {
  CONSENT_NAMES_NOTHING: "labels",
  CONSENT_WITHOUT_EVIDENCE: "hasEvidence",
  CONSENT_NOT_GIVEN_YET: "given",
  CONSENT_NEVER_HOLDS: "end",
  CONSENT_NEEDS_SIGNATURE: "form",
  CONSENT_NAMES_TOO_MANY: "recipients",
  EVIDENCE_NOTE_TOO_LONG: "evidenceNote",
  TEXT_NOT_PRINTABLE: "evidenceNote",
  RECIPIENT_UNKNOWN: "recipients",
  CONSENT_SOURCE_UNKNOWN: "sources",
  PATIENT_NOT_KNOWN: "facilityId",
  FACILITY_OUT_OF_REACH: "facilityId",
};

/** After these somebody else's version has to be loaded first. */
const OVERTAKEN: readonly string[] = ["STALE_ETAG", "CONSENT_WITHDRAWN"];

const reasonOf = (error: unknown) => (error instanceof Failure ? error.reason : "");

export const isOvertaken = (error: unknown) => OVERTAKEN.includes(reasonOf(error));
export const mustConfirm = (error: unknown) => reasonOf(error) === "STEP_UP_REQUIRED";

export function useConsentWrongs() {
  const t = useTranslations("consents.errors");
  return (error: unknown): Wrongs => {
    if (!error || mustConfirm(error)) return {};
    const { reason, code } = error instanceof Failure ? error : new Failure(0);
    const known = reason as "CONSENT_NEVER_HOLDS";
    const words = t.has(known) ? t(known) : code ? t("code", { code }) : t("other");
    return { [PLACES[reason] ?? ""]: words };
  };
}
