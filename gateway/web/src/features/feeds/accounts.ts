/** Where messages went, as sums that must add up, and which of the set-aside ones are alike. Pure. */
import type { Feed, FeedMessage } from "@/api/client";

export const STATES = {
  applied: "STATE_APPLIED",
  noOp: "STATE_NO_OP",
  quarantined: "STATE_QUARANTINED",
  parked: "STATE_PARKED",
  ignored: "STATE_IGNORED",
  pending: "STATE_PENDING",
} as const;
/** The short names of the states, as they stand in the address. */
export type StateKey = keyof typeof STATES;
export const STATE_KEYS = Object.keys(STATES) as StateKey[];

export function stateKey(state: FeedMessage["state"]): StateKey | undefined {
  return STATE_KEYS.find((key) => STATES[key] === state);
}

/** What somebody has to look at. */
export const isSetAside = (key: StateKey | undefined) => key === "quarantined" || key === "parked";

export interface Sum extends Record<StateKey, number> {
  stored: number;
  duplicates: number;
  refused: number;
  worked: number;
  setAside: number;
  /** Stored and in no account: anything but 0 is an alarm. */
  missing: number;
}

export function sumOf(feeds: readonly Pick<Feed, "accounts">[]): Sum {
  const total = (name: keyof Feed["accounts"]) =>
    feeds.reduce((sum, { accounts }) => sum + Number(accounts[name]), 0);
  const states = Object.fromEntries(STATE_KEYS.map((key) => [key, total(key)]));
  const { applied, noOp, quarantined, parked, ignored, pending } = states as Record<
    StateKey,
    number
  >;
  const stored = total("received");
  return {
    stored,
    applied,
    noOp,
    quarantined,
    parked,
    ignored,
    pending,
    duplicates: total("duplicates"),
    refused: total("refused"),
    worked: applied + noOp,
    setAside: quarantined + parked,
    missing: stored - applied - noOp - quarantined - parked - ignored - pending,
  };
}

/** Messages of one feed that are set aside for the same reason at the same place. */
export interface Alike {
  key: string;
  feedId: string;
  reason: string;
  explanation: string;
  state: StateKey;
  events: string[];
  /** The oldest first: the order in which they are replayed. */
  messages: FeedMessage[];
}

const bySender = (left: FeedMessage, right: FeedMessage) =>
  (left.receiveTime ?? "").localeCompare(right.receiveTime ?? "") ||
  left.id.localeCompare(right.id);

/** Groups, the largest first. */
export function alike(messages: readonly FeedMessage[]): Alike[] {
  const groups = new Map<string, FeedMessage[]>();
  for (const message of messages) {
    const key = [message.feedId, message.state, message.reason, message.explanation].join("|");
    groups.set(key, [...(groups.get(key) ?? []), message]);
  }
  return [...groups]
    .map(([key, found]) => groupOf(key, found.sort(bySender)))
    .sort((left, right) => right.messages.length - left.messages.length);
}

function groupOf(key: string, messages: FeedMessage[]): Alike {
  const [first] = messages as [FeedMessage];
  return {
    key,
    feedId: first.feedId,
    reason: first.reason,
    explanation: first.explanation,
    state: stateKey(first.state) ?? "quarantined",
    events: [...new Set(messages.map(({ eventType }) => eventType.replace("^", " ")))].sort(),
    messages,
  };
}

/** Whether the alarm of a silence does not sound now. */
export function isMuted(feed: Pick<Feed, "mute">, now: Date): boolean {
  // A feed that nobody muted has no such part.
  const until = (feed.mute as Feed["mute"] | undefined)?.untilTime;
  return until !== undefined && new Date(until) > now;
}

/** "7200s", as the API says it. */
export function secondsOf(duration: string | undefined): number {
  const found = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? "");
  return found ? Number(found[1]) : 7200;
}
