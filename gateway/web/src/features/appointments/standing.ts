/** How an appointment stands, what can be done with it, and which ride goes with it. Pure. */
import type { Appointment, Referral, Slot } from "@/api/client";
import { RIDES } from "@/features/referrals/needs";
import { dayAt } from "./days";

export type State = Appointment["state"];
export type Doing = "checkIn" | "complete" | "miss" | "rebook" | "cancel";

/** What a feed tells of was booked in the facility's own system, and is cancelled there. */
export const isOfFeed = ({ bookedById }: Pick<Appointment, "bookedById">) => !bookedById;
export const isAhead = ({ state }: Pick<Appointment, "state">) =>
  state === "STATE_BOOKED" || state === "STATE_ARRIVED";

const startOf = ({ startTime }: Pick<Appointment, "startTime">) => new Date(startTime ?? 0);

/** What can be done now, as the hub would take it; the first is what most do. */
export function doingsOf(of: Appointment, zone: string, now: Date): Doing[] {
  const [today, its] = [dayAt(zone, now), dayAt(zone, startOf(of))];
  const done: Doing[] = today >= its ? ["complete"] : [];
  switch (of.state) {
    case "STATE_BOOKED":
      return [...onTheDay(of, today === its, now), ...done, ...giveUp(of)];
    case "STATE_ARRIVED":
      return done;
    case "STATE_NO_SHOW":
      return ["rebook", ...(today === its ? (["checkIn"] as const) : []), ...done];
    case "STATE_CANCELLED":
      return ["REBOOKED", "DECEASED"].includes(of.cancelReason) ? [] : ["rebook"];
    default:
      return [];
  }
}

function onTheDay(of: Appointment, isToday: boolean, now: Date): Doing[] {
  const came: Doing[] = isToday ? ["checkIn"] : [];
  return now >= startOf(of) ? [...came, "miss"] : came;
}

const giveUp = (of: Appointment): Doing[] => (isOfFeed(of) ? [] : ["rebook", "cancel"]);

/** The one that was booked in its place. */
export const followerOf = (of: Appointment, all: readonly Appointment[]) =>
  all.find(({ rebookedFromId }) => rebookedFromId === of.id);

const COUNTS = new Set<Referral["state"]>([
  "STATE_REQUESTED",
  "STATE_ACCEPTED",
  "STATE_IN_PROGRESS",
  "STATE_COMPLETED",
]);

/** The ride that somebody was asked for on the day of the appointment: one that was agreed on before one that was not. */
export function rideOf(
  of: Appointment,
  referrals: readonly Referral[],
  zone: string,
): Referral | undefined {
  const on = dayAt(zone, startOf(of));
  const that = referrals.filter(
    ({ need, state, details }) =>
      need === RIDES &&
      COUNTS.has(state) &&
      details?.startTime &&
      dayAt(zone, new Date(details.startTime)) === on,
  );
  return that.find(({ state }) => state !== "STATE_REQUESTED") ?? that[0];
}

/** Whether a cancellation now would be noted as late: nobody else can take the time anymore. */
export const LATE_MS = 24 * 3_600_000;
export const isLate = (of: Appointment, now: Date) =>
  startOf(of).getTime() - now.getTime() < LATE_MS;

/** What counts of a day: how many were agreed on, and how many of those did not come. */
export function countsOf(appointments: readonly Pick<Appointment, "state">[]) {
  const agreed = appointments.filter(({ state }) => state !== "STATE_CANCELLED");
  const missed = agreed.filter(({ state }) => state === "STATE_NO_SHOW");
  return { agreed: agreed.length, missed: missed.length };
}

export interface Offer {
  key: string;
  day: string;
  practitioner: string;
  slots: Slot[];
}

/** Free times by the day at the place, and by whose they are. */
export function offersOf(slots: readonly Slot[], zone: string): Offer[] {
  const offers = new Map<string, Offer>();
  for (const slot of slots) {
    const day = dayAt(zone, new Date(slot.startTime ?? 0));
    const key = `${day} ${slot.scheduleId}`;
    const offer = offers.get(key) ?? { key, day, practitioner: slot.practitioner, slots: [] };
    offer.slots.push(slot);
    offers.set(key, offer);
  }
  return [...offers.values()].sort(
    (a, b) => a.day.localeCompare(b.day) || a.practitioner.localeCompare(b.practitioner),
  );
}
