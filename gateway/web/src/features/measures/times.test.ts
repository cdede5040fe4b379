import { expect, it } from "vitest";
import { msOf } from "./times";

it("reads a duration of the API, and nothing where none is said", () => {
  expect(msOf("720s")).toBe(720_000);
  expect(msOf("0s")).toBe(0);
  expect(msOf("1.500s")).toBe(1_500);
  expect(msOf(undefined)).toBeUndefined();
  expect(msOf("")).toBeUndefined();
});
