/** What the screens about access ask. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, type Explanation, type Filled, read } from "@/api/client";
import type { paths } from "@/api/schema.gen";

type Page =
  paths["/v1/patients/{patientId}/accesses"]["get"]["responses"][200]["content"]["application/json"];
export type AccessPage = Filled<Page>;
export type Access = AccessPage["accesses"][number] & { firstTime: string; lastTime: string };

export type Answer = Explanation["answers"][number];

/** Who has looked at a patient, the newest day first. */
export function useAccesses(patientId: string, timeZone: string) {
  return useInfiniteQuery({
    queryKey: ["patients", patientId, "accesses", timeZone],
    queryFn: ({ pageParam, signal }) => {
      const query = { timeZone, pageToken: pageParam || undefined };
      const params = { path: { patientId }, query };
      return read(api.GET("/v1/patients/{patientId}/accesses", { params, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    staleTime: 30_000,
  });
}

interface Asked {
  patientId: string;
  /** Empty: oneself. */
  personId: string;
  /** Whose rows; empty: one of one's own facilities. */
  sourceFacilityId: string;
}

/** Why somebody may see a patient. */
export function useExplanation({ patientId, personId, sourceFacilityId }: Asked) {
  return useQuery({
    queryKey: ["patients", patientId, "explained", personId, sourceFacilityId],
    queryFn: ({ signal }) => {
      const about = { patientId, sourceFacilityId: sourceFacilityId || undefined };
      const asked = personId
        ? api.GET("/v1/access:explain", { params: { query: { ...about, personId } }, signal })
        : api.GET("/v1/access:explainMine", { params: { query: about }, signal });
      return read(asked) as Promise<Explanation>;
    },
    staleTime: 0,
  });
}
