/** What the screens about emergency access ask and do. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type BreakGlass, read } from "@/api/client";
import { type Emergency, emergencies } from "@/api/emergency";
import { useWhole, whole } from "@/api/pages";
import type { components } from "@/api/schema.gen";

export type Reason = Exclude<BreakGlass["reason"], "REASON_UNSPECIFIED">;
export type Finding = Exclude<
  components["schemas"]["identity.BreakGlassReview"]["finding"],
  "FINDING_UNSPECIFIED" | undefined
>;

/** A time that every emergency access has. */
const asEmergency = ({ id, patientId, openTime = "", expireTime = "" }: BreakGlass): Emergency => ({
  id,
  patientId,
  openTime,
  expireTime,
});

/** The emergency access to a patient that the person has open already: after a reload, or in another window. */
export function useOpenEmergency(patientId: string, enabled: boolean) {
  return useQuery({
    queryKey: ["emergencies", "mine", patientId],
    queryFn: async ({ signal }) => {
      const query = { patientId, isMine: true, state: "STATE_OPEN" as const, pageSize: 1 };
      const page = await read(api.GET("/v1/break-glass", { params: { query }, signal }));
      const [found] = page.breakGlasses as BreakGlass[];
      return found ? asEmergency(found) : null;
    },
    enabled,
    staleTime: 10_000,
  });
}

export interface Wish {
  patientId: string;
  facilityId: string;
  reason: Reason;
  reasonText: string;
  isPart2Emergency: boolean;
  requestId: string;
}

export function useBreakGlass() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (wish: Wish) => {
      const opened = await read(api.POST("/v1/break-glass", { body: wish }));
      return asEmergency(opened as BreakGlass);
    },
    onSuccess: (emergency) => {
      emergencies.begin(emergency);
      void queries.invalidateQueries({ queryKey: ["patients", emergency.patientId] });
    },
  });
}

export function useEndEmergency() {
  const forget = useForget();
  return useMutation({
    mutationFn: ({ id }: Emergency) => {
      const params = { path: { breakGlassId: id } };
      return read(api.POST("/v1/break-glass/{breakGlassId}:end", { params, body: {} }));
    },
    onSuccess: (_, { patientId }) => forget(patientId),
  });
}

/** What was seen in an emergency is no longer on the screen once it is over. */
export function useForget() {
  const queries = useQueryClient();
  return (patientId: string) => {
    emergencies.end(patientId);
    for (const key of [
      ["patients", patientId],
      ["loops", "patient", patientId],
      ["tasks", "patient", patientId],
      ["emergencies", "mine", patientId],
    ]) {
      void queries.resetQueries({ queryKey: key });
    }
  };
}

/** Those that wait for their review by this person; the API lists the newest first, and the oldest waits longest. */
export function useUnreviewed() {
  return useWhole({
    queryKey: ["emergencies", "unreviewed"],
    queryFn: whole<BreakGlass>(async (paging, signal) => {
      const query = { isUnreviewed: true, ...paging };
      const page = await read(api.GET("/v1/break-glass", { params: { query }, signal }));
      return { rows: page.breakGlasses as BreakGlass[], next: page.nextPageToken };
    }),
    refetchInterval: 60_000,
  });
}

export function useReview() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (asked: { glass: BreakGlass; finding: Finding; note: string }) => {
      const { glass, finding, note } = asked;
      const params = { path: { breakGlassId: glass.id } };
      const body = { finding, note, etag: glass.etag };
      return read(api.POST("/v1/break-glass/{breakGlassId}:review", { params, body }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["emergencies"] }),
  });
}
