/** Which referrals somebody has to look after, and what can be done with each. Pure. */
import type { Referral } from "@/api/client";
import { DAY } from "@/ui/moments";

type State = Referral["state"];

export const isUnderWay = (state: State) =>
  state === "STATE_ACCEPTED" || state === "STATE_IN_PROGRESS";
/** The partner said no, or nothing, or could not: the patient is still without help. */
const isUnhelped = (state: State) => state === "STATE_REJECTED" || state === "STATE_FAILED";
const HAS_ENDED = new Set<State>([
  "STATE_REJECTED",
  "STATE_COMPLETED",
  "STATE_FAILED",
  "STATE_CANCELLED",
]);
/** For so long a "no" waits for the next one to be asked before it is history. */
const WAITS = 14 * DAY;

/** Whether it still asks something of us: it has not ended, or ended without help and nobody else was asked since. */
export function isOpen(referral: Referral, all: readonly Referral[], now: Date): boolean {
  if (!HAS_ENDED.has(referral.state)) return true;
  if (!isUnhelped(referral.state)) return false;
  const made = Date.parse(referral.createTime ?? "");
  const wasAskedAgain = all.some(
    ({ id, need, createTime }) =>
      id !== referral.id && need === referral.need && Date.parse(createTime ?? "") > made,
  );
  return !wasAskedAgain && now.getTime() - Date.parse(referral.endTime ?? "") < WAITS;
}

export type Doing = "send" | "askNext" | "answer" | "link" | "cancel";

/** What can be done now; the first is what most do. */
export function doingsOf({ state, isQueued }: Pick<Referral, "state" | "isQueued">): Doing[] {
  if (state === "STATE_DRAFT") return isQueued ? ["cancel"] : ["send", "cancel"];
  if (state === "STATE_REQUESTED") return ["askNext", "answer", "link", "cancel"];
  if (isUnderWay(state)) return ["answer", "link", "cancel"];
  return isUnhelped(state) ? ["askNext"] : [];
}

/** Who is waited for on behalf of a loop. */
export function waitingOn(loopId: string, referrals: readonly Referral[]): Referral | undefined {
  return referrals.find((each) => each.loopId === loopId && each.state === "STATE_REQUESTED");
}
