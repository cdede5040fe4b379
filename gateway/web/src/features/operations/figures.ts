/** The few figures of a service that stand in its line. Pure. */
import type { Consumer, Status } from "./hooks";

export interface Figures {
  /** Events that its consumers have not been given; null while no working process tells. */
  waiting: number | null;
  parked: number;
}

export function figuresOf({ consumers }: Pick<Status, "consumers">): Figures {
  const known = consumers.filter(({ waitingCount }) => typeof waitingCount === "number");
  return {
    waiting:
      consumers.length > 0 && known.length === 0
        ? null
        : known.reduce((sum, { waitingCount }) => sum + waitingCount, 0),
    parked: consumers.reduce((sum, one) => sum + parkedOf(one), 0),
  };
}

export function parkedOf({ parked }: Pick<Consumer, "parked">): number {
  return parked.reduce((sum, { count }) => sum + count, 0);
}

export function megabytes(bytes: string): number {
  return Math.max(1, Math.round(Number(bytes) / 1_000_000));
}
