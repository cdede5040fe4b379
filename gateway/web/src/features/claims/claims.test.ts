import { expect, test } from "vitest";
import type { TimeEntry } from "@/api/client";
import en from "@/i18n/en/claims.json";
import { findingOf, minutesOf, REASONS, reasonsOf, standingEntries, standingOf } from "./words";

test("a code can be billed; what only waits may be yet; one thing that is over ends it", () => {
  expect(standingOf({ code: "99496", reasons: [] })).toBe("can");
  expect(standingOf({ code: "", reasons: ["visit_pending", "mdm_unknown"] })).toBe("waits");
  expect(standingOf({ code: "", reasons: ["visit_pending", "contact_missed"] })).toBe("cannot");
  expect(standingOf({ code: "", reasons: ["something_new"] })).toBe("cannot");
});

test("every reason has its words, and what we do not know is not shown as a key", () => {
  expect(Object.keys(en.reasons)).toEqual([...REASONS]);
  expect(reasonsOf({ reasons: ["deceased", "something_new"] })).toEqual(["deceased"]);
});

test("a finding is its kind and its number, and has words", () => {
  expect(findingOf("on day 5")).toEqual({ key: "day", count: 5 });
  expect(findingOf("2 separate attempts in time")).toEqual({ key: "attempts", count: 2 });
  expect(findingOf("1 in time")).toEqual({ key: "tries", count: 1 });
  expect(findingOf("nobody tried in time")).toEqual({ key: "nobody_tried_in_time", count: 0 });
  for (const text of ["on day 5", "nobody tried in time", "no stay before the visit", "in one"]) {
    expect(en.findings).toHaveProperty(findingOf(text).key);
  }
});

test("what was replaced or taken away stands no more", () => {
  const entry = (id: string, more: Partial<TimeEntry> = {}) =>
    ({ id, replacesId: "", isWithdrawn: false, ...more }) as TimeEntry;
  const entries = [
    entry("c", { replacesId: "b", isWithdrawn: true }),
    entry("b"),
    entry("a2", { replacesId: "a" }),
    entry("a"),
  ];
  expect(standingEntries(entries).map(({ id }) => id)).toEqual(["a2"]);
});

test("minutes are whole ones", () => {
  const [startTime, endTime] = ["2026-09-08T15:00:00Z", "2026-09-08T15:12:30Z"];
  expect(minutesOf({ startTime, endTime })).toBe(12);
});
