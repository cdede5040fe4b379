/** A list that does not move under the hand: new rows wait, rows change in place, what is gone greys out first. Pure. */
import type { Task } from "@/api/client";
import type { Group } from "./groups";

export const GONE_MS = 3_000;
export const MARKED_MS = 10_000;

export interface SteadyRow {
  task: Task;
  group: Group;
  /** When it left the list. */
  goneAt?: number;
  /** When somebody else changed it. */
  changedAt?: number;
}

export interface Steady {
  rows: SteadyRow[];
  /** How many wait to be shown. */
  waiting: number;
}

export const NOTHING: Steady = { rows: [], waiting: 0 };

interface Fresh {
  /** In their order. */
  tasks: readonly Task[];
  group: (task: Task) => Group;
  at: number;
  /** Tasks that I changed: nobody needs to tell me. */
  mine: ReadonlySet<string>;
}

/** Begin anew: everything that is there is shown, in its order. */
export function shown({ tasks, group }: Pick<Fresh, "tasks" | "group">): Steady {
  return { rows: tasks.map((task) => ({ task, group: group(task) })), waiting: 0 };
}

/** Take over what was asked anew, and keep every row where it is. */
export function settled(before: Steady, { tasks, at, mine }: Fresh): Steady {
  const fresh = new Map(tasks.map((task) => [task.id, task]));
  const rows: SteadyRow[] = [];
  for (const row of before.rows) {
    const task = fresh.get(row.task.id);
    fresh.delete(row.task.id);
    const next = task ? changed(row, task, at, mine) : gone(row, at, mine);
    if (next) rows.push(next);
  }
  return { rows, waiting: fresh.size };
}

function changed(row: SteadyRow, task: Task, at: number, mine: ReadonlySet<string>): SteadyRow {
  const isOthers = row.task.etag !== task.etag && !mine.has(task.id);
  const changedAt = isOthers ? at : row.changedAt;
  return { task, group: row.group, changedAt };
}

function gone(row: SteadyRow, at: number, mine: ReadonlySet<string>): SteadyRow | null {
  if (mine.has(row.task.id)) return null;
  const goneAt = row.goneAt ?? at;
  return at - goneAt < GONE_MS ? { ...row, goneAt } : null;
}

/** Without the rows that have been grey long enough. The same when there is none. */
export function swept(before: Steady, at: number): Steady {
  const rows = before.rows.filter(({ goneAt }) => goneAt === undefined || at - goneAt < GONE_MS);
  return rows.length === before.rows.length ? before : { ...before, rows };
}
