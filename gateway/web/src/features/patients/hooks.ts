/** What the patients' screens ask. */
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import {
  api,
  type Encounter,
  type Loop,
  type Observation,
  type Patient,
  read,
  type Task,
} from "@/api/client";
import { useLiveMs } from "@/ui/live";
import { nameOf } from "./person";

const MOST = 100;
/** A panel is a dozen results: as many as the API gives at once. */
const MOST_RESULTS = 500;

export const patientQuery = (patientId: string) =>
  queryOptions({
    queryKey: ["patients", patientId],
    queryFn: ({ signal }) => {
      const path = { patientId };
      return read(
        api.GET("/v1/patients/{patientId}", { params: { path }, signal }),
      ) as Promise<Patient>;
    },
    staleTime: 60_000,
    enabled: Boolean(patientId),
  });

/** The name of a patient; of one whom the caller may not see, that it is somebody. */
export function usePatientName(patientId: string): string {
  const t = useTranslations("patients");
  const { data, error } = useQuery(patientQuery(patientId));
  if (data) return nameOf(data);
  return error ? t("somebody") : "…";
}

export function useEncounters(patientId: string) {
  return useQuery({
    queryKey: ["patients", patientId, "encounters"],
    queryFn: async ({ signal }) => {
      const params = { path: { patientId }, query: { pageSize: MOST } };
      const page = await read(api.GET("/v1/patients/{patientId}/encounters", { params, signal }));
      return page.encounters as Encounter[];
    },
    refetchInterval: useLiveMs(),
  });
}

export function useObservations(patientId: string) {
  return useQuery({
    queryKey: ["patients", patientId, "observations"],
    queryFn: async ({ signal }) => {
      const params = { path: { patientId }, query: { pageSize: MOST_RESULTS } };
      const page = await read(api.GET("/v1/patients/{patientId}/observations", { params, signal }));
      return page.observations as Observation[];
    },
    refetchInterval: useLiveMs(),
  });
}

export function usePatientLoops(patientId: string) {
  return useQuery({
    queryKey: ["loops", "patient", patientId],
    queryFn: async ({ signal }) => {
      const query = { patientId, pageSize: MOST };
      return (await read(api.GET("/v1/loops", { params: { query }, signal }))).loops as Loop[];
    },
    refetchInterval: useLiveMs(),
  });
}

export function usePatientTasks(patientId: string) {
  return useQuery({
    queryKey: ["tasks", "patient", patientId],
    queryFn: async ({ signal }) => {
      const query = { patientId, pageSize: MOST };
      return (await read(api.GET("/v1/tasks", { params: { query }, signal }))).tasks as Task[];
    },
    refetchInterval: useLiveMs(),
  });
}

/** What is typed travels in the body, and is kept nowhere. */
export function usePatientSearch(text: string) {
  return useQuery({
    queryKey: ["patients", "search", text],
    queryFn: ({ signal }) =>
      read(api.POST("/v1/patients:search", { body: { text, pageSize: 20 }, signal })),
    enabled: text.trim().length >= 2,
    placeholderData: keepPreviousData,
    gcTime: 60_000,
  });
}
