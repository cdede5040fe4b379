/** Examples to try a protocol on, and what a dry run says of its days. Pure. */
import type { Day, Filled, Loop } from "@/api/client";
import type { components } from "@/api/schema.gen";
import { DAY } from "@/ui/moments";

type Answer = Filled<components["schemas"]["tasking.DryRunProtocolResponse"]>;
/** What a dry run says. Without a loop the protocol opens none; with problems it says nothing else. */
export type DryRun = Omit<Answer, "loop" | "encounter"> &
  Partial<Pick<Answer, "encounter">> & { loop?: Loop };

/** What happens to the made-up patient after the discharge. */
export const STORIES = ["nothing", "readmitted", "seen", "moved", "died"] as const;
export type Story = (typeof STORIES)[number];

/** What the form holds. Empty times: the server chooses the hardest Friday. */
export interface Example {
  facilityId: string;
  leaves: string;
  visitClass: string;
  diagnoses: string;
  story: Story;
}

const HOURS_IN_HOSPITAL = 33;
const ELSEWHERE = "03";
const HOME = "01";

/** "2026-09-04T17:40" so many hours later, by the wall clock. */
export function later(local: string, hours: number): string {
  const at = new Date(`${local}:00Z`);
  at.setUTCHours(at.getUTCHours() + hours);
  return at.toISOString().slice(0, local.length);
}

const codes = (text: string) => text.split(/[\s,;]+/).filter(Boolean);

/** What is asked of the server. Without a time there is no visit to describe: it takes its own. */
export function requestOf(text: string, example: Example) {
  const { facilityId, leaves, visitClass, diagnoses, story } = example;
  if (!leaves) return { text, facilityId };
  const encounter = {
    visitClass,
    localAdmitTime: later(leaves, -HOURS_IN_HOSPITAL),
    localDischargeTime: leaves,
    dischargeDisposition: story === "moved" ? ELSEWHERE : HOME,
    diagnoses: codes(diagnoses),
    admissionType: "E",
  };
  const others = {
    readmitted: [{ visitClass: "INPATIENT", localAdmitTime: later(leaves, 3 * 24) }],
    seen: [{ visitClass: "OUTPATIENT", localAdmitTime: later(leaves, 6 * 24) }],
  };
  return {
    text,
    facilityId,
    encounter,
    patient: story === "died" ? { localDeathTime: later(leaves, 2 * 24) } : undefined,
    others: story === "readmitted" || story === "seen" ? others[story] : [],
  };
}

/** How many days or hours a deadline was counted, as the API says it in words; -1 when it does not. */
export function countIn(explanation: string): number {
  return Number(/^\d+/.exec(explanation)?.[0] ?? -1);
}

type RunDay = DryRun["days"][number];

export const numberOf = ({ year = 0, month = 1, day = 1 }: Day): number =>
  Date.UTC(year, month - 1, day) / DAY;

/** The days from the discharge on, with how many steps are due on each. */
export function strip(run: DryRun, from: number): { day: RunDay; due: number }[] {
  const due = new Map<number, number>();
  for (const { task } of run.tasks) {
    if (task.state === "STATE_CANCELLED" || !task.dueDate) continue;
    const number = numberOf(task.dueDate);
    due.set(number, (due.get(number) ?? 0) + 1);
  }
  return run.days
    .filter(({ date }) => date && numberOf(date) >= from)
    .map((day) => ({ day, due: due.get(numberOf(day.date ?? {})) ?? 0 }));
}
