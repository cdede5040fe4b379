import { expect, test } from "vitest";
import { isQuiet } from "./quiet";

test.each([
  ["2026-09-05T01:59:00Z", false], // 20:59
  ["2026-09-05T02:00:00Z", true], // 21:00
  ["2026-09-05T12:59:00Z", true], // 07:59
  ["2026-09-05T13:00:00Z", false], // 08:00
])("at %s in Chicago it is quiet: %s", (at, quiet) => {
  expect(isQuiet("America/Chicago", new Date(at))).toBe(quiet);
});
