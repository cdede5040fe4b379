import { describe, expect, test } from "vitest";
import type { Appointment, Referral, Slot } from "@/api/client";
import { dayAt, isDay, shifted, weekOf } from "./days";
import { countsOf, doingsOf, followerOf, isLate, offersOf, rideOf } from "./standing";

const ZONE = "America/Denver";
const NOW = new Date("2026-09-08T16:05:00Z"); // 10:05 at the place

const appointment = (fields: Partial<Appointment> = {}) =>
  ({
    id: "a1",
    etag: '"1"',
    facilityId: "pine",
    patientId: "p1",
    scheduleId: "s1",
    state: "STATE_BOOKED",
    purpose: "PURPOSE_FOLLOW_UP",
    startTime: "2026-09-08T16:00:00Z",
    endTime: "2026-09-08T16:20:00Z",
    bookedById: "me",
    cancelReason: "",
    rebookedFromId: "",
    ...fields,
  }) as Appointment;

describe("days", () => {
  test("a day is one that a calendar has", () => {
    expect(isDay("2028-02-29")).toBe(true);
    for (const text of ["2026-02-29", "2026-13-01", "2026-9-8", "", undefined]) {
      expect(isDay(text)).toBe(false);
    }
  });

  test("a week begins on Monday, over the end of a year", () => {
    expect(weekOf("2027-01-03")).toEqual([
      "2026-12-28",
      "2026-12-29",
      "2026-12-30",
      "2026-12-31",
      "2027-01-01",
      "2027-01-02",
      "2027-01-03",
    ]);
    expect(weekOf("2026-12-28")[0]).toBe("2026-12-28");
  });

  test("it is another day at another place, and a shift knows no clock", () => {
    const late = new Date("2026-09-09T03:00:00Z");
    expect(dayAt(ZONE, late)).toBe("2026-09-08");
    expect(dayAt("Asia/Tokyo", late)).toBe("2026-09-09");
    expect(shifted("2026-11-01", 1)).toBe("2026-11-02");
  });
});

describe("what can be done", () => {
  const doings = (fields: Partial<Appointment>, now = NOW) =>
    doingsOf(appointment(fields), ZONE, now);

  test("ahead of its day it can be given up; a feed's only where it was booked", () => {
    const before = new Date("2026-09-07T16:00:00Z");
    expect(doings({}, before)).toEqual(["rebook", "cancel"]);
    expect(doings({ bookedById: "" }, before)).toEqual([]);
  });

  test("on its day somebody comes; not before it begins can they have missed it", () => {
    expect(doings({}, new Date("2026-09-08T15:00:00Z"))).toEqual([
      "checkIn",
      "complete",
      "rebook",
      "cancel",
    ]);
    expect(doings({})).toEqual(["checkIn", "miss", "complete", "rebook", "cancel"]);
  });

  test("who did not come can still come that day, and is booked again", () => {
    expect(doings({ state: "STATE_NO_SHOW" })).toEqual(["rebook", "checkIn", "complete"]);
    const next = new Date("2026-09-09T16:00:00Z");
    expect(doings({ state: "STATE_NO_SHOW" }, next)).toEqual(["rebook", "complete"]);
  });

  test("what was moved, or ended by a death, is not booked again", () => {
    const cancelled = { state: "STATE_CANCELLED" } as const;
    expect(doings({ ...cancelled, cancelReason: "PATIENT" })).toEqual(["rebook"]);
    expect(doings({ ...cancelled, cancelReason: "REBOOKED" })).toEqual([]);
    expect(doings({ ...cancelled, cancelReason: "DECEASED" })).toEqual([]);
    expect(doings({ state: "STATE_FULFILLED" })).toEqual([]);
  });

  test("the one in its place is found", () => {
    const after = appointment({ id: "a2", rebookedFromId: "a1" });
    expect(followerOf(appointment(), [appointment(), after])).toBe(after);
    expect(followerOf(after, [appointment(), after])).toBeUndefined();
  });

  test("a cancellation is late within a day", () => {
    expect(isLate(appointment(), new Date("2026-09-07T16:00:00Z"))).toBe(false);
    expect(isLate(appointment(), new Date("2026-09-07T16:00:01Z"))).toBe(true);
  });
});

describe("a ride", () => {
  const ride = (fields: Partial<Referral>, startTime = "2026-09-08T15:00:00Z") =>
    ({
      id: "r1",
      need: "transportation-insecurity",
      state: "STATE_REQUESTED",
      details: { startTime },
      ...fields,
    }) as Referral;
  const found = (...referrals: Referral[]) => rideOf(appointment(), referrals, ZONE)?.id;

  test("is one on the same day at the place, and an agreed one comes first", () => {
    expect(found(ride({}))).toBe("r1");
    expect(found(ride({}), ride({ id: "r2", state: "STATE_ACCEPTED" }))).toBe("r2");
    expect(found(ride({}, "2026-09-09T05:00:00Z"))).toBe("r1");
    expect(found(ride({}, "2026-09-09T07:00:00Z"))).toBeUndefined();
  });

  test("is nothing else, and none that came to nothing", () => {
    expect(found(ride({ need: "food-insecurity" }))).toBeUndefined();
    for (const state of ["STATE_DRAFT", "STATE_REJECTED", "STATE_FAILED", "STATE_CANCELLED"]) {
      expect(found(ride({ state: state as Referral["state"] }))).toBeUndefined();
    }
  });
});

test("of a day the cancelled ones do not count, and those who did not come do", () => {
  const states = ["STATE_BOOKED", "STATE_NO_SHOW", "STATE_CANCELLED"] as const;
  expect(countsOf(states.map((state) => ({ state })))).toEqual({ agreed: 2, missed: 1 });
});

test("free times stand by the day at the place and by whose they are", () => {
  const slot = (startTime: string, scheduleId: string, practitioner: string) =>
    ({ startTime, scheduleId, practitioner }) as Slot;
  const offers = offersOf(
    [
      slot("2026-09-09T03:00:00Z", "s1", "Ruiz"),
      slot("2026-09-09T03:00:00Z", "s2", "Adler"),
      slot("2026-09-09T16:00:00Z", "s1", "Ruiz"),
      slot("2026-09-09T16:20:00Z", "s1", "Ruiz"),
    ],
    ZONE,
  );
  expect(offers.map(({ day, practitioner, slots }) => [day, practitioner, slots.length])).toEqual([
    ["2026-09-08", "Adler", 1],
    ["2026-09-08", "Ruiz", 1],
    ["2026-09-09", "Ruiz", 2],
  ]);
});
