/** How long it took, as the API says it. Pure. */

/** The milliseconds of "720s" or "1.5s"; nothing of nothing. */
export function msOf(duration: string | undefined): number | undefined {
  const found = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? "");
  return found ? Number(found[1]) * 1000 : undefined;
}
