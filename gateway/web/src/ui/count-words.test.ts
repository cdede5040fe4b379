import { createTranslator } from "use-intl/core";
import { describe, expect, test } from "vitest";
import en from "@/i18n/en";
import es from "@/i18n/es";
import { countWords } from "./count-words";

const inWords = (locale: "en" | "es") => (text: string) => {
  const messages = locale === "en" ? en : es;
  const t = createTranslator({ locale, messages, namespace: "shell.counted" });
  return countWords(text, { t, locale, dated: (each) => each.replaceAll("2026-", "") });
};

describe("why a deadline falls on its day", () => {
  test.each([
    ["1 calendar day after 2026-09-04", "1 día natural después del 09-04"],
    ["29 calendar days after 2026-11-20", "29 días naturales después del 11-20"],
    ["2 business days after 2026-09-01", "2 días hábiles después del 09-01"],
    ["4 hours after 2026-09-04 17:40", "4 horas después de: 09-04 17:40"],
    [
      "2 business days after 2026-09-04; 2026-09-05, 2026-09-06 and 2026-09-07 (Labor Day) do not count",
      "2 días hábiles después del 09-04; no cuentan: 09-05, 09-06 y 09-07 (Labor Day)",
    ],
    ["Somebody chose 2026-09-04", "Somebody chose 09-04"],
  ])("%s", (text, words) => expect(inWords("es")(text)).toBe(words));

  test("in English it is what the API says", () => {
    const text = "2 business days after 09-04; 2026-09-07 (Labor Day) does not count";
    expect(inWords("en")(text)).toBe(text.replaceAll("2026-", ""));
  });
});
