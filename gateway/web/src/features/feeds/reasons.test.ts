/** Whatever reason the services can give for a message has words in both languages. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import en from "../../i18n/en/feeds.json";
import es from "../../i18n/es/feeds.json";

/** Where a reason comes from that ends up on a message or on a refusal. */
const FILES = [
  ...["classify", "person", "reading", "result", "translate", "visit"].map(
    (name) => `services/interop/domain/${name}.py`,
  ),
  "services/interop/mllp/writers.py",
  ...["record", "report", "visit"].map((name) => `services/registry/domain/${name}.py`),
  "services/registry/consumers.py",
  ...["observation", "record", "report"].map((name) => `services/registry/convert/${name}.py`),
  "libs/conveyor/inbox.py",
  "libs/chassis/fields.py",
];
/** Of what is in there, what is no such reason: the states of a message, and why two records were joined. */
const NOT_ON_MESSAGES = new Set([
  "NO_OP",
  "IN_PROGRESS",
  "MERGE_REPORTED",
  "SHARED_NUMBER",
  // Of fields of requests.
  "STALE_ETAG",
  "MASK_PATH_UNKNOWN",
]);

const given = new Set(
  FILES.flatMap((file) =>
    [...readFileSync(`../../${file}`, "utf8").matchAll(/"([A-Z]+(?:_[A-Z]+)+)"/g)].map(
      ([, reason]) => reason,
    ),
  ),
);

it("finds the reasons where they are", () => {
  expect(given).toContain("TIME_IN_FUTURE");
  expect(given).toContain("PERSON_CONTRADICTS");
});

it.each([
  ["en", en.reasons],
  ["es", es.reasons],
])("has words for each of them in %s", (_, reasons) => {
  const known = reasons as Record<string, { what: string; fix: string }>;
  const wordless = [...given].filter(
    (reason) => reason && !NOT_ON_MESSAGES.has(reason) && !known[reason]?.what,
  );
  expect(wordless).toEqual([]);
});
