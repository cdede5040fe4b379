import { expect, test } from "vitest";
import type { Answer } from "./hooks";
import { alike, borne, howMuch, untilOf, wordOf } from "./words";

function answer(label: Answer["labels"][number], isAllowed: boolean, key: string): Answer {
  const line = { key, factId: "", params: { labels: wordOf(label) }, sentence: "" };
  return { dataClasses: ["DATA_CLASS_VISITS"], labels: [label], isAllowed, lines: [line] };
}

test("words and times of the API are read, and what is none stays", () => {
  expect(wordOf("DATA_CLASS_VISITS")).toBe("VISITS");
  expect(wordOf("LABEL_HIV")).toBe("HIV");
  expect(untilOf("2026-11-28 14:05 UTC")?.toISOString()).toBe("2026-11-28T14:05:00.000Z");
  expect([untilOf(undefined), untilOf("soon")]).toEqual([null, null]);
});

test("appointments are visits: nothing is said of the sort that has their name", () => {
  const seen = answer("LABEL_NORMAL", true, "allowed.CONSENT");
  const unseen = answer("LABEL_NORMAL", false, "missed.CLASS");
  const told = borne([
    { ...seen, dataClasses: ["DATA_CLASS_VISITS", "DATA_CLASS_APPOINTMENTS"] },
    { ...unseen, dataClasses: ["DATA_CLASS_APPOINTMENTS"] },
  ]);
  expect(told.map(({ dataClasses }) => dataClasses)).toEqual([["DATA_CLASS_VISITS"]]);
  expect(howMuch(told)).toBe("ALL");
  expect([howMuch([seen, unseen]), howMuch([unseen])]).toEqual(["SOME", "NONE"]);
});

test("labels for which the same facts decide are told together", () => {
  const found = alike([
    answer("LABEL_SUD", true, "allowed.TREATED"),
    answer("LABEL_PART2", false, "missed.LABEL"),
    answer("LABEL_HIV", true, "allowed.TREATED"),
    answer("LABEL_WITHHELD", false, "withheld"),
  ]);
  expect(found.map(({ labels }) => labels)).toEqual([["SUD", "HIV"], ["PART2"], ["WITHHELD"]]);
});
