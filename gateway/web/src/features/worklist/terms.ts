/** The words of a priority's terms in the chosen language. The API says them in English; unknown ones stay as they are. */
import type { useTranslations } from "use-intl";

type Translate = ReturnType<typeof useTranslations<"worklist.terms">>;

const PLAIN = {
  late: "late",
  "due today": "dueToday",
  "due tomorrow": "dueTomorrow",
  "not before its start": "notYet",
  "attempts documented, not reached": "attempted",
  "no contact yet": "noContact",
  "its loop needs it": "required",
  "taken by nobody": "nobody",
  "was declined": "declined",
} as const;

export function termWords(label: string, t: Translate): string {
  const plain = PLAIN[label as keyof typeof PLAIN];
  if (plain) return t(plain);
  const days = /^(\d+) days? late$/.exec(label);
  if (days) return t("daysLate", { days: Number(days[1]) });
  const level = /^escalated, level (\d+)$/.exec(label);
  if (level) return t("escalated", { level: Number(level[1]) });
  return label;
}

/** "+27", "−20". */
export function signed(points: number): string {
  return points < 0 ? `−${-points}` : `+${points}`;
}

/** The largest terms, and the rest as one, so that the line adds up to the number. */
export function cut<T extends { points: number }>(
  terms: readonly T[],
  most: number,
): { shown: T[]; rest: { count: number; points: number } | null } {
  if (terms.length <= most + 1) return { shown: [...terms], rest: null };
  const hidden = terms.slice(most);
  const points = hidden.reduce((sum, term) => sum + term.points, 0);
  return { shown: terms.slice(0, most), rest: { count: hidden.length, points } };
}
