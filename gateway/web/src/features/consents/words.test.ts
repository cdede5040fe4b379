import { createTranslator } from "use-intl/core";
import { describe, expect, test } from "vitest";
import en from "@/i18n/en";
import es from "@/i18n/es";
import { DATA_CLASSES, LABELS } from "./terms";
import { namesOf, rowsOf, sentenceOf } from "./words";

const NAMES: Record<string, string> = {
  clinic: "Riverside Clinic",
  hospital: "Mercy Hospital",
  nurse: "Nadia Haddad",
};

function means(locale: "en" | "es" = "en") {
  const messages = locale === "en" ? en : es;
  const t = createTranslator({ locale, messages, namespace: "consents" });
  return {
    t,
    list: (words: readonly string[]) => new Intl.ListFormat(locale).format(words),
    nameOf: (id: string) => NAMES[id],
    moment: (at: Date) => at.toISOString().slice(0, 10),
  };
}

const PERMIT = {
  decision: "DECISION_PERMIT",
  recipientIds: ["clinic"],
  sourceIds: [],
  purposes: ["PURPOSE_TREATMENT"],
  labels: ["LABEL_MENTAL_HEALTH"],
  dataClasses: [...DATA_CLASSES],
  giveTime: "2026-11-28T10:00:00Z",
  startTime: "2026-11-28T10:00:00Z",
  endTime: "2027-05-03T22:59:59Z",
} as const satisfies Parameters<typeof sentenceOf>[0];
const DENY = {
  decision: "DECISION_DENY",
  recipientIds: [],
  sourceIds: [],
  purposes: [],
  labels: [],
  dataClasses: [],
} as const satisfies Parameters<typeof sentenceOf>[0];

describe("a consent in a sentence", () => {
  test("says who may see what, for what, until when", () => {
    expect(sentenceOf(PERMIT, means())).toBe(
      "Allows Riverside Clinic to see mental health records for treatment, until 2027-05-03.",
    );
    expect(sentenceOf(PERMIT, means("es"))).toBe(
      "Permite que se muestre a Riverside Clinic: registros de salud mental, para tratamiento, hasta 2027-05-03.",
    );
  });

  test("says whom it means where it names nobody: another for a permission than for a refusal", () => {
    expect(sentenceOf({ ...PERMIT, recipientIds: [] }, means())).toMatch(
      /^Allows those who treat the patient to see/,
    );
    expect(sentenceOf(DENY, means())).toBe("Forbids everybody to see anything.");
    expect(sentenceOf(DENY, means("es"))).toBe(
      "Prohíbe que se muestre a todas las personas: todo.",
    );
  });

  test("names sorts, sources and a later beginning where they are named", () => {
    const narrow = {
      ...DENY,
      recipientIds: ["nurse"],
      sourceIds: ["hospital"],
      dataClasses: ["DATA_CLASS_RESULTS", "DATA_CLASS_VISITS"],
      labels: ["LABEL_HIV"],
      giveTime: "2026-11-28T10:00:00Z",
      startTime: "2026-12-01T06:00:00Z",
    } as const satisfies Parameters<typeof sentenceOf>[0];
    expect(sentenceOf(narrow, means())).toBe(
      "Forbids Nadia Haddad to see visits and results in HIV records from Mercy Hospital, from 2026-12-01.",
    );
  });

  test("an older one that names appointments is told as it was agreed", () => {
    const all = { ...PERMIT, dataClasses: [...DATA_CLASSES, "DATA_CLASS_APPOINTMENTS" as const] };
    expect(sentenceOf(all, means())).toBe(sentenceOf(PERMIT, means()));
    const some = {
      ...DENY,
      dataClasses: ["DATA_CLASS_APPOINTMENTS", "DATA_CLASS_VISITS"],
    } as const satisfies Parameters<typeof sentenceOf>[0];
    expect(sentenceOf(some, means())).toBe("Forbids everybody to see visits and appointments.");
  });

  test.each([
    ["STATE_IN_FORCE", "Allows"],
    ["STATE_PENDING", "Will allow"],
    ["STATE_EXPIRED", "Allowed"],
    ["STATE_WITHDRAWN", "Allowed"],
  ] as const)("%s: %s", (state, verb) =>
    expect(sentenceOf({ ...PERMIT, state }, means())).toMatch(new RegExp(`^${verb} Riverside`)),
  );

  test("counts those whose names are not known, and shows no id", () => {
    expect(namesOf(["x1", "clinic", "x2"], means())).toBe(
      "Riverside Clinic and 2 whose names are not known",
    );
    expect(sentenceOf({ ...PERMIT, recipientIds: ["x1"] }, means())).not.toMatch(/x1/);
  });
});

describe("rows of an effect in words", () => {
  const rows = {
    sourceIds: ["hospital"],
    dataClasses: [...DATA_CLASSES],
    labels: [...LABELS],
    purposes: ["PURPOSE_TREATMENT", "PURPOSE_CARE_COORDINATION"],
  } satisfies Parameters<typeof rowsOf>[0];

  test("everything, whatever never leaves its facility", () => {
    const said = "everything from Mercy Hospital, for treatment and arranging care";
    expect(rowsOf(rows, means())).toBe(said);
    expect(rowsOf({ ...rows, labels: [...LABELS, "LABEL_WITHHELD"] }, means())).toBe(said);
    expect(rowsOf({ ...rows, labels: ["LABEL_WITHHELD"] }, means())).toMatch(
      /^what was sent without a label from/,
    );
  });

  test("all but a few labels are told by those few, in both languages", () => {
    const most = LABELS.filter(
      (label) => label !== "LABEL_PART2" && label !== "LABEL_COUNSELING_NOTES",
    );
    expect(rowsOf({ ...rows, labels: most }, means())).toMatch(
      /^everything but records of Part 2 programs and counseling notes from/,
    );
    expect(rowsOf({ ...rows, labels: most }, means("es"))).toMatch(
      /^todo menos registros de programas de la Parte 2 y notas de consejería de/,
    );
  });

  test("a sort of all but a few labels says both", () => {
    const most = LABELS.filter((label) => label !== "LABEL_PART2");
    expect(rowsOf({ ...rows, labels: most, dataClasses: ["DATA_CLASS_VISITS"] }, means())).toMatch(
      /^visits, but not records of Part 2 programs, from/,
    );
  });
});
