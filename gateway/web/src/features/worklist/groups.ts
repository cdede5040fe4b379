/** The groups of a worklist and the order in them. Pure. */
import type { Task } from "@/api/client";
import { dayIn, dayNumber, fullDay } from "@/ui/moments";

export const GROUPS = ["late", "today", "week", "later"] as const;
export type Group = (typeof GROUPS)[number];

/** By the clock of the task's facility; a week ends on Sunday. */
export function groupOf(task: Task, now: Date, zone: string): Group {
  if (!task.dueTime) return "later";
  if (Date.parse(task.dueTime) < now.getTime()) return "late";
  const today = dayIn(zone, now);
  const day = fullDay(task.dueDate);
  const due = day ? dayNumber(day) : dayIn(zone, new Date(task.dueTime));
  if (due <= today) return "today";
  return due <= endOfWeek(today) ? "week" : "later";
}

/** Day 0 was a Thursday. */
function endOfWeek(today: number): number {
  const weekday = (today + 3) % 7; // Monday is 0
  return today + 6 - weekday;
}

/** Group by group, in each by priority, then the sooner due; the same order whatever page a task came with. */
export function inOrder(tasks: readonly Task[], group: (task: Task) => Group): Task[] {
  const rank = new Map(tasks.map((task) => [task.id, GROUPS.indexOf(group(task))]));
  const score = (task: Task) => task.priority?.score ?? 0;
  return [...tasks].sort(
    (a, b) =>
      (rank.get(a.id) ?? 0) - (rank.get(b.id) ?? 0) ||
      score(b) - score(a) ||
      (a.dueTime ?? "").localeCompare(b.dueTime ?? "") ||
      a.id.localeCompare(b.id),
  );
}
