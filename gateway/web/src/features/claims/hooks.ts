/** What the screen of billing asks and changes. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { api, type ClaimCandidate, Failure, type Filled, read, type TimeEntry } from "@/api/client";
import { whole } from "@/api/pages";
import type { components } from "@/api/schema.gen";
import { useLiveMs } from "@/ui/live";

export type TimeTotal = Filled<components["schemas"]["tasking.TimeTotal"]>;
export type Level = "LEVEL_LOW" | "LEVEL_MODERATE" | "LEVEL_HIGH";

const PAGE = 25;

export function useCandidates(facilityId: string | undefined) {
  return useInfiniteQuery({
    queryKey: ["claims", "list", facilityId ?? ""],
    queryFn: async ({ signal, pageParam }) => {
      const query = { facilityId, pageSize: PAGE, pageToken: pageParam || undefined };
      const page = await read(api.GET("/v1/claimCandidates", { params: { query }, signal }));
      return { candidates: page.candidates as ClaimCandidate[], next: page.nextPageToken };
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next || undefined,
    refetchInterval: useLiveMs(),
  });
}

export function useCandidate(loopId: string) {
  return useQuery({
    queryKey: ["claims", "one", loopId],
    queryFn: ({ signal }) => {
      const params = { path: { loopId } };
      const url = "/v1/claimCandidates/{loopId}";
      return read(api.GET(url, { params, signal })) as Promise<ClaimCandidate>;
    },
    refetchInterval: useLiveMs(),
    enabled: Boolean(loopId),
  });
}

/** Minutes that were written down for a patient, and what of them counts in each month. */
export function useTime(patientId: string) {
  return useQuery({
    queryKey: ["time", patientId],
    queryFn: async ({ signal }) => {
      let totals: TimeTotal[] = [];
      const ask = whole<TimeEntry>(async (paging) => {
        const query = { patientId, ...paging };
        const page = await read(api.GET("/v1/timeEntries", { params: { query }, signal }));
        totals = page.totals as TimeTotal[];
        return { rows: page.entries as TimeEntry[], next: page.nextPageToken };
      });
      const { rows, isCut } = await ask({ signal });
      return { entries: rows, isCut, totals };
    },
    refetchInterval: useLiveMs(),
  });
}

export interface Said {
  level: Level;
  isBilledElsewhere: boolean;
  isGlobalPeriod: boolean;
}

/** A physician's word; the newest counts. */
export function useDecide(loopId: string) {
  const client = useQueryClient();
  const t = useTranslations("claims.decision");
  const [isBusy, be] = useState(false);
  const [error, show] = useState("");
  const decide = async (body: Said): Promise<boolean> => {
    be(true);
    show("");
    const params = { path: { loopId } };
    try {
      await read(api.POST("/v1/claimCandidates/{loopId}:decide", { params, body }));
      return true;
    } catch (reason) {
      const { code } = reason instanceof Failure ? reason : new Failure(0);
      show(t("notSaved", { code }));
      return false;
    } finally {
      be(false);
      void client.invalidateQueries({ queryKey: ["claims"] });
    }
  };
  return { isBusy, error, decide };
}
