import { expect, test } from "vitest";
import type { Referral } from "@/api/client";
import { momentIn } from "@/ui/moments";
import { type Asked, consentOf, isGiven, itemsOf, missingOf, NOT_GIVEN } from "./asking";
import { doingsOf, isOpen, waitingOn } from "./standing";

const NOW = new Date("2026-09-08T15:00:00Z");
const ZONE = "America/Chicago";

const referral = (more: Partial<Referral>) =>
  ({
    id: "r1",
    need: "transportation-insecurity",
    state: "STATE_REQUESTED",
    isQueued: false,
    loopId: "",
    createTime: "2026-09-08T12:00:00Z",
    ...more,
  }) as Referral;

test("a no stays open until somebody else was asked, and not forever", () => {
  const no = referral({ state: "STATE_REJECTED", endTime: "2026-09-08T13:00:00Z" });
  expect(isOpen(no, [no], NOW)).toBe(true);
  const next = referral({ id: "r2", createTime: "2026-09-08T14:00:00Z" });
  expect(isOpen(no, [next, no], NOW)).toBe(false);
  const other = referral({ ...next, need: "food-insecurity" });
  expect(isOpen(no, [other, no], NOW)).toBe(true);
  expect(isOpen(no, [no], new Date("2026-10-08T15:00:00Z"))).toBe(false);
});

test("what has ended otherwise is over, what has not is open", () => {
  const open = (state: Referral["state"]) => isOpen(referral({ state }), [], NOW);
  expect(open("STATE_DRAFT")).toBe(true);
  expect(open("STATE_IN_PROGRESS")).toBe(true);
  expect(open("STATE_COMPLETED")).toBe(false);
  expect(open("STATE_CANCELLED")).toBe(false);
});

test("what can be done follows from how it stands", () => {
  expect(doingsOf(referral({ state: "STATE_DRAFT" }))).toEqual(["send", "cancel"]);
  expect(doingsOf(referral({ state: "STATE_DRAFT", isQueued: true }))).toEqual(["cancel"]);
  expect(doingsOf(referral({}))).toEqual(["askNext", "answer", "link", "cancel"]);
  expect(doingsOf(referral({ state: "STATE_ACCEPTED" }))).toEqual(["answer", "link", "cancel"]);
  expect(doingsOf(referral({ state: "STATE_FAILED" }))).toEqual(["askNext"]);
  expect(doingsOf(referral({ state: "STATE_COMPLETED" }))).toEqual([]);
});

test("a loop waits on whoever was asked for it and has not answered", () => {
  const asked = referral({ loopId: "l1" });
  expect(waitingOn("l1", [referral({}), asked])).toBe(asked);
  expect(waitingOn("l1", [referral({ loopId: "l1", state: "STATE_ACCEPTED" })])).toBe(undefined);
});

test("times are those of the facility, in summer and in winter", () => {
  expect(momentIn(ZONE, "2026-09-11T08:30").toISOString()).toBe("2026-09-11T13:30:00.000Z");
  expect(momentIn(ZONE, "2026-12-11T08:30").toISOString()).toBe("2026-12-11T14:30:00.000Z");
  expect(momentIn("Asia/Tokyo", "2026-12-11T08:30").toISOString()).toBe("2026-12-10T23:30:00.000Z");
});

test("a ride needs a time that is to come; other help does not", () => {
  const ride = {
    need: "transportation-insecurity",
    facilityId: "f1",
    start: "2026-09-08T11:00",
    end: "2026-09-08T12:00",
  } as Asked;
  expect(missingOf(ride, ZONE, NOW)).toBe(null);
  expect(missingOf({ ...ride, end: "" }, ZONE, NOW)).toBe("time");
  expect(missingOf({ ...ride, end: "2026-09-08T11:00" }, ZONE, NOW)).toBe("order");
  expect(missingOf({ ...ride, start: "2026-09-08T09:00" }, ZONE, NOW)).toBe("past");
  const food = { ...ride, need: "food-insecurity", start: "", end: "" };
  expect(missingOf(food, ZONE, NOW)).toBe(null);
  expect(missingOf({ ...food, facilityId: "" }, ZONE, NOW)).toBe("facility");
});

test("what is left empty is not told", () => {
  expect(itemsOf({ firstName: "Marisol", telephone: " ", address: "", destination: "" })).toEqual([
    "ITEM_FIRST_NAME",
  ]);
});

test("a spoken consent has a witness, a signed one its evidence; never both", () => {
  const id = "1b4e28ba-2fa1-4d5b-883f-0016d3cca427";
  expect(isGiven(NOT_GIVEN)).toBe(false);
  const spoken = { ...NOT_GIVEN, witness: "N. Nurse", evidenceId: id, alsoIds: ["s2"] };
  expect(isGiven(spoken)).toBe(true);
  expect(consentOf(spoken, "s1", [])).toMatchObject({ evidenceId: "", serviceIds: ["s1", "s2"] });
  const signed = { ...spoken, form: "FORM_PAPER" as const };
  expect(consentOf(signed, "s1", [])).toMatchObject({ evidenceId: id, witness: "" });
  expect(isGiven({ ...signed, evidenceId: "x" })).toBe(false);
});
