/** What the staff screen asks for and changes. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type Facility, read, type StaffMember, type Team } from "@/api/client";
import { every } from "@/api/pages";

/** Everybody, also those who have left: the names of yesterday's work. */
export function useAllStaff() {
  return useQuery({
    queryKey: ["staff", "with-left"],
    queryFn: every<StaffMember>(async (paging, signal) => {
      const query = { ...paging, showDeactivated: true };
      const page = await read(api.GET("/v1/staff", { params: { query }, signal }));
      return { rows: page.staff, next: page.nextPageToken };
    }),
  });
}

export function useAllTeams() {
  return useQuery({
    queryKey: ["teams", "all"],
    queryFn: every<Team>(async (query, signal) => {
      const page = await read(api.GET("/v1/teams", { params: { query }, signal }));
      return { rows: page.teams, next: page.nextPageToken };
    }),
  });
}

function useRefresh() {
  const queries = useQueryClient();
  return () =>
    Promise.all(
      ["staff", "teams", "facilities"].map((key) => queries.invalidateQueries({ queryKey: [key] })),
    );
}

export type StaffDraft = Pick<StaffMember, "account" | "displayName" | "email" | "roles"> &
  Partial<Pick<StaffMember, "id" | "etag">>;

/** Adds somebody, or changes them when there is an etag. */
export function useSaveStaff() {
  const onSuccess = useRefresh();
  return useMutation({
    mutationFn: (body: StaffDraft) => {
      if (!body.etag) return read(api.POST("/v1/staff", { body }));
      const path = { staffId: body.id ?? "" };
      const query = { updateMask: "displayName,email,roles" };
      return read(api.PATCH("/v1/staff/{staffId}", { params: { path, query }, body }));
    },
    onSuccess,
  });
}

export function useEndAccess() {
  const onSuccess = useRefresh();
  return useMutation({
    mutationFn: (asked: { staffId: string; reason: string; successorId: string }) => {
      const { staffId, ...body } = asked;
      const params = { path: { staffId } };
      return read(api.POST("/v1/staff/{staffId}:deactivate", { params, body }));
    },
    onSuccess,
  });
}

export type TeamDraft = Pick<Team, "facilityId" | "name" | "role" | "leadId" | "memberIds"> &
  Partial<Pick<Team, "id" | "etag">>;

export function useSaveTeam() {
  const onSuccess = useRefresh();
  return useMutation({
    mutationFn: (body: TeamDraft) => {
      if (!body.etag) return read(api.POST("/v1/teams", { body }));
      const path = { teamId: body.id ?? "" };
      const query = { updateMask: "name,role,leadId,memberIds" };
      return read(api.PATCH("/v1/teams/{teamId}", { params: { path, query }, body }));
    },
    onSuccess,
  });
}

export function useMakeDuty() {
  const onSuccess = useRefresh();
  return useMutation({
    mutationFn: ({ facility, team }: { facility: Facility; team: Team }) => {
      const path = { facilityId: facility.id };
      const body = { ...facility, dutyTeamId: team.id };
      const query = { updateMask: "dutyTeamId" };
      return read(api.PATCH("/v1/facilities/{facilityId}", { params: { path, query }, body }));
    },
    onSuccess,
  });
}
