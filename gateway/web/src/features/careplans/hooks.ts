/** What the screen of plans and medicines asks and changes. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import { useTranslations } from "use-intl";
import {
  api,
  type CarePlan,
  Failure,
  type Filled,
  type Preferences,
  type Reconciliation,
  read,
} from "@/api/client";
import { useWhole, whole } from "@/api/pages";
import type { components } from "@/api/schema.gen";
import { useLiveMs } from "@/ui/live";
import { useToasts } from "@/ui/toasts";
import type { Choice } from "./lines";

export type Line = Reconciliation["lines"][number];
export type Goal = CarePlan["goals"][number];
export type Activity = CarePlan["activities"][number];
export type Member = Filled<components["schemas"]["identity.CareTeamMember"]>;

/** They are large: so many fit into one answer. */
const PLANS = 50;

export function usePlans(patientId: string) {
  return useWhole({
    queryKey: ["plans", patientId, "plans"],
    queryFn: whole<CarePlan>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/carePlans", { params: { query }, signal }));
      return { rows: page.carePlans as CarePlan[], next: page.nextPageToken };
    }, PLANS),
    refetchInterval: useLiveMs(),
  });
}

const reconciliationKey = (patientId: string) => ["plans", patientId, "reconciliation"];

/** The newest, which is the one that is worked on, if there is one. */
export function useNewestReconciliation(patientId: string) {
  return useQuery({
    queryKey: reconciliationKey(patientId),
    queryFn: async ({ signal }) => {
      const query = { patientId, pageSize: 1 };
      const page = await read(api.GET("/v1/reconciliations", { params: { query }, signal }));
      const [newest] = page.reconciliations as Reconciliation[];
      return { newest };
    },
    refetchInterval: useLiveMs(),
  });
}

/** Whom somebody let in to see the record, besides those who work on a plan. */
export function useCareTeam(patientId: string, enabled: boolean) {
  return useWhole({
    queryKey: ["plans", patientId, "team"],
    queryFn: whole<Member>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/care-team", { params: { query }, signal }));
      return { rows: page.members as Member[], next: page.nextPageToken };
    }),
    staleTime: 60_000,
    enabled,
  });
}

/** How the patient wants to be met; null: nobody wrote it down. */
export function usePreferences(patientId: string) {
  return useQuery({
    queryKey: ["plans", patientId, "preferences"],
    queryFn: async ({ signal }) => {
      try {
        const found = api.GET("/v1/preferences", { params: { query: { patientId } }, signal });
        return (await read(found)) as Preferences;
      } catch (error) {
        if (error instanceof Failure && error.reason === "PREFERENCES_NOT_FOUND") return null;
        throw error;
      }
    },
    refetchInterval: useLiveMs(),
  });
}

/** Send a change and look at what came of it. False: it was not saved, and the person was told. */
export function useChange(patientId: string): (asked: Promise<unknown>) => Promise<boolean> {
  const client = useQueryClient();
  const t = useTranslations("careplans");
  const { say } = useToasts();
  return useCallback(
    async (asked) => {
      let isSaved = true;
      try {
        await asked;
      } catch (error) {
        isSaved = false;
        const isStale = error instanceof Failure && error.reason === "STALE_ETAG";
        say({ text: isStale ? t("changedBetween") : t("notSaved") });
      }
      await client.invalidateQueries({ queryKey: ["plans", patientId] });
      return isSaved;
    },
    [client, patientId, say, t],
  );
}

/** Decide about lines as fast as keys are pressed: one after the other, each on what came of the one before. */
export function useDecide(found: Reconciliation): (line: Line, decision: Choice) => void {
  const client = useQueryClient();
  const change = useChange(found.patientId);
  const last = useRef<Promise<unknown>>(Promise.resolve());
  const { id, patientId } = found;
  return useCallback(
    (line, decision) => {
      const queryKey = reconciliationKey(patientId);
      const decide = async () => {
        const known = client.getQueryData<{ newest?: Reconciliation }>(queryKey)?.newest;
        const params = { path: { reconciliationId: id, lineId: line.id } };
        const url = "/v1/reconciliations/{reconciliationId}/lines/{lineId}:decide";
        const body = { etag: known?.etag ?? "", decision };
        const newest = (await read(api.POST(url, { params, body }))) as Reconciliation;
        // What was asked before this was answered is older.
        await client.cancelQueries({ queryKey });
        client.setQueryData(queryKey, { newest });
      };
      const decided = last.current.then(decide);
      last.current = decided.catch(() => undefined);
      void change(decided);
    },
    [change, client, id, patientId],
  );
}
