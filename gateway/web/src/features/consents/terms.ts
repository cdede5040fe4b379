/** The words of a consent that a form offers, in the order in which it does. */
import type { components } from "@/api/schema.gen";

type Consent = components["schemas"]["identity.Consent"];
export type Purpose = NonNullable<Consent["purposes"]>[number];
export type Label = NonNullable<Consent["labels"]>[number];
export type DataClass = NonNullable<Consent["dataClasses"]>[number];
export type Decision = Consent["decision"];
export type Form = Consent["form"];

/** An emergency has rules of its own, and patients need no consent for what is theirs. */
export const PURPOSES: readonly Purpose[] = [
  "PURPOSE_TREATMENT",
  "PURPOSE_CARE_COORDINATION",
  "PURPOSE_PAYMENT",
  "PURPOSE_OPERATIONS",
  "PURPOSE_PUBLIC_HEALTH",
  "PURPOSE_RESEARCH",
  "PURPOSE_LEGAL",
  "PURPOSE_FAMILY_REQUEST",
];

/** What was sent without a label never leaves its facility, whatever is signed: it is not offered. */
export const LABELS: readonly Label[] = [
  "LABEL_NORMAL",
  "LABEL_MENTAL_HEALTH",
  "LABEL_SUD",
  "LABEL_PART2",
  "LABEL_HIV",
  "LABEL_STD",
  "LABEL_REPRODUCTIVE",
  "LABEL_VIOLENCE",
  "LABEL_GENETIC",
  "LABEL_MINOR_CONFIDENTIAL",
  "LABEL_COUNSELING_NOTES",
];

/** Without "DATA_CLASS_APPOINTMENTS": appointments are visits. */
export const DATA_CLASSES: readonly DataClass[] = [
  "DATA_CLASS_DEMOGRAPHICS",
  "DATA_CLASS_VISITS",
  "DATA_CLASS_CLINICAL",
  "DATA_CLASS_RESULTS",
  "DATA_CLASS_COORDINATION",
  "DATA_CLASS_REFERRALS",
  "DATA_CLASS_MESSAGES",
  "DATA_CLASS_BILLING",
];

/** Those of a consent that can be said of it: an older one may name appointments. */
export const classesWith = (named: readonly DataClass[]): readonly DataClass[] =>
  named.includes("DATA_CLASS_APPOINTMENTS")
    ? [...DATA_CLASSES, "DATA_CLASS_APPOINTMENTS"]
    : DATA_CLASSES;

export const FORMS: readonly Form[] = ["FORM_ELECTRONIC", "FORM_PAPER", "FORM_VERBAL"];

export const NEEDS_SIGNATURE: readonly Label[] = ["LABEL_PART2", "LABEL_COUNSELING_NOTES"];
