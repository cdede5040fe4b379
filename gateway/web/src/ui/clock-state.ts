/** What a clock says: one rule for every row, card and pane. Pure. */
import { HOUR, MINUTE } from "./moments";

export type ClockWord =
  | "onTrack"
  | "soon"
  | "overdue"
  | "escalated"
  | "notYet"
  | "closed"
  | "cancelled";

export interface Ticking {
  startTime?: string;
  dueTime?: string;
  closeTime?: string;
  nextEscalationTime?: string;
  escalationLevel?: number;
  state: string;
}

export interface ClockState {
  word: ClockWord;
  /** Milliseconds left, or late, or until it starts. */
  span: number;
  /** The share of the window that is used, 0 to 1. */
  used: number;
}

const SOON_SHARE = 0.6;
const SOON_LEFT = 4 * HOUR;
/** What starts sooner has started: the server's clock may be a little ahead of this one's. */
const BEGUN = MINUTE;

/**
 * Due soon: 60 % of the window used, or four hours left. Escalated: the ladder is at its end, the duty team was told and
 * nobody is left to tell. What is late with rungs to go is overdue, so that plum stays rare.
 */
export function clockState(task: Ticking, now: Date): ClockState {
  const at = (time: string | undefined) => (time ? Date.parse(time) : Number.NaN);
  const [start, due] = [at(task.startTime), at(task.dueTime)];
  if (task.state === "STATE_COMPLETED" || task.state === "STATE_CLOSED") {
    return { word: "closed", span: 0, used: 1 };
  }
  if (task.state === "STATE_CANCELLED") return { word: "cancelled", span: 0, used: 1 };
  const left = due - now.getTime();
  const window = due - start;
  const used = window > 0 ? Math.min(1, Math.max(0, 1 - left / window)) : 0;
  if (left < 0) {
    const isAtEnd = Boolean(task.escalationLevel) && !task.nextEscalationTime;
    return { word: isAtEnd ? "escalated" : "overdue", span: -left, used: 1 };
  }
  const until = start - now.getTime();
  if (until >= BEGUN) return { word: "notYet", span: until, used: 0 };
  const isSoon = used >= SOON_SHARE || left <= SOON_LEFT;
  return { word: isSoon ? "soon" : "onTrack", span: left, used };
}
