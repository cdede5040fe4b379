import { describe, expect, test } from "vitest";
import { anOwner, aTask } from "@/testing/samples";
import { whyGone } from "./gone";
import { groupOf, inOrder } from "./groups";
import { factsOf } from "./know-first";
import { outcomesOf } from "./outcomes";
import { partsOf } from "./owner";
import { GONE_MS, settled, shown, swept } from "./steady";
import { cut, signed } from "./terms";

const CHICAGO = "America/Chicago";
const now = new Date("2026-09-09T18:12:00Z"); // Wednesday 13:12
const due = (day: number) => ({
  dueTime: `2026-09-${String(day + 1).padStart(2, "0")}T04:59:59Z`,
  dueDate: { year: 2026, month: 9, day },
});

describe("groups", () => {
  test.each([
    [8, "late"],
    [9, "today"],
    [10, "week"],
    [13, "week"],
    [14, "later"],
  ])("due on September %i is %s", (day, group) => {
    expect(groupOf(aTask(due(day)), now, CHICAGO)).toBe(group);
  });

  test("group by group, and in a group by priority: a late small thing does not vanish", () => {
    const big = aTask({ id: "big", ...due(9), priority: { score: 90, terms: [] } });
    const small = aTask({ id: "small", ...due(9), priority: { score: 10, terms: [] } });
    const late = aTask({ id: "late", ...due(8), priority: { score: 5, terms: [] } });
    const order = inOrder([small, big, late], (task) => groupOf(task, now, CHICAGO));
    expect(order.map(({ id }) => id)).toEqual(["late", "big", "small"]);
  });
});

describe("a steady list", () => {
  const group = () => "today" as const;
  const [a, b, c] = ["a", "b", "c"].map((id) => aTask({ id })) as [
    ReturnType<typeof aTask>,
    ReturnType<typeof aTask>,
    ReturnType<typeof aTask>,
  ];
  const before = shown({ tasks: [a, b], group });
  const fresh = { group, at: 1_000, mine: new Set<string>() };

  test("new rows wait, and nothing moves", () => {
    const after = settled(before, { ...fresh, tasks: [c, b, a] });
    expect(after.rows.map(({ task }) => task.id)).toEqual(["a", "b"]);
    expect(after.waiting).toBe(1);
  });

  test("a row that somebody else changed is marked, and mine is not", () => {
    const changed = { ...a, etag: '"2"' };
    const others = settled(before, { ...fresh, tasks: [changed, b] });
    expect(others.rows[0]).toMatchObject({ changedAt: 1_000, task: { etag: '"2"' } });
    const mine = settled(before, { ...fresh, tasks: [changed, b], mine: new Set(["a"]) });
    expect(mine.rows[0]?.changedAt).toBeUndefined();
  });

  test("what left the list greys out before it goes; what I closed goes at once", () => {
    const gone = settled(before, { ...fresh, tasks: [b] });
    expect(gone.rows[0]?.goneAt).toBe(1_000);
    const later = settled(gone, { ...fresh, tasks: [b], at: 1_000 + GONE_MS });
    expect(later.rows.map(({ task }) => task.id)).toEqual(["b"]);
    const mine = settled(before, { ...fresh, tasks: [b], mine: new Set(["a"]) });
    expect(mine.rows.map(({ task }) => task.id)).toEqual(["b"]);
  });
});

describe("a row that leaves", () => {
  const before = aTask();
  const now = (fields: Parameters<typeof aTask>[0]) => aTask({ etag: '"2"', ...fields });

  test("is gone after three seconds, asked anew or not", () => {
    const rows = [{ task: before, group: "today" as const, goneAt: 1_000 }];
    const list = { rows, waiting: 0 };
    expect(swept(list, 1_000 + GONE_MS - 1)).toBe(list);
    expect(swept(list, 1_000 + GONE_MS).rows).toEqual([]);
  });

  test("says why, and by whom", () => {
    const claimed = now({ owner: anOwner({ staffId: "tomasz", displayName: "Tomasz Wójcik" }) });
    expect(whyGone(before, claimed)).toEqual({ word: "claimed", who: "Tomasz Wójcik" });
    const moved = now({ owner: anOwner({ teamName: "Pharmacy" }) });
    expect(whyGone(before, moved)).toEqual({ word: "moved", who: "Pharmacy" });
    const done = { state: "STATE_COMPLETED", completedById: "ana" } as const;
    expect(whyGone(before, now(done))).toEqual({ word: "doneBy", staffId: "ana" });
    const byMessage = { ...done, completedById: "" };
    expect(whyGone(before, now(byMessage))).toEqual({ word: "byMessage" });
    expect(whyGone(before, now({ state: "STATE_CANCELLED" }))).toEqual({ word: "cancelled" });
  });

  test("says only that it left as long as no more is known", () => {
    expect(whyGone(before, undefined)).toEqual({ word: "left" });
    expect(whyGone(before, before)).toEqual({ word: "left" });
  });
});

describe("who has it", () => {
  test("a team and who answers for it, or a person alone", () => {
    expect(partsOf(anOwner())).toEqual({ name: "Nurses", lead: "D. Reyes" });
    const dots = anOwner({ teamName: "Night · lead nurses" });
    expect(partsOf(dots)).toEqual({ name: "Night · lead nurses", lead: "D. Reyes" });
    const taken = anOwner({ staffId: "ana", displayName: "Ana Lee", leadName: "" });
    expect(partsOf(taken)).toEqual({ name: "Ana Lee", lead: "" });
    const alone = anOwner({ teamId: "", teamName: "", displayName: "Ana Lee" });
    expect(partsOf(alone)).toEqual({ name: "Ana Lee", lead: "" });
    expect(partsOf(undefined)).toEqual({ name: "", lead: "" });
  });
});

describe("terms", () => {
  const terms = [27, 25, 12, 10].map((points) => ({ points }));

  test("the line adds up to the number", () => {
    const { shown: first, rest } = cut(terms, 2);
    expect(first).toHaveLength(2);
    expect(rest).toEqual({ count: 2, points: 22 });
  });

  test("one hidden term would take as much room as itself", () => {
    expect(cut(terms.slice(0, 3), 2)).toEqual({ shown: terms.slice(0, 3), rest: null });
  });

  test("minus is a minus", () => expect(signed(-20)).toBe("−20"));
});

describe("outcomes", () => {
  test("a contact is documented by attempts; what attempts show cannot be chosen", () => {
    const task = aTask({ outcomes: ["reached", "attempts_met", "declined"] });
    const { main, others } = outcomesOf(task);
    expect(main.map((outcome) => outcome.closes)).toEqual([true, false, false]);
    expect(others).toEqual([
      { kind: "attempt", result: "RESULT_WRONG_NUMBER", closes: false },
      { kind: "outcome", key: "declined", closes: true },
    ]);
  });

  test("any other task has its step's outcomes", () => {
    expect(outcomesOf(aTask({ outcomes: ["done", "declined"] })).main).toHaveLength(2);
  });
});

test("the newest remark or attempt comes first", () => {
  const task = aTask({
    comments: [{ time: "2026-09-07T10:00:00Z", staffId: "chw", text: "No ride for Friday." }],
    attempts: [
      {
        time: "2026-09-08T14:05:00Z",
        channel: "phone",
        result: "RESULT_NO_ANSWER",
        staffId: "nurse",
        isCounted: true,
        note: "",
      },
    ],
  });
  expect(factsOf([task]).map(({ staffId }) => staffId)).toEqual(["nurse", "chw"]);
});
