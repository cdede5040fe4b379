import { expect, test } from "vitest";
import { ageIn, NOTHING_LOOKED, rangesOf, wantedOf } from "./looking";

test("an age is whole years, or nothing", () => {
  expect(ageIn("")).toBe(0);
  expect(ageIn(" 78 ")).toBe(78);
  for (const text of ["-1", "0", "7.5", "old", "200"]) expect(ageIn(text)).toBe(null);
});

test("a wheelchair is asked for with a ride only", () => {
  const looked = { ...NOTHING_LOOKED, needsWheelchair: true, postalCode: " 62558 ", age: "78" };
  expect(wantedOf(looked, "f1")).toMatchObject({
    needsWheelchair: true,
    postalCode: "62558",
    facilityId: "f1",
    age: 78,
  });
  expect(wantedOf({ ...looked, need: "food-insecurity" }, "f1").needsWheelchair).toBe(false);
});

test("days in a row are one, whatever their order; what is no day is none", () => {
  expect(rangesOf(["FR", "MO", "TU", "WE", "TH"])).toEqual([[0, 4]]);
  expect(rangesOf(["MO", "WE", "TH", "SU", "XX"])).toEqual([
    [0, 0],
    [2, 3],
    [6, 6],
  ]);
  expect(rangesOf([])).toEqual([]);
});
