import { describe, expect, test } from "vitest";
import { type Point, runChart } from "./spc";

// The published vector.
const N = [120, 135, 110, 128, 140, 125, 118, 132, 127, 121, 138, 130];
const X = [18, 22, 15, 21, 25, 19, 17, 12, 13, 11, 14, 12];
const VECTOR: Point[] = N.map((n, at) => ({ n, x: X[at] ?? 0 }));

const marks = (points: Point[], isMore = true, baseline?: number) =>
  runChart(points, isMore, baseline).points.map(({ mark }) => mark);
const flat = (count: number, x = 50): Point[] =>
  Array.from({ length: count }, () => ({ n: 100, x }));
const swinging = (count: number): Point[] =>
  Array.from({ length: count }, (_, at) => ({ n: 100, x: at % 2 ? 52 : 48 }));

describe("a run chart", () => {
  test("has the average and the normal swing of the published vector", () => {
    const chart = runChart(VECTOR, false);
    expect(chart.average).toBeCloseTo(0.130577, 6);
    expect(chart.points[0]?.low).toBeCloseTo(0.0383, 4);
    expect(chart.points[0]?.high).toBeCloseTo(0.2229, 4);
    expect(chart.points.filter(({ mark }) => mark)).toEqual([]);
    expect(chart.verdict).toBe("same");
  });

  test("does not call too early: seven low points are no signal, eight are", () => {
    const frozen = runChart(VECTOR, false, 7);
    expect(frozen.average).toBeCloseTo(0.156393, 6);
    expect(frozen.points.every(({ mark }) => mark === null)).toBe(true);
    const longer = [...VECTOR, ...Array.from({ length: 3 }, () => ({ n: 125, x: 13 }))];
    expect(marks(longer, false, 7).slice(-4)).toEqual([null, "better", "better", "better"]);
    expect(runChart(longer, true, 7).verdict).toBe("worse");
  });

  test("marks a point beyond three deviations", () => {
    const found = marks([...swinging(20), { n: 100, x: 75 }, { n: 100, x: 50 }]);
    expect(found.slice(-2)).toEqual(["better", null]);
  });

  test("marks the sixth of six that rise, and of six that fall", () => {
    const rising = [46, 47, 48, 50, 51, 52].map((x) => ({ n: 100, x }));
    expect(marks([...swinging(20), ...rising]).at(-1)).toBe("better");
    expect(marks([...swinging(20), ...rising].slice(0, -1)).at(-1)).toBeNull();
    expect(marks([...swinging(20), ...rising.reverse()]).at(-1)).toBe("worse");
  });

  test("marks the second of three beyond two deviations", () => {
    const far = { n: 100, x: 61 };
    expect(marks([...swinging(20), far]).at(-1)).toBeNull();
    expect(marks([...swinging(20), far, { n: 100, x: 49 }, far]).at(-1)).toBe("better");
  });

  test("says that it is too early, and of nothing but ones or zeros nothing", () => {
    expect(runChart(flat(7), true).verdict).toBe("early");
    expect(runChart([], true)).toEqual({ average: 0, points: [], verdict: "early" });
    expect(runChart(flat(12, 100), true).verdict).toBe("same");
  });
});
