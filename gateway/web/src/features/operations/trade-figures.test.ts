/** What nobody tells is not known; what there was none of is nothing. */
import { expect, it } from "vitest";
import type { Status } from "./hooks";
import { type Figure, kindsOf, rounded, shareOf, tradeOf } from "./trade-figures";

const told = (metric: string, ...counts: [string, number][]) =>
  ({
    metric,
    counts: counts.map(([of, count]) => ({ of: of.split(" "), count })),
  }) as Figure;
const status = (...figures: Figure[]) => ({ figures }) as Pick<Status, "figures">;

it("knows nothing of a service that does not answer, or of an older version", () => {
  for (const statuses of [{}, { tasking: status(), interop: status(), messaging: status() }]) {
    expect(new Set(Object.values(tradeOf(statuses)))).toEqual(new Set([null]));
  }
});

it("counts loops, and says zero only where zero was told", () => {
  const tasking = status(told("carehub_loops", ["open", 7], ["overdue", 2], ["escalated", 0]));
  expect(tradeOf({ tasking }).loops).toEqual({ open: 7, overdue: 2, escalated: 0 });
  expect(tradeOf({ tasking: status(told("carehub_loops")) }).loops).toBeNull();
});

it("sums messages by what became of them, and says by which way", () => {
  const name = "carehub_notifications_total";
  const messaging = status(
    told(name, ["sent sms", 5], ["failed email", 4], ["changed none", 6], ["failed sms", 3]),
  );
  expect(kindsOf(messaging, name)).toEqual([
    {
      name: "failed",
      count: 7,
      ways: [
        { name: "email", count: 4 },
        { name: "sms", count: 3 },
      ],
    },
    { name: "changed", count: 6, ways: [] },
    { name: "sent", count: 5, ways: [{ name: "sms", count: 5 }] },
  ]);
  expect(kindsOf(status(told(name)), name)).toEqual([]);
});

it("never rounds up to all of them", () => {
  expect(shareOf({ count: 100_000, withinCount: 99_999 })).toBe(0.999);
  expect(shareOf({ count: 3, withinCount: 3 })).toBe(1);
});

it("says no more digits than matter", () => {
  expect([0.01234, 1.26, 12.6].map(rounded)).toEqual([0.012, 1.3, 13]);
});
