/** What an explanation says, in the order in which a screen says it. Pure. */
import type { Answer } from "./hooks";

/** "DATA_CLASS_VISITS" -> "VISITS", "LABEL_HIV" -> "HIV". */
export const wordOf = (name: string) => name.replace(/^(DATA_CLASS|LABEL|PURPOSE)_/, "");

/** What an explanation says for "2026-11-28 14:05 UTC", as an instant. */
export function untilOf(text: string | undefined): Date | null {
  const found = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}) UTC$/.exec(text ?? "");
  return found ? new Date(`${found[1]}T${found[2]}:00Z`) : null;
}

interface Alike {
  /** "HIV" */
  labels: string[];
  answers: Answer[];
}

/** Labels for which the same is shown, by the same facts, together. */
export function alike(answers: readonly Answer[]): Alike[] {
  const found = new Map<string, Alike>();
  for (const label of new Set(answers.map(({ labels: [first] }) => first ?? ""))) {
    const theirs = answers.filter(({ labels: [first] }) => first === label);
    const said = JSON.stringify(
      theirs.map(({ dataClasses, isAllowed, lines }) => [
        dataClasses,
        isAllowed,
        lines.map(({ key, factId, params }) => [key, factId, params.until, params.reason]),
      ]),
    );
    const same = found.get(said) ?? { labels: [], answers: theirs };
    found.set(said, { ...same, labels: [...same.labels, wordOf(label)] });
  }
  return [...found.values()];
}
