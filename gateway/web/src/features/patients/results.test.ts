/** Results stand out in words, together with those of the same order, and what was taken back says nothing. */
import { describe, expect, test } from "vitest";
import { aResult } from "@/testing/samples";
import en from "../../i18n/en/patients.json";
import es from "../../i18n/es/patients.json";
import { isCritical, isTakenBack, panelsOf, standingOf } from "./results";
import { timelineOf } from "./timeline-entries";

const ordinary = { criticality: "CRITICALITY_UNSPECIFIED" as const };

describe("results", () => {
  test.each([
    [["H"], "high"],
    [["L"], "low"],
    [["A"], "abnormal"],
    [["N"], ""],
    [[], ""],
  ])("the flags %j stand out as %j", (flags, standing) => {
    expect(standingOf(aResult({ ...ordinary, flags }))).toBe(standing);
  });

  test("a critical one goes before its flags, and one that was taken back is nothing any more", () => {
    expect(standingOf(aResult())).toBe("CRITICALITY_HIGH");
    expect(isCritical(aResult())).toBe(true);
    const gone = aResult({ state: "STATE_ENTERED_IN_ERROR" });
    expect([standingOf(gone), isCritical(gone), isTakenBack(gone)]).toEqual(["", false, true]);
  });

  test("those of one order and one specimen are one entry, what stands out first", () => {
    const sodium = aResult({ id: "2", name: "Sodium", flags: [], ...ordinary });
    const later = aResult({ id: "3", observedTime: "2026-09-04T09:00:00Z" });
    const panels = panelsOf([sodium, aResult(), later]);
    expect(panels.map(({ observations }) => observations.map(({ id }) => id))).toEqual([
      ["result-1", "2"],
      ["3"],
    ]);
    const now = new Date("2026-09-05T00:00:00Z");
    const story = {
      encounters: [],
      observations: [sodium, aResult(), later],
      loops: [],
      tasks: [],
    };
    expect(timelineOf(story, now).past.map(({ id, what }) => [id, what])).toEqual([
      ["3r", "results"],
      ["result-1r", "results"],
    ]);
  });

  test.each([
    ["en", en.results],
    ["es", es.results],
  ])("every state and standing has words in %s", (_, words) => {
    const states = [
      "REGISTERED",
      "PRELIMINARY",
      "FINAL",
      "CORRECTED",
      "CANCELLED",
      "ENTERED_IN_ERROR",
    ];
    expect(states.filter((each) => !(`STATE_${each}` in words.states))).toEqual([]);
    const standings = [
      "CRITICALITY_LOW",
      "CRITICALITY_HIGH",
      "CRITICALITY_ABNORMAL",
      "low",
      "high",
      "abnormal",
    ];
    expect(standings.filter((each) => !(each in words.standing))).toEqual([]);
  });
});
