/** What the network does for people, from the figures of its services. Pure. A figure that nobody tells is null, not zero. */
import type { Service, Status } from "./hooks";

export type Figure = Status["figures"][number];
export type Times = NonNullable<Figure["times"]>;

/** How many of one kind, and by which ways: "failed 3 (sms 2, email 1)". */
export interface Kind {
  name: string;
  count: number;
  ways: { name: string; count: number }[];
}

export interface Trade {
  loops: Record<"open" | "overdue" | "escalated", number> | null;
  broken: number | null;
  toTask: Times | null;
  acknowledged: Times | null;
  silent: number | null;
  heard: Kind[] | null;
  waiting: Record<"planned" | "leaving", number> | null;
  letters: Kind[] | null;
  reminders: Times | null;
}

type Statuses = Partial<Record<Service, Pick<Status, "figures"> | undefined>>;

export function tradeOf({ tasking, interop, messaging }: Statuses): Trade {
  return {
    loops: now(tasking, "carehub_loops", ["open", "overdue", "escalated"]),
    broken: total(tasking, "carehub_tasking_broken_promises"),
    toTask: timesOf(tasking, "carehub_message_to_task_seconds"),
    acknowledged: timesOf(interop, "carehub_mllp_ack_seconds"),
    silent: total(interop, "carehub_feeds_silent"),
    heard: kindsOf(interop, "carehub_feed_messages_total"),
    waiting: now(messaging, "carehub_messages_waiting", ["planned", "leaving"]),
    letters: kindsOf(messaging, "carehub_notifications_total"),
    reminders: timesOf(messaging, "carehub_reminder_lateness_seconds"),
  };
}

type Told = Pick<Status, "figures"> | undefined;
const figure = (status: Told, metric: string) =>
  status?.figures.find((each) => each.metric === metric);

/** By the first label, the most first; what it went by, where there is a second. */
export function kindsOf(status: Told, metric: string): Kind[] | null {
  const found = figure(status, metric);
  if (!found) return null;
  const kinds = new Map<string, Kind>();
  for (const { of, count } of found.counts) {
    const [name = "", way] = of;
    const kind = kinds.get(name) ?? { name, count: 0, ways: [] };
    kind.count += count;
    if (way && way !== "none") kind.ways.push({ name: way, count });
    kinds.set(name, kind);
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count);
}

/** What there is now. A gauge without a value was not read yet. */
function now<K extends string>(status: Told, metric: string, keys: readonly K[]) {
  const counts = figure(status, metric)?.counts ?? [];
  if (counts.length === 0) return null;
  const of = (key: K) => counts.find((each) => each.of[0] === key)?.count ?? 0;
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<K, number>;
}

function total(status: Told, metric: string): number | null {
  const counts = figure(status, metric)?.counts ?? [];
  return counts.length === 0 ? null : counts.reduce((sum, { count }) => sum + count, 0);
}

/** How long something took. */
export function timesOf(status: Told, metric: string): Times | null {
  return figure(status, metric)?.times ?? null;
}

/** "0.4" of what is short, "12" of what is not: nobody needs more. */
export function rounded(seconds: number): number {
  if (seconds < 1) return Math.round(seconds * 1000) / 1000;
  return seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
}

/** A share that is not whole never reads as whole. */
export function shareOf({ count, withinCount }: Pick<Times, "count" | "withinCount">): number {
  const share = withinCount / count;
  return withinCount < count ? Math.min(share, 0.999) : 1;
}
