/** What a unit of a measure came to, in the order of the screen. */
export const STATUSES = [
  "STATUS_MET",
  "STATUS_NOT_MET",
  "STATUS_PENDING",
  "STATUS_EXCLUDED",
] as const;
export type Status = (typeof STATUSES)[number];
