import { expect, test } from "vitest";
import { byDay, type Look } from "./data";

const look = (day: string, personName: string) => ({ day, personName }) as Look;

test("looks come day by day, in the order in which they are told", () => {
  const told = [look("2026-11-28", "Joe"), look("2026-11-28", "Nadia"), look("2026-11-27", "Joe")];
  expect(byDay(told).map(([day, theirs]) => [day, theirs.map((each) => each.personName)])).toEqual([
    ["2026-11-28", ["Joe", "Nadia"]],
    ["2026-11-27", ["Joe"]],
  ]);
});
