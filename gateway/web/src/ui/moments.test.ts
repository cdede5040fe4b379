import { expect, test } from "vitest";
import { ageOn, DAY, dayIn, HOUR, MINUTE, partsIn, spanOf, zoneName } from "./moments";

test("a day is the day where the facility is", () => {
  const at = new Date("2026-09-10T04:30:00Z");
  expect(partsIn("America/Chicago", at)).toEqual({
    year: 2026,
    month: 9,
    day: 9,
    hour: 23,
    minute: 30,
  });
  expect(dayIn("America/Chicago", at)).toBe(dayIn("America/Denver", at));
  expect(dayIn("UTC", at) - dayIn("America/Chicago", at)).toBe(1);
});

test("zones have the names that people there use, in summer and in winter", () => {
  expect(zoneName("America/Chicago", new Date("2026-07-01T00:00:00Z"))).toBe("CDT");
  expect(zoneName("America/Denver", new Date("2026-12-01T00:00:00Z"))).toBe("MST");
});

test("somebody is a year older from the birthday on, and of unknown age without a whole birth date", () => {
  const today = { year: 2026, month: 3, day: 1, hour: 0, minute: 0 };
  expect(ageOn({ year: 1948, month: 3, day: 2 }, today)).toBe(77);
  expect(ageOn({ year: 1948, month: 3, day: 2 }, { ...today, day: 2 })).toBe(78);
  expect(ageOn({ year: 1948, month: 0, day: 0 }, today)).toBeNull();
});

test("a span is cut to what matters", () => {
  expect(spanOf(3 * HOUR + 48 * MINUTE)).toEqual({ days: 0, hours: 3, minutes: 48 });
  expect(spanOf(18 * HOUR + 20 * MINUTE)).toEqual({ days: 0, hours: 18, minutes: 0 });
  expect(spanOf(3 * DAY + 5 * HOUR)).toEqual({ days: 3, hours: 0, minutes: 0 });
  expect(spanOf(-5)).toEqual({ days: 0, hours: 0, minutes: 0 });
});
