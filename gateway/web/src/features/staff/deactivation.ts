/** What it takes to end somebody's access: which teams they lead, which duty team would be empty, who may follow. Pure. */
import type { Facility, StaffMember, Team } from "@/api/client";

export interface Consequences {
  /** Somebody must be named for these. */
  leads: Team[];
  /** Duty teams that would be empty: the access cannot end yet. */
  empties: Team[];
  /** Active members of every team that is led. */
  candidates: StaffMember[];
}

export function consequences(
  person: StaffMember,
  staff: readonly StaffMember[],
  teams: readonly Team[],
  facilities: Iterable<Facility>,
): Consequences {
  const duty = new Set([...facilities].map(({ dutyTeamId }) => dutyTeamId));
  const others = staff.filter(({ id, state }) => id !== person.id && state === "STATE_ACTIVE");
  const leads = teams.filter(({ leadId }) => leadId === person.id);
  return {
    leads,
    empties: teams.filter(
      ({ id, memberIds }) =>
        duty.has(id) &&
        memberIds.includes(person.id) &&
        !others.some((other) => memberIds.includes(other.id)),
    ),
    candidates: others.filter(({ id }) => leads.every(({ memberIds }) => memberIds.includes(id))),
  };
}
