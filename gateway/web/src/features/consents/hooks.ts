/** What the screen of consents asks and does. */
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type Filled, read } from "@/api/client";
import { every, useWhole, whole } from "@/api/pages";
import { useMay } from "@/api/queries";
import type { components } from "@/api/schema.gen";
import { useReferrals } from "@/features/referrals/hooks";

type Schemas = components["schemas"];
export type ConsentBody = Schemas["identity.Consent"];
export type Consent = Filled<ConsentBody> & { giveTime: string; startTime: string };
export type Effect = Filled<Schemas["identity.ConsentEffect"]>;
export type Rows = Filled<Schemas["identity.VisibleRows"]>;
export type Preview = Filled<Schemas["identity.PreviewConsentResponse"]>;
export type ActingPerson = Filled<Schemas["identity.Proxy"]>;

const key = (patientId: string) => ["patients", patientId, "consents"] as const;

export const consentsQuery = (patientId: string) =>
  queryOptions({
    queryKey: key(patientId),
    queryFn: whole<Consent>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/consents", { params: { query }, signal }));
      return { rows: page.consents as Consent[], next: page.nextPageToken };
    }),
  });

/** Those who act for the patient: who may give a consent besides, and who may be named in one. */
export function useProxies(patientId: string): readonly ActingPerson[] {
  const { data } = useWhole({
    queryKey: ["patients", patientId, "proxies"],
    queryFn: whole<ActingPerson>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/proxies", { params: { query }, signal }));
      return { rows: page.proxies as ActingPerson[], next: page.nextPageToken };
    }),
    enabled: useMay("consents.read"),
  });
  return data ?? [];
}

/** The partners of the directory of referrals: nobody of the network, whom a patient can forbid to be told anything. */
export function usePartners() {
  const { data } = useQuery({
    queryKey: ["directory", "organizations"],
    queryFn: every(async (query, signal) => {
      const url = "/v1/directory/organizations";
      const page = await read(api.GET(url, { params: { query }, signal }));
      return { rows: page.organizations, next: page.nextPageToken };
    }),
    staleTime: 5 * 60_000,
    enabled: useMay("directory.read"),
  });
  return data ?? [];
}

/** The services of partners that were ever asked to help the patient, by id: what they are called. */
export function useServicesAsked(patientId: string): ReadonlyMap<string, string> {
  const { data = [] } = useReferrals(patientId, useMay("referrals.read"));
  return new Map(data.map(({ serviceId, serviceName }) => [serviceId, serviceName]));
}

export function usePreview() {
  return useMutation({
    mutationFn: (asked: { consent: ConsentBody; consentId?: string }) =>
      read(api.POST("/v1/consents:preview", { body: asked })),
  });
}

const A_MOMENT_MS = 1;

/** What would change if a consent that holds were withdrawn: the same as if it had ended right after it began. */
export function useWithdrawalPreview(consent: Consent) {
  return useQuery({
    queryKey: [...key(consent.patientId), "withdrawal", consent.id, consent.etag],
    queryFn: ({ signal }) => {
      const begun = Math.max(Date.parse(consent.giveTime), Date.parse(consent.startTime));
      const ended = { ...bodyOf(consent), endTime: new Date(begun + A_MOMENT_MS).toISOString() };
      const body = { consent: ended, consentId: consent.id };
      return read(api.POST("/v1/consents:preview", { body, signal }));
    },
    enabled: consent.state === "STATE_IN_FORCE",
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
}

export interface Wish {
  consent: ConsentBody;
  /** The consent that it changes; none: it is a new one. */
  changes?: Consent;
  requestId: string;
}

export function useSaveConsent(patientId: string) {
  const onSuccess = useRefresh(patientId);
  return useMutation({
    mutationFn: ({ consent, changes, requestId }: Wish) => {
      if (!changes) return read(api.POST("/v1/consents", { body: { consent, requestId } }));
      const params = { path: { consentId: changes.id } };
      const body = { consent, etag: changes.etag };
      return read(api.POST("/v1/consents/{consentId}:change", { params, body }));
    },
    onSuccess,
  });
}

export function useWithdraw(patientId: string) {
  const onSuccess = useRefresh(patientId);
  return useMutation({
    mutationFn: ({ id, etag }: Consent) => {
      const params = { path: { consentId: id } };
      return read(api.POST("/v1/consents/{consentId}:withdraw", { params, body: { etag } }));
    },
    onSuccess,
  });
}

/** Who may see what has changed: everything about the patient is asked again. */
function useRefresh(patientId: string) {
  const queries = useQueryClient();
  return () =>
    Promise.all(
      [
        ["patients", patientId],
        ["loops", "patient", patientId],
        ["tasks", "patient", patientId],
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
}

/** All that a consent says, as a change of it is sent; what the server fills in is left out. */
export function bodyOf(consent: Consent): ConsentBody {
  const { id, etag, state, version, recordTime, recorderId, withdrawTime, effectTime, ...said } =
    consent;
  return said;
}
