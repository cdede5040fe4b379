/** When nobody is written to: from 21 to 8 o'clock where the facility is. Pure. */
import { partsIn } from "@/ui/moments";

export const QUIET_FROM = 21;
export const QUIET_UNTIL = 8;

export function isQuiet(zone: string, at: Date): boolean {
  const { hour } = partsIn(zone, at);
  return hour >= QUIET_FROM || hour < QUIET_UNTIL;
}
