/** Examples as they are asked for, and what is read from the words of an answer. */
import { describe, expect, it } from "vitest";
import { countIn, type DryRun, type Example, later, numberOf, requestOf, strip } from "./dry-run";

const EXAMPLE: Example = {
  facilityId: "f",
  leaves: "2026-09-04T17:40",
  visitClass: "INPATIENT",
  diagnoses: "I50.9, E11.9",
  story: "nothing",
};

describe("requestOf", () => {
  it("asks for the server's own example while no time is chosen", () => {
    expect(requestOf("text", { ...EXAMPLE, leaves: "" })).toEqual({
      text: "text",
      facilityId: "f",
    });
  });

  it("describes a stay that ends at the chosen time", () => {
    expect(requestOf("text", EXAMPLE)).toMatchObject({
      encounter: {
        localAdmitTime: "2026-09-03T08:40",
        localDischargeTime: "2026-09-04T17:40",
        dischargeDisposition: "01",
        diagnoses: ["I50.9", "E11.9"],
      },
      others: [],
    });
  });

  it.each([
    ["readmitted", { others: [{ visitClass: "INPATIENT", localAdmitTime: "2026-09-07T17:40" }] }],
    ["seen", { others: [{ visitClass: "OUTPATIENT", localAdmitTime: "2026-09-10T17:40" }] }],
    ["moved", { encounter: { dischargeDisposition: "03" } }],
    ["died", { patient: { localDeathTime: "2026-09-06T17:40" } }],
  ] as const)("goes on as told: %s", (story, expected) => {
    expect(requestOf("text", { ...EXAMPLE, story })).toMatchObject(expected);
  });
});

it("counts hours by the wall clock, over the end of a month", () => {
  expect(later("2026-12-31T23:30", 1)).toBe("2027-01-01T00:30");
});

it("reads how many days or hours were counted", () => {
  expect(countIn("2 business days after 2026-09-04; 2026-09-05 does not count")).toBe(2);
  expect(countIn("72 hours after 2026-09-04 17:40")).toBe(72);
  expect(countIn("When the moon is full")).toBe(-1);
});

it("shows the days from the discharge on, and on which of them something is due", () => {
  const day = (date: number) => ({
    date: { year: 2026, month: 9, day: date },
    isBusinessDay: true,
    holiday: "",
    clockChangeMinutes: 0,
  });
  const due = (date: number, state: string) => ({
    task: { dueDate: { year: 2026, month: 9, day: date }, state },
  });
  const run = {
    days: [day(3), day(4), day(5), day(6)],
    tasks: [due(5, "STATE_OPEN"), due(5, "STATE_OPEN"), due(6, "STATE_CANCELLED")],
  } as unknown as DryRun;
  const shown = strip(run, numberOf({ year: 2026, month: 9, day: 4 }));
  expect(shown.map(({ day: one, due: count }) => [one.date?.day, count])).toEqual([
    [4, 0],
    [5, 2],
    [6, 0],
  ]);
});
