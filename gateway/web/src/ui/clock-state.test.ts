import { expect, test } from "vitest";
import { aTask } from "@/testing/samples";
import { clockState } from "./clock-state";

const at = (text: string) => new Date(text);
const task = aTask({ startTime: "2026-09-09T06:00:00Z", dueTime: "2026-09-10T06:00:00Z" });

test("it is on track until 60 % of its window is used", () => {
  expect(clockState(task, at("2026-09-09T20:00:00Z")).word).toBe("onTrack");
  expect(clockState(task, at("2026-09-09T20:25:00Z")).word).toBe("soon");
});

test("it is due soon when four hours are left, however long the window", () => {
  const long = { ...task, startTime: "2026-09-10T01:00:00Z" };
  expect(clockState(long, at("2026-09-10T02:01:00Z")).word).toBe("soon");
});

test("what is late is overdue while somebody is left to tell, then escalated", () => {
  const late = at("2026-09-10T07:00:00Z");
  expect(clockState(task, late)).toMatchObject({ word: "overdue", span: 3_600_000 });
  const climbing = { ...task, escalationLevel: 2, nextEscalationTime: "2026-09-11T06:00:00Z" };
  expect(clockState(climbing, late).word).toBe("overdue");
  expect(clockState({ ...task, escalationLevel: 3 }, late).word).toBe("escalated");
});

test("what starts within a minute has started: the server's clock may be ahead", () => {
  expect(clockState(task, at("2026-09-09T05:59:59.700Z"))).toMatchObject({
    word: "onTrack",
    used: 0,
  });
  expect(clockState(task, at("2026-09-09T05:59:01Z")).word).toBe("onTrack");
  expect(clockState(task, at("2026-09-09T05:59:00Z"))).toEqual({
    word: "notYet",
    span: 60_000,
    used: 0,
  });
});

test("it says what has not begun, and what is over", () => {
  expect(clockState(task, at("2026-09-09T05:00:00Z")).word).toBe("notYet");
  expect(clockState({ ...task, state: "STATE_COMPLETED" }, at("2026-09-12T00:00:00Z")).word).toBe(
    "closed",
  );
  expect(clockState({ ...task, state: "STATE_CANCELLED" }, at("2026-09-12T00:00:00Z")).word).toBe(
    "cancelled",
  );
});
