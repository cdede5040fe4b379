/** The patients whom the person sees in an emergency: whatever is asked about them says so. Ids and times only. */
import type { Middleware } from "openapi-fetch";
import { useSyncExternalStore } from "react";

export interface Emergency {
  id: string;
  patientId: string;
  /** When it ends by itself. */
  expireTime: string;
  openTime: string;
}

const open = new Map<string, Emergency>();
const listeners = new Set<() => void>();

function changed() {
  for (const tell of listeners) tell();
}

export const emergencies = {
  begin({ id, patientId, expireTime, openTime }: Emergency) {
    open.set(patientId, { id, patientId, expireTime, openTime });
    changed();
  },
  end(patientId: string) {
    if (open.delete(patientId)) changed();
  },
  of: (patientId: string) => open.get(patientId),
  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },
};

export const useEmergency = (patientId: string) =>
  useSyncExternalStore(emergencies.subscribe, () => emergencies.of(patientId));

/** The patient whom a request is about, by its path or its query. */
export function patientOf(address: string): string {
  const { pathname, searchParams } = new URL(address);
  const [, inPath] = /^\/v1\/(?:patients|contacts)\/([0-9a-f-]{36})(?:\/|$)/.exec(pathname) ?? [];
  return inPath ?? searchParams.get("patientId") ?? "";
}

export const inEmergency: Middleware = {
  onRequest({ request }) {
    const isAboutIt = !new URL(request.url).pathname.startsWith("/v1/break-glass");
    if (isAboutIt && emergencies.of(patientOf(request.url))) {
      request.headers.set("X-Purpose", "EMERGENCY");
    }
    return request;
  },
};
