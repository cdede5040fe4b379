/** The picture is drawn from the text: what is read from it, and where it stands. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bandsOf, inOrder, lanesOf } from "./layout";
import { distinct, parseProtocol, type Shape } from "./parse";

const FILE = "../../services/tasking/protocols/discharge-transition.yaml";
const shape = parseProtocol(readFileSync(FILE, "utf8")) as Shape;
const step = (key: string) => {
  const found = shape.steps.find((one) => one.key === key);
  if (!found) throw new Error(key);
  return found;
};

describe("parseProtocol", () => {
  it("reads the protocol that comes with CareHub", () => {
    expect(shape.title).toBe("Discharge transition");
    expect(shape.steps).toHaveLength(10);
    expect(shape.keyDates).toHaveLength(4);
    expect(distinct(shape.endings)).toHaveLength(4);
  });

  it("splits what counts, counts too and never counts", () => {
    const { doneWhen, alsoCounts, neverCounts, rungs, attempts } = step("contact");
    expect(doneWhen).toHaveLength(1);
    expect(alsoCounts[0]).toMatch(/^Two separate attempts/);
    expect(neverCounts[0]).toMatch(/^A voicemail/);
    expect(rungs.map(({ notify }) => notify)).toEqual(["lead", "facility_admin", "duty_team"]);
    expect(attempts).toEqual({ needed: 2, hoursApart: 2 });
  });

  it("knows the line of a step", () => {
    const text = readFileSync(FILE, "utf8").split("\n");
    expect(text[step("contact").line - 1]).toContain("key: contact");
  });

  it("says null while the text is no YAML, and lives with parts that are missing", () => {
    expect(parseProtocol("steps: [")).toBeNull();
    expect(parseProtocol("")?.steps).toEqual([]);
    expect(parseProtocol("steps: [{key: a, deadline: soon}]")?.steps[0]?.deadlines).toEqual([]);
    expect(parseProtocol("steps: 3\nladders: []")?.steps).toEqual([]);
  });
});

describe("layout", () => {
  const bands = bandsOf(shape.steps);
  const lanes = lanesOf(shape.steps, bands);
  const placed = (key: string) =>
    lanes.flatMap((lane) => lane.placed).find((one) => one.step.key === key);

  it("has a band to each moment at which something is due", () => {
    const days = bands.map(({ after, to }) => `${after} ${to / 24}`);
    expect(days).toEqual([
      "admission 2",
      "admission 3",
      "admission 7",
      "discharge 2",
      "discharge 3",
      "discharge 7",
      "discharge 14",
      "discharge 29",
    ]);
  });

  it("ends a box where its deadline ends", () => {
    expect(placed("contact")?.boxes).toMatchObject([{ from: 3, to: 3 }]);
    expect(placed("home_visit")?.boxes).toMatchObject([{ from: 4, to: 4 }]);
    expect(placed("visit")?.boxes).toMatchObject([
      { from: 3, to: 5, isElse: false },
      { from: 6, to: 6, isElse: true },
    ]);
    expect(placed("close")).toMatchObject({ marksFrom: -1 });
  });

  it("lets nothing overlap within a lane", () => {
    for (const { placed: mine } of lanes) {
      const cells = mine.flatMap(({ boxes, row }) =>
        boxes.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, at) => `${row}:${from + at}`),
        ),
      );
      expect(new Set(cells).size).toBe(cells.length);
    }
  });

  it("has a lane for each role", () => {
    expect(lanes.map(({ role }) => role)).toEqual([
      "coordinator",
      "scheduler",
      "nurse",
      "pharmacist",
      "community_health_worker",
    ]);
  });

  it("sorts by what is due first, in hospital before at home", () => {
    const order = inOrder(shape.steps).map(({ key }) => key);
    expect(order.indexOf("watch_discharge")).toBeLessThan(order.indexOf("contact"));
    expect(order.at(-1)).toBe("close");
  });
});
