/** Days of a calendar as an address and a field of a form have them: "2026-09-08". Pure. */
import { partsIn } from "@/ui/moments";

/** Whether it is a day that some calendar has. */
export function isDay(text: unknown): text is string {
  if (typeof text !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

const two = (value: number) => String(value).padStart(2, "0");

/** The day that it is at a place. */
export function dayAt(zone: string, at: Date): string {
  const { year, month, day } = partsIn(zone, at);
  return `${year}-${two(month)}-${two(day)}`;
}

export function shifted(day: string, by: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + by);
  return at.toISOString().slice(0, 10);
}

/** The seven days around it, from Monday on. */
export function weekOf(day: string): string[] {
  const sinceMonday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return Array.from({ length: 7 }, (_, index) => shifted(day, index - sinceMonday));
}

export function partsOf(day: string): { year: number; month: number; day: number } {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  return { year, month, day: date };
}
