/** Where a protocol's steps stand in the picture: bands of time, lanes of roles, rows within a lane. Pure. */
import type { Anchor, Deadline, Rung, Step } from "./parse";

const HOURS_A_DAY = 24;

/** About how long; enough to put one after the other. Business days are counted by the server. */
export function hoursOf({ unit, count }: Deadline): number {
  return unit === "hours" ? count : count * HOURS_A_DAY;
}

export interface Band {
  after: Anchor;
  /** The deadlines that end here. */
  ends: Deadline[];
  /** In hours after the anchor. */
  from: number;
  to: number;
}

/** One band to each moment at which a deadline ends: those in hospital, then those after the discharge. */
export function bandsOf(steps: readonly Step[]): Band[] {
  const deadlines = steps.flatMap((step) => step.deadlines);
  return (["admission", "discharge"] as const).flatMap((after) => {
    const mine = deadlines.filter((one) => one.after === after);
    const moments = [...new Set(mine.map(hoursOf))].sort((left, right) => left - right);
    return moments.map((to, at) => ({
      after,
      from: moments[at - 1] ?? 0,
      to,
      ends: mine.filter((one) => hoursOf(one) === to),
    }));
  });
}

/** One box: a step up to one of its deadlines. */
export interface Box {
  step: Step;
  /** The deadline that it ends at. */
  deadline: Deadline;
  /** The second box of a step whose deadline depends on a condition. */
  isElse: boolean;
  /** Bands, counted from 0; `to` is included. */
  from: number;
  to: number;
}

export interface Placed {
  step: Step;
  boxes: Box[];
  /** The band at which its ladder stands, or -1: below the box, where no band is left. */
  marksFrom: number;
  row: number;
}

export interface Lane {
  role: string;
  placed: Placed[];
  rows: number;
}

/** So many bands are kept free for the marks beside a box. */
const MARK_BANDS = 2;

export function lanesOf(steps: readonly Step[], bands: readonly Band[]): Lane[] {
  const roles = [...new Set(steps.map(({ role }) => role))];
  return roles.map((role) => laneOf(role, steps, bands));
}

function laneOf(role: string, steps: readonly Step[], bands: readonly Band[]): Lane {
  const rows: boolean[][] = [];
  const placed = steps
    .filter((step) => step.role === role)
    .flatMap((step) => {
      const boxes = boxesOf(step, bands);
      const [first, last] = [boxes[0], boxes.at(-1)];
      if (!first || !last) return [];
      const isLast = last.to === bands.length - 1;
      const marksFrom = step.rungs.length === 0 || isLast ? -1 : last.to + 1;
      const end = Math.min(bands.length - 1, marksFrom < 0 ? last.to : last.to + MARK_BANDS);
      const row = freeRow(rows, first.from, end);
      return [{ step, boxes, marksFrom, row }];
    });
  return { role, placed, rows: rows.length };
}

function freeRow(rows: boolean[][], from: number, to: number): number {
  const bands = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  let row = rows.findIndex((taken) => bands.every((band) => !taken[band]));
  if (row < 0) row = rows.push([]) - 1;
  for (const band of bands) (rows[row] as boolean[])[band] = true;
  return row;
}

function boxesOf(step: Step, bands: readonly Band[]): Box[] {
  const sorted = [...step.deadlines].sort((left, right) => hoursOf(left) - hoursOf(right));
  let from = -1;
  return sorted.map((deadline, at) => {
    const to = bands.findIndex(
      (band) => band.after === deadline.after && band.to === hoursOf(deadline),
    );
    if (from < 0) from = Math.min(to, startOf(step, deadline.after, bands));
    const box = { step, deadline, isElse: at > 0, from: Math.min(from, to), to };
    from = to + 1;
    return box;
  });
}

/** The band in which a step can first be done. */
function startOf({ start }: Step, after: Anchor, bands: readonly Band[]): number {
  const begins = start && start.after === after ? hoursOf(start) : 0;
  return bands.findIndex((band) => band.after === after && band.to > begins);
}

/** How wide each band is, as shares: wide where a box lies in it alone, narrow where boxes only pass through. */
export function sharesOf(lanes: readonly Lane[], bands: readonly Band[]): number[] {
  const boxes = lanes.flatMap(({ placed }) => placed.flatMap((one) => one.boxes));
  return bands.map((_, at) => {
    const alone = boxes.filter(({ from, to }) => from === at && to === at);
    if (alone.some(({ isElse }) => !isElse)) return 1.35;
    return alone.length > 0 ? 1 : 0.75;
  });
}

/** The rungs that the picture shows: of the ladder that most steps have, only who hears of it when it is late. */
export function marksOf({ rungs, ladder }: Step): Rung[] {
  const sorted = [...rungs].sort(rungOrder);
  if (ladder !== "default") return sorted;
  return sorted.filter(({ at }) => at === undefined || at >= 100).slice(0, 1);
}

/** Steps in the order in which they are due. */
export function inOrder(steps: readonly Step[]): Step[] {
  const due = ({ deadlines }: Step) => {
    const [first] = deadlines;
    if (!first) return Number.POSITIVE_INFINITY;
    return hoursOf(first) + (first.after === "discharge" ? 1e6 : 0);
  };
  return [...steps].sort((left, right) => due(left) - due(right));
}

/** When a rung comes, to sort a ladder: parts of the time first, then hours after it. */
export function rungOrder(left: Rung, right: Rung): number {
  const weight = ({ at, hoursLate }: Rung) => at ?? 100 + (hoursLate ?? 0);
  return weight(left) - weight(right);
}
