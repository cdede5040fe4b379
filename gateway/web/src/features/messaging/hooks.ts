/** What the screens of messages ask and change. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useTranslations } from "use-intl";
import {
  api,
  type Contact,
  Failure,
  type PatientMessage,
  read,
  type TelephoneEntry,
  type Thread,
} from "@/api/client";
import { useWhole, whole } from "@/api/pages";
import { useMe } from "@/api/queries";
import { useLiveMs } from "@/ui/live";

export type Post = Thread["posts"][number];
export type Reply = PatientMessage["replies"][number];

/** So much of what telephones show at once. */
const ROWS = 100;

export function useThreads(patientId: string) {
  return useWhole({
    queryKey: ["threads", "patient", patientId],
    queryFn: whole<Thread>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/threads", { params: { query }, signal }));
      return { rows: page.threads as Thread[], next: page.nextPageToken };
    }),
    refetchInterval: useLiveMs(),
  });
}

export function useThread(threadId: string) {
  return useQuery({
    queryKey: ["threads", "one", threadId],
    queryFn: async ({ signal }) => {
      const params = { path: { threadId } };
      return (await read(api.GET("/v1/threads/{threadId}", { params, signal }))) as Thread;
    },
    refetchInterval: useLiveMs(),
  });
}

export function useMessages(patientId: string) {
  return useWhole({
    queryKey: ["messages", patientId, "list"],
    queryFn: whole<PatientMessage>(async (query, signal) => {
      const params = { path: { patientId }, query };
      const page = await read(api.GET("/v1/contacts/{patientId}/messages", { params, signal }));
      return { rows: page.messages as PatientMessage[], next: page.nextPageToken };
    }),
    refetchInterval: useLiveMs(),
  });
}

export function useContact(patientId: string) {
  return useQuery({
    queryKey: ["messages", patientId, "contact"],
    queryFn: async ({ signal }) => {
      const params = { path: { patientId } };
      return (await read(api.GET("/v1/contacts/{patientId}", { params, signal }))) as Contact;
    },
    refetchInterval: useLiveMs(),
    enabled: Boolean(patientId),
  });
}

export function useTelephone(patientId: string) {
  return useInfiniteQuery({
    queryKey: ["telephone", patientId],
    queryFn: async ({ signal, pageParam }) => {
      const query = {
        patientId: patientId || undefined,
        pageSize: ROWS,
        pageToken: pageParam || undefined,
      };
      const page = await read(api.GET("/v1/telephone", { params: { query }, signal }));
      return { entries: page.entries as TelephoneEntry[], next: page.nextPageToken };
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next || undefined,
    select: ({ pages }) => pages.flatMap(({ entries }) => entries),
    refetchInterval: useLiveMs(),
  });
}

/** Where messages leave the hub it has no telephones. */
export const hasNoTelephone = (error: unknown) =>
  error instanceof Failure && (error.reason === "NO_TELEPHONE" || error.status === 404);

/** The caller's facilities at which a permission of theirs may hold, those that know the patient first. */
export function usePlaces(knownAt: readonly string[]): string[] {
  const { facilityIds } = useMe();
  const knows = (id: string) => Number(knownAt.includes(id));
  return [...facilityIds].sort((a, b) => knows(b) - knows(a));
}

export interface Change {
  /** True: it is saved. False: `problem` says why it is not. */
  send: (asked: Promise<unknown>) => Promise<boolean>;
  /** What went wrong, in a sentence. */
  problem: string;
  /** The reason of the API, to switch on. */
  reason: string;
  forget: () => void;
  isBusy: boolean;
}

/** Send a change and look at what came of it. */
export function useChange(): Change {
  const client = useQueryClient();
  const t = useTranslations("messaging");
  const [failure, setFailure] = useState<Failure | null>(null);
  const [isBusy, setBusy] = useState(false);
  const send = useCallback(
    async (asked: Promise<unknown>) => {
      setBusy(true);
      let found: Failure | null = null;
      try {
        await asked;
      } catch (error) {
        found = error instanceof Failure ? error : new Failure(0);
      }
      await Promise.all(
        ["threads", "messages", "telephone"].map((key) =>
          client.invalidateQueries({ queryKey: [key] }),
        ),
      );
      setFailure(found);
      setBusy(false);
      return !found;
    },
    [client],
  );
  const forget = useCallback(() => setFailure(null), []);
  const reason = failure?.reason ?? "";
  const known = `errors.${reason}` as "errors.THREAD_TAKEN";
  const words = t.has(known) ? t(known) : t("notSaved");
  return { send, problem: failure ? words : "", reason, forget, isBusy };
}
