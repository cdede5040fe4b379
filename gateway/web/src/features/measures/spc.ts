/** Run charts: what is chance and what is not. A p-chart with the usual rules. Pure. */

export interface Point {
  n: number;
  x: number;
}

export type Mark = "better" | "worse";
export type Verdict = "improving" | "same" | "worse" | "early";

export interface Charted {
  value: number;
  /** The ends of the normal swing: three standard deviations. */
  low: number;
  high: number;
  /** Where a rule fires: more than chance explains. */
  mark: Mark | null;
}

export interface RunChart {
  average: number;
  points: Charted[];
  verdict: Verdict;
}

/** The average stands on the first so many months, and stays. */
const BASELINE = 20;
const RUN = 8;
const TREND = 6;
/** With fewer months nobody can tell. */
const LEAST = 8;

export function runChart(points: readonly Point[], isMore: boolean, baseline = BASELINE): RunChart {
  const base = points.slice(0, baseline);
  const average = sum(base.map(({ x }) => x)) / Math.max(1, sum(base.map(({ n }) => n)));
  const values = points.map(({ n, x }) => x / n);
  const sigmas = points.map(({ n }) => Math.sqrt((average * (1 - average)) / n));
  const zs = values.map((value, at) => zOf(value - average, sigmas[at] ?? 0));
  const charted = values.map((value, at) => ({
    value,
    low: Math.max(0, average - 3 * (sigmas[at] ?? 0)),
    high: Math.min(1, average + 3 * (sigmas[at] ?? 0)),
    mark: markOf(directionAt(zs, values, at), isMore),
  }));
  return { average, points: charted, verdict: verdictOf(charted) };
}

function verdictOf(charted: readonly Charted[]): Verdict {
  if (charted.length < LEAST) return "early";
  const mark = charted.at(-1)?.mark;
  if (!mark) return "same";
  return mark === "better" ? "improving" : "worse";
}

function markOf(direction: number, isMore: boolean): Mark | null {
  if (direction === 0) return null;
  return direction > 0 === isMore ? "better" : "worse";
}

/** Up, down, or 0 where it may be chance: the first of the four rules that fires at a point. */
function directionAt(zs: readonly number[], values: readonly number[], at: number): number {
  const z = zs[at] ?? 0;
  if (Math.abs(z) > 3) return Math.sign(z);
  const ends = (length: number) => zs.slice(Math.max(0, at + 1 - length), at + 1);
  for (const side of [1, -1]) {
    const run = ends(RUN);
    if (run.length === RUN && run.every((one) => one * side > 0)) return side;
    if (isTrend(values.slice(Math.max(0, at + 1 - TREND), at + 1), side)) return side;
    const far = ends(3).filter((one) => one * side > 2);
    if (far.length >= 2 && z * side > 2) return side;
  }
  return 0;
}

function isTrend(last: readonly number[], side: number): boolean {
  if (last.length < TREND) return false;
  return last.slice(1).every((value, at) => (value - (last[at] ?? 0)) * side > 0);
}

const zOf = (distance: number, sigma: number) => (sigma > 0 ? distance / sigma : 0);
const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);
