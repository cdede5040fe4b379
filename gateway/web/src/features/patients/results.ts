/** Results of laboratories: which belong together, and how one stands out, in words and not by color alone. Pure. */
import type { Observation } from "@/api/client";

const LOW = new Set(["L", "LL", "LU", "<"]);
const HIGH = new Set(["H", "HH", "HU", ">"]);
const ABNORMAL = new Set(["A", "AA", "POS", "DET", "RR"]);

/** It counts for nobody: what it said is not to be read as this patient's. */
export const isTakenBack = ({ state }: Observation): boolean => state === "STATE_ENTERED_IN_ERROR";

export type Standing =
  | "CRITICALITY_LOW"
  | "CRITICALITY_HIGH"
  | "CRITICALITY_ABNORMAL"
  | "low"
  | "high"
  | "abnormal"
  | "";

/** How a result stands out. */
export function standingOf(observation: Observation): Standing {
  if (isTakenBack(observation)) return "";
  if (observation.criticality !== "CRITICALITY_UNSPECIFIED") return observation.criticality;
  if (observation.flags.some((flag) => LOW.has(flag))) return "low";
  if (observation.flags.some((flag) => HIGH.has(flag))) return "high";
  return observation.flags.some((flag) => ABNORMAL.has(flag)) ? "abnormal" : "";
}

export const isCritical = (observation: Observation): boolean =>
  standingOf(observation).startsWith("CRITICALITY");

const rank = (observation: Observation): number => {
  if (isCritical(observation)) return 0;
  return standingOf(observation) ? 1 : 2;
};

export interface Panel {
  at: string;
  /** What stands out first. */
  observations: Observation[];
}

/** The results of one order and one specimen, together. */
export function panelsOf(observations: readonly Observation[]): Panel[] {
  const panels = new Map<string, Panel>();
  for (const observation of observations) {
    const at = observation.observedTime ?? observation.reportTime ?? "";
    const { facilityId, number, panel } = observation;
    const key = JSON.stringify([facilityId, number, panel, at]);
    const found = panels.get(key) ?? { at, observations: [] };
    found.observations.push(observation);
    panels.set(key, found);
  }
  for (const { observations: found } of panels.values()) {
    found.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  }
  return [...panels.values()];
}
