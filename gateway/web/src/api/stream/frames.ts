/** What the hub writes on its stream of changes, piece by piece as it arrives. Pure. */

export const KINDS = [
  "task",
  "loop",
  "patient",
  "encounter",
  "appointment",
  "observation",
  "feed",
  "care_plan",
  "reconciliation",
  "preferences",
  "thread",
  "message",
  "referral",
  "risk",
] as const;
export type Kind = (typeof KINDS)[number];

/** Something changed. What it is now has to be asked. */
export interface Change {
  kind: Kind;
  id: string;
  patientId: string;
}

/** "resync": something may have been missed. */
export type Frame = Change | { kind: "resync" };

/** Takes pieces of text and returns the frames that they complete; comments and what is not known are no frames. */
export function frameReader(): (piece: string) => Frame[] {
  let rest = "";
  return (piece) => {
    const blocks = (rest + piece).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    return blocks.map(frameOf).filter((frame) => frame !== null);
  };
}

function frameOf(block: string): Frame | null {
  const fields = new Map(
    block.split(/\r?\n/).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
    }),
  );
  const event = fields.get("event");
  if (event === "resync") return { kind: "resync" };
  const kind = KINDS.find((one) => one === event);
  if (!kind) return null;
  try {
    const { id = "", patientId = "" } = JSON.parse(fields.get("data") ?? "");
    return id ? { kind, id, patientId } : null;
  } catch {
    return { kind: "resync" }; // half a line is worth a look at everything
  }
}
