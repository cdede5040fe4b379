/** Nobody leaves a team without a lead or a duty team without a member. */
import { describe, expect, it } from "vitest";
import type { Facility, StaffMember, Team } from "@/api/client";
import { consequences } from "./deactivation";

const person = (id: string, state: StaffMember["state"] = "STATE_ACTIVE"): StaffMember => ({
  id,
  etag: "",
  account: id,
  displayName: id,
  email: "",
  roles: [],
  state,
});
const team = (id: string, leadId: string, memberIds: string[]): Team => ({
  id,
  etag: "",
  facilityId: "f",
  name: id,
  role: "",
  leadId,
  memberIds,
});
const facility = { dutyTeamId: "duty" } as Facility;
const staff = [person("ann"), person("bo"), person("cy"), person("di", "STATE_DEACTIVATED")];
const of = (id: string, teams: Team[]) => {
  const found = staff.find((one) => one.id === id) as StaffMember;
  const { leads, empties, candidates } = consequences(found, staff, teams, [facility]);
  return [leads, empties, candidates].map((each) => each.map((one) => one.id));
};

describe("consequences", () => {
  it("asks for a successor among the active members of every team that is led", () => {
    const teams = [team("a", "ann", ["ann", "bo", "di"]), team("b", "ann", ["ann", "bo", "cy"])];
    expect(of("ann", teams)).toEqual([["a", "b"], [], ["bo"]]);
  });

  it("says which duty team would be empty", () => {
    const teams = [team("duty", "bo", ["bo", "di"]), team("other", "ann", ["ann"])];
    expect(of("bo", teams)).toEqual([["duty"], ["duty"], []]);
    expect(of("ann", teams)[1]).toEqual([]);
  });
});
