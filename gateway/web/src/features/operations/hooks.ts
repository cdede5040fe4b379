/** What the operations screen asks each service for. */
import { useInfiniteQuery, useMutation, useQueries, useQueryClient } from "@tanstack/react-query";
import { api, type Filled, read } from "@/api/client";
import type { components } from "@/api/schema.gen";
import { usePollMs } from "@/ui/live";

export const SERVICES = [
  "interop",
  "registry",
  "tasking",
  "careplans",
  "messaging",
  "scheduling",
  "referrals",
  "analytics",
  "identity",
] as const;
export type Service = (typeof SERVICES)[number];
export type Status = Filled<components["schemas"]["operations.ServiceStatus"]>;
export type Consumer = Status["consumers"][number];
export type Parked = Filled<components["schemas"]["operations.ParkedEvent"]>;

const ROWS = 50;
const statusOf = (service: Service) => `/v1/operations/${service}` as const;

/** Each service by itself: one that does not answer takes no other with it. */
export function useStatuses() {
  const refetchInterval = usePollMs();
  return useQueries({
    queries: SERVICES.map((service) => ({
      queryKey: ["operations", service],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        read(api.GET(statusOf(service), { signal })),
      refetchInterval,
    })),
  });
}

export function useParked(service: Service) {
  return useInfiniteQuery({
    queryKey: ["operations", service, "parked"],
    queryFn: ({ signal, pageParam }) => {
      const query = { pageSize: ROWS, pageToken: pageParam || undefined };
      return read(api.GET(`${statusOf(service)}/parked`, { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: usePollMs(),
  });
}

export interface Decision {
  service: Service;
  parkedId: string;
  /** Why it is discarded; undefined: replay it. */
  reason?: string;
}

export function useDecide() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ service, parkedId, reason }: Decision) => {
      const params = { path: { parkedId } };
      const path = `${statusOf(service)}/parked/{parkedId}` as const;
      return reason === undefined
        ? read(api.POST(`${path}:replay`, { params, body: {} }))
        : read(api.POST(`${path}:discard`, { params, body: { reason } }));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["operations"] }),
  });
}
