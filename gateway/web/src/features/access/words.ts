/** What an explanation says, in the order in which a screen says it. Pure. */
import type { Answer } from "./hooks";

/** "DATA_CLASS_VISITS" -> "VISITS", "LABEL_HIV" -> "HIV". */
export const wordOf = (name: string) => name.replace(/^(DATA_CLASS|LABEL|PURPOSE)_/, "");

/** Of sorts that rows bear: appointments are visits, and no row bears the sort that has their name. */
export const borne = <T extends Pick<Answer, "dataClasses">>(told: readonly T[]): T[] =>
  told
    .map((each) => ({
      ...each,
      dataClasses: each.dataClasses.filter((one) => one !== "DATA_CLASS_APPOINTMENTS"),
    }))
    .filter(({ dataClasses }) => dataClasses.length > 0);

/** Whether these show all, some or none of it. */
export function howMuch(answers: readonly Answer[]): "ALL" | "SOME" | "NONE" {
  if (!answers.some(({ isAllowed }) => isAllowed)) return "NONE";
  return answers.every(({ isAllowed }) => isAllowed) ? "ALL" : "SOME";
}

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
