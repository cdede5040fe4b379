/** What the screens of referrals ask and change. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useTranslations } from "use-intl";
import { api, Failure, type Match, type Referral, read } from "@/api/client";
import { useWhole, whole } from "@/api/pages";
import { useLiveMs } from "@/ui/live";
import type { Wanted } from "./asking";

/** All of them, the newest first: one that is open may be an old one. */
export function useReferrals(patientId: string, enabled: boolean) {
  return useWhole({
    queryKey: ["referrals", patientId],
    queryFn: whole<Referral>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/referrals", { params: { query }, signal }));
      return { rows: page.referrals as Referral[], next: page.nextPageToken };
    }),
    refetchInterval: useLiveMs(),
    enabled,
  });
}

/** Who could help; asked anew each time, as drivers are taken and capacities grow old. */
export function useMatches(wanted: Wanted | null) {
  return useWhole({
    queryKey: ["directory", "search", wanted],
    queryFn: async ({ signal }) => {
      const url = "/v1/directory/services:search";
      const found = await read(api.POST(url, { body: wanted as Wanted, signal }));
      return { rows: found.matches as Match[], isCut: found.hasMore };
    },
    enabled: wanted !== null,
    staleTime: 0,
    gcTime: 0,
  });
}

export interface Change {
  isBusy: boolean;
  /** Why it was not done, as a sentence. */
  error: string;
  /** What came of it; nothing if it was not done. */
  run: <T>(asked: () => Promise<T>, failed?: (why: string) => void) => Promise<T | undefined>;
}

/** Sends a change and looks at what came of it; says in words why not. */
export function useChange(patientId: string): Change {
  const client = useQueryClient();
  const t = useTranslations("referrals.errors");
  const [isBusy, be] = useState(false);
  const [error, show] = useState("");
  const run = useCallback(
    async <T>(asked: () => Promise<T>, failed: (why: string) => void = show) => {
      be(true);
      show("");
      try {
        return await asked();
      } catch (reason) {
        const failure = reason instanceof Failure ? reason : new Failure(0);
        const key = failure.reason as Parameters<typeof t>[0];
        failed(t.has(key) ? t(key, { code: "" }) : t("other", { code: failure.code }));
        return undefined;
      } finally {
        be(false);
        void client.invalidateQueries({ queryKey: ["referrals", patientId] });
      }
    },
    [client, patientId, t],
  );
  return { isBusy, error, run };
}
