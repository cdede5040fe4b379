/** The accounts add up or raise the alarm; what is alike is found; a replay keeps the order. */
import { describe, expect, it } from "vitest";
import type { Feed, FeedMessage } from "@/api/client";
import { alike, secondsOf, sumOf } from "./accounts";
import { examples } from "./examples";
import { classIn, likely } from "./map-class";

const none = {
  received: "0",
  pending: "0",
  applied: "0",
  noOp: "0",
  quarantined: "0",
  ignored: "0",
  parked: "0",
  duplicates: "0",
  refused: "0",
};
const feed = (accounts: Partial<Feed["accounts"]>) => ({ accounts: { ...none, ...accounts } });

describe("sumOf", () => {
  it("adds up over feeds, without what was never stored", () => {
    const sum = sumOf([
      feed({
        received: "10",
        applied: "5",
        noOp: "2",
        quarantined: "1",
        parked: "1",
        pending: "1",
      }),
      feed({ received: "3", ignored: "3", duplicates: "7", refused: "2" }),
    ]);
    expect(sum).toMatchObject({ stored: 13, worked: 7, setAside: 2, ignored: 3, missing: 0 });
  });

  it("says how many are in no account", () => {
    expect(sumOf([feed({ received: "4", applied: "3" })]).missing).toBe(1);
    expect(sumOf([feed({ received: "3", applied: "4" })]).missing).toBe(-1);
  });
});

const message = (id: string, receiveTime: string, reason = "TIME_UNREADABLE", feedId = "f") =>
  ({
    id,
    feedId,
    receiveTime,
    reason,
    explanation: "EVN-2: not a time",
    state: "STATE_QUARANTINED",
    eventType: "ADT^A01",
  }) as FeedMessage;

describe("alike", () => {
  it("groups by feed and reason, the largest first, each oldest first", () => {
    const groups = alike([
      message("c", "2026-11-21T10:00:02Z"),
      message("x", "2026-11-21T10:00:00Z", "PATIENT_MISSING"),
      message("b", "2026-11-21T10:00:01Z"),
      message("y", "2026-11-21T10:00:00Z", "TIME_UNREADABLE", "g"),
    ]);
    expect(groups.map(({ messages }) => messages.map(({ id }) => id))).toEqual([
      ["b", "c"],
      ["x"],
      ["y"],
    ]);
    expect(groups[0]?.events).toEqual(["ADT A01"]);
  });
});

it("reads a duration of the API, and takes two hours where none is said", () => {
  expect(secondsOf("90s")).toBe(90);
  expect(secondsOf("1.5s")).toBe(1.5);
  expect(secondsOf(undefined)).toBe(7200);
});

describe("the class of a visit", () => {
  it("is found by the message's own delimiters", () => {
    expect(classIn(examples("MERCY").class)).toBe("4W-OBS");
    expect(classIn("MSH#!~\\&#EHR\rPV1#1#ER!more#x")).toBe("ER");
    expect(classIn("MSH|^~\\&|EHR\rPID|1")).toBe("");
    expect(classIn("")).toBe("");
  });

  it("is guessed from its first letter", () => {
    expect(["ER", "ip", "OBS", "zz", ""].map(likely)).toEqual(["E", "I", "O", "O", "O"]);
  });
});
