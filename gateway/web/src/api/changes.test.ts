import { describe, expect, test } from "vitest";
import { gathered, isTouched, NOTHING_WAITS } from "./changes";
import type { Frame } from "./stream/frames";

const task: Frame = { kind: "task", id: "t1", patientId: "p1" };
const loop: Frame = { kind: "loop", id: "l1", patientId: "p1" };
const patient: Frame = { kind: "patient", id: "p1", patientId: "p1" };
const visit: Frame = { kind: "encounter", id: "e1", patientId: "p1" };
const thread: Frame = { kind: "thread", id: "h1", patientId: "p1" };
const message: Frame = { kind: "message", id: "m1", patientId: "p1" };
const referral: Frame = { kind: "referral", id: "r1", patientId: "p1" };
const appointment: Frame = { kind: "appointment", id: "a1", patientId: "p1" };
const feed: Frame = { kind: "feed", id: "f1", patientId: "" };

const KEYS = {
  worklist: ["tasks", "worklist", "team", ""],
  counts: ["tasks", "counts", ""],
  task: ["tasks", "one", "t1"],
  otherTask: ["tasks", "one", "t2"],
  tasksOfLoop: ["tasks", "loop", "p1", "l1"],
  tasksOfPatient: ["tasks", "patient", "p1"],
  tasksOfOther: ["tasks", "patient", "p2"],
  loops: ["loops", "patient", "p1"],
  loopsOfOther: ["loops", "patient", "p2"],
  patient: ["patients", "p1"],
  otherPatient: ["patients", "p2"],
  visits: ["patients", "p1", "encounters"],
  search: ["patients", "search", "p1"],
  feeds: ["feeds"],
  thread: ["threads", "one", "h1"],
  otherThread: ["threads", "one", "h2"],
  threads: ["threads", "patient", "p1"],
  threadsOfOther: ["threads", "patient", "p2"],
  messages: ["messages", "p1"],
  messagesOfOther: ["messages", "p2"],
  telephone: ["telephone", ""],
  referrals: ["referrals", "p1"],
  referralsOfOther: ["referrals", "p2"],
  dayOfFacility: ["appointments", "day", "f1", "2026-09-08"],
  slots: ["appointments", "slots", "f1"],
  appointmentsOfPatient: ["appointments", "patient", "p1"],
  appointmentsOfOther: ["appointments", "patient", "p2"],
  appointment: ["appointments", "one", "a1"],
  otherAppointment: ["appointments", "one", "a2"],
  candidates: ["claims", "list", ""],
  candidate: ["claims", "one", "l1"],
  otherCandidate: ["claims", "one", "l2"],
  time: ["time", "p1"],
  timeOfOther: ["time", "p2"],
  staff: ["staff", ""],
};

const touchedBy = (...frames: Frame[]) => {
  const waiting = gathered(NOTHING_WAITS, frames);
  return Object.entries(KEYS).flatMap(([name, key]) => (isTouched(waiting, key) ? name : []));
};

describe("what a change makes old", () => {
  test("a task: the lists, their counts, itself, and the lists of its patient", () => {
    expect(touchedBy(task)).toEqual([
      "worklist",
      "counts",
      "task",
      "tasksOfLoop",
      "tasksOfPatient",
      "time",
    ]);
  });

  test("a loop, a visit, a feed: where they are shown", () => {
    expect(touchedBy(loop)).toEqual(["loops", "candidates", "candidate"]);
    expect(touchedBy(visit)).toEqual(["visits"]);
    expect(touchedBy(feed)).toEqual(["feeds"]);
    expect(touchedBy(referral)).toEqual(["referrals"]);
    expect(touchedBy(appointment)).toEqual([
      "dayOfFacility",
      "slots",
      "appointmentsOfPatient",
      "appointment",
    ]);
  });

  test("a patient: the record and the visits, and no other's", () => {
    expect(touchedBy(patient)).toEqual(["patient", "visits"]);
  });

  test("a thread, a message: the thread, the lists of the patient, and the telephones", () => {
    expect(touchedBy(thread)).toEqual(["thread", "threads"]);
    expect(touchedBy(message)).toEqual(["messages", "telephone"]);
  });

  test("several: each of them", () => {
    expect(touchedBy(loop, feed)).toEqual(["loops", "feeds", "candidates", "candidate"]);
  });

  test("a gap: everything that the stream tells of", () => {
    const told = Object.keys(KEYS).filter((name) => name !== "staff");
    expect(touchedBy(loop, { kind: "resync" })).toEqual(told);
  });
});

describe("gathering", () => {
  test("each thing waits once", () => {
    const waiting = gathered(gathered(NOTHING_WAITS, [task, task, loop]), [task]);
    expect(waiting.changes.size).toBe(2);
  });

  test("very much is everything", () => {
    const many = Array.from({ length: 400 }, (_, at): Frame => ({ ...feed, id: `f${at}` }));
    expect(gathered(NOTHING_WAITS, many).isAll).toBe(true);
  });
});
