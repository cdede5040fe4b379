/** What several screens ask for: who I am, the places, and the people. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import {
  api,
  type Facility,
  type Me,
  type Organization,
  read,
  type StaffMember,
  type Team,
} from "./client";
import { every } from "./pages";

const RARELY_MS = 5 * 60_000;

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => read(api.GET("/v1/me", { signal })),
  staleTime: 60_000,
});

export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (!data) throw new Error("Nobody is signed in here.");
  return data;
}

/** Whether the caller holds a permission at one facility or more. */
export function useMay(permission: string): boolean {
  return useMe().permissions.includes(permission);
}

export const facilitiesQuery = queryOptions({
  queryKey: ["facilities"],
  queryFn: every<Facility>(async (query, signal) => {
    const page = await read(api.GET("/v1/facilities", { params: { query }, signal }));
    return { rows: page.facilities, next: page.nextPageToken };
  }),
  staleTime: RARELY_MS,
});

/** The facilities of the network, by id. */
export function useFacilities(): ReadonlyMap<string, Facility> {
  const { data } = useQuery({ ...facilitiesQuery, select: byId });
  return data ?? NO_FACILITIES;
}

const NO_FACILITIES: ReadonlyMap<string, Facility> = new Map();

function byId(facilities: Facility[]): ReadonlyMap<string, Facility> {
  return new Map(facilities.map((facility) => [facility.id, facility]));
}

/** The organizations of the network, by id. */
export function useOrganizations(): ReadonlyMap<string, Organization> {
  const { data } = useQuery({
    queryKey: ["organizations"],
    queryFn: every<Organization>(async (query, signal) => {
      const page = await read(api.GET("/v1/organizations", { params: { query }, signal }));
      return { rows: page.organizations, next: page.nextPageToken };
    }),
    staleTime: RARELY_MS,
    select: (found) => new Map(found.map((each) => [each.id, each])),
  });
  return data ?? NO_ORGANIZATIONS;
}

const NO_ORGANIZATIONS: ReadonlyMap<string, Organization> = new Map();

/** People of a facility, or everybody; [] for those who may not know. */
export function useStaff(facilityId = ""): StaffMember[] {
  const enabled = useMay("staff.read");
  const { data } = useQuery({
    queryKey: ["staff", facilityId],
    queryFn: every<StaffMember>(async (paging, signal) => {
      const query = { ...paging, facilityId: facilityId || undefined };
      const page = await read(api.GET("/v1/staff", { params: { query }, signal }));
      return { rows: page.staff, next: page.nextPageToken };
    }),
    staleTime: RARELY_MS,
    enabled,
  });
  return data ?? [];
}

/** Teams of a facility, or all; [] for those who may not know. */
export function useTeams(facilityId = ""): Team[] {
  const enabled = useMay("staff.read");
  const { data } = useQuery({
    queryKey: ["teams", facilityId],
    queryFn: every<Team>(async (paging, signal) => {
      const query = { ...paging, facilityId: facilityId || undefined };
      const page = await read(api.GET("/v1/teams", { params: { query }, signal }));
      return { rows: page.teams, next: page.nextPageToken };
    }),
    staleTime: RARELY_MS,
    enabled,
  });
  return data ?? [];
}
