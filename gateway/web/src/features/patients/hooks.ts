/** What the patients' screens ask. */
import { keepPreviousData, queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
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
import { MOST, type PageOf, useWhole, whole } from "@/api/pages";
import { useLiveMs } from "@/ui/live";
import { nameOf } from "./person";

const VISITS = 100;

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

/** What comes newest first and may be long: the next page comes when somebody asks for what is older. */
const newestFirst = {
  initialPageParam: "",
  getNextPageParam: ({ next }: PageOf<unknown>) => next || undefined,
};
const rowsOf = <T>({ pages }: { pages: PageOf<T>[] }) => pages.flatMap(({ rows }) => rows);

export function useEncounters(patientId: string) {
  return useInfiniteQuery({
    queryKey: ["patients", patientId, "encounters"],
    queryFn: async ({ signal, pageParam }) => {
      const query = { pageSize: VISITS, pageToken: pageParam || undefined };
      const params = { path: { patientId }, query };
      const page = await read(api.GET("/v1/patients/{patientId}/encounters", { params, signal }));
      return { rows: page.encounters as Encounter[], next: page.nextPageToken };
    },
    ...newestFirst,
    select: rowsOf,
    refetchInterval: useLiveMs(),
  });
}

export function useObservations(patientId: string) {
  return useInfiniteQuery({
    queryKey: ["patients", patientId, "observations"],
    queryFn: async ({ signal, pageParam }) => {
      const query = { pageSize: MOST, pageToken: pageParam || undefined };
      const params = { path: { patientId }, query };
      const page = await read(api.GET("/v1/patients/{patientId}/observations", { params, signal }));
      return { rows: page.observations as Observation[], next: page.nextPageToken };
    },
    ...newestFirst,
    select: rowsOf,
    refetchInterval: useLiveMs(),
  });
}

/** All of them: the API lists the soonest first, so what is open may stand on the last page. */
export function usePatientLoops(patientId: string) {
  return useWhole({
    queryKey: ["loops", "patient", patientId],
    queryFn: whole<Loop>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/loops", { params: { query }, signal }));
      return { rows: page.loops as Loop[], next: page.nextPageToken };
    }),
    refetchInterval: useLiveMs(),
  });
}

export function usePatientTasks(patientId: string) {
  return useWhole({
    queryKey: ["tasks", "patient", patientId],
    queryFn: whole<Task>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/tasks", { params: { query }, signal }));
      return { rows: page.tasks as Task[], next: page.nextPageToken };
    }),
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
