import { describe, expect, test } from "vitest";
import { byDay } from "./days";
import type { Access } from "./hooks";

function look(day: string, personId: string, lastTime: string): Access {
  return {
    day,
    personId,
    personName: "",
    roles: [],
    facilityIds: [],
    purposes: [],
    kinds: [],
    firstTime: lastTime,
    lastTime,
  };
}

describe("who has looked", () => {
  test("is told by day, the newest first, and of a day the last to look first", () => {
    const days = byDay([
      look("2026-11-27", "a", "2026-11-27T20:00:00Z"),
      look("2026-11-28", "b", "2026-11-28T08:00:00Z"),
      look("2026-11-27", "c", "2026-11-27T22:00:00Z"),
      look("2026-11-28", "d", "2026-11-28T09:00:00Z"),
    ]);
    expect(
      days.map(({ day, accesses }) => [day, accesses.map(({ personId }) => personId)]),
    ).toEqual([
      ["2026-11-28", ["d", "b"]],
      ["2026-11-27", ["c", "a"]],
    ]);
    expect(byDay([])).toEqual([]);
  });
});
