import { expect, test } from "vitest";
import type { Line } from "./hooks";
import { GROUPS, grouped, nameOfLine, nextOf, stepFrom } from "./lines";

const line = (id: string, difference: Line["difference"], decision = "DECISION_UNSPECIFIED") =>
  ({ id, difference, decision, before: { name: `before ${id}` } }) as Line;

const LINES = [
  line("a", "DIFFERENCE_DIFFERENT", "DECISION_STOP"),
  line("b", "DIFFERENCE_ONLY_AFTER"),
  line("c", "DIFFERENCE_SAME", "DECISION_CONTINUE"),
  line("d", "DIFFERENCE_SAME"),
];

test("differences come first, and what has no line is not shown", () => {
  const found = grouped([...LINES].reverse());
  expect(found.map(({ group }) => group)).toEqual([GROUPS[0], GROUPS[1], GROUPS[3]]);
  expect(found.flatMap(({ lines }) => lines)).toHaveLength(LINES.length);
});

test("after a decision the next line that has none is there", () => {
  expect(nextOf(LINES, "a")).toBe("b");
  expect(nextOf(LINES, "b")).toBe("d");
  expect(nextOf(LINES, "d")).toBe("b");
  const decided = LINES.map((each) => ({ ...each, decision: "DECISION_STOP" }) as Line);
  expect(nextOf(decided, "a")).toBe("b");
  expect(nextOf(decided, "d")).toBe("d");
});

test("moving stays at the ends", () => {
  expect(stepFrom(LINES, "", 1)).toBe("a");
  expect(stepFrom(LINES, "a", -1)).toBe("a");
  expect(stepFrom(LINES, "a", 1)).toBe("b");
  expect(stepFrom(LINES, "d", 1)).toBe("d");
});

test("a line is called as after the stay, else as before", () => {
  expect(nameOfLine(LINES[0] as Line)).toBe("before a");
});
