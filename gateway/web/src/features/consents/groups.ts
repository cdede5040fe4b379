/** Consents in the order in which a screen tells them. Pure. */
import type { Consent } from "./hooks";

const GROUPS = ["inForce", "pending", "ended"] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Record<Consent["state"], Group> = {
  STATE_UNSPECIFIED: "inForce",
  STATE_IN_FORCE: "inForce",
  STATE_PENDING: "pending",
  STATE_EXPIRED: "ended",
  STATE_WITHDRAWN: "ended",
};

/** What holds now, then what will, then what did; of each, what was given last first. Groups without members are left out. */
export function grouped(consents: readonly Consent[]): { key: Group; members: Consent[] }[] {
  return GROUPS.map((key) => ({
    key,
    members: consents
      .filter(({ state }) => GROUP_OF[state] === key)
      .sort((a, b) => b.giveTime.localeCompare(a.giveTime)),
  })).filter(({ members }) => members.length > 0);
}
