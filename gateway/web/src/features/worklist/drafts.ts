/** What somebody wrote of a task and has not saved, for as long as the window is there: it outlives the screen that it was written on. */
import { useSyncExternalStore } from "react";

/** A note with an outcome, or why a task is handed back. */
export type Field = "note" | "decline";

const drafts = new Map<string, string>();
const listeners = new Set<() => void>();

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

const keyOf = (taskId: string, field: Field) => `${field} ${taskId}`;

/** Empty once it is saved. */
export function keepDraft(taskId: string, field: Field, text: string): void {
  if (text) drafts.set(keyOf(taskId, field), text);
  else drafts.delete(keyOf(taskId, field));
  for (const tell of listeners) tell();
}

export function useDraft(taskId: string, field: Field): [string, (text: string) => void] {
  const text = useSyncExternalStore(subscribe, () => drafts.get(keyOf(taskId, field)) ?? "");
  return [text, (changed) => keepDraft(taskId, field, changed)];
}
