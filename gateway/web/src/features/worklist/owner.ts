/** Who has a task, taken apart: the API says "Transition nurses · lead D. Reyes" in one line. Pure. */
import type { Task } from "@/api/client";

const LEAD = " · lead ";

export interface OwnerParts {
  /** The person's or the team's name. */
  name: string;
  /** Who leads the team and answers for it; empty for a person. */
  lead: string;
}

export function partsOf(owner: Task["owner"]): OwnerParts {
  const shown = owner?.displayName ?? "";
  const at = owner?.staffId ? -1 : shown.lastIndexOf(LEAD);
  if (at < 0) return { name: shown, lead: "" };
  return { name: shown.slice(0, at), lead: shown.slice(at + LEAD.length) };
}
