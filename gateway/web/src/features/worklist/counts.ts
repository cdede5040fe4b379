/** How much there is to do in each scope; asked again when the stream tells of a task, and as time passes. */
import { useQuery } from "@tanstack/react-query";
import { api, type Filled, read } from "@/api/client";
import { useMay } from "@/api/queries";
import type { components } from "@/api/schema.gen";
import type { WorklistScope } from "@/routes";
import { useLiveMs } from "@/ui/live";

type Counts = Filled<components["schemas"]["tasking.CountTasksResponse"]>;
export type Count = Filled<components["schemas"]["tasking.TaskCount"]>;

/** What is late becomes so without anybody telling. */
const MINUTE_MS = 60_000;

export function useCounts(facilityId = ""): Partial<Record<WorklistScope, Count>> {
  const liveMs = useLiveMs();
  const { data } = useQuery({
    queryKey: ["tasks", "counts", facilityId],
    queryFn: ({ signal }) => {
      const query = { facilityId: facilityId || undefined };
      return read(api.GET("/v1/tasks:count", { params: { query }, signal }));
    },
    select: byScope,
    refetchInterval: (query) => liveMs(query) || MINUTE_MS,
    enabled: useMay("tasks.read"),
  });
  return data ?? {};
}

function byScope({ mine, myTeams, unclaimed, all }: Counts): Record<WorklistScope, Count> {
  return { mine, team: myTeams, unclaimed, all };
}
