/** A figure that nobody tells is not zero. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { figuresOf, megabytes } from "./figures";
import { type Consumer, SERVICES } from "./hooks";

it("asks every service that can be asked", () => {
  const { paths } = JSON.parse(readFileSync("../api/openapi.json", "utf8"));
  const asked = Object.keys(paths).flatMap(
    (path) => /^\/v1\/operations\/(\w+)$/.exec(path)?.[1] ?? [],
  );
  expect([...SERVICES].sort()).toEqual(asked.sort());
});

const consumer = (waitingCount: number | undefined, ...counts: number[]) =>
  ({
    name: "c",
    waitingCount,
    parked: counts.map((count) => ({ reason: "X", count })),
  }) as unknown as Consumer;

it("sums what waits and what was set aside", () => {
  const consumers = [consumer(3), consumer(4, 1, 2)];
  expect(figuresOf({ consumers })).toEqual({ waiting: 7, parked: 3 });
});

it("says that what waits is not known while no working process tells", () => {
  expect(figuresOf({ consumers: [consumer(undefined, 1)] })).toEqual({ waiting: null, parked: 1 });
  expect(figuresOf({ consumers: [] })).toEqual({ waiting: 0, parked: 0 });
});

it("never says that a database has no size", () => {
  expect(megabytes("9868991")).toBe(10);
  expect(megabytes("1")).toBe(1);
});
