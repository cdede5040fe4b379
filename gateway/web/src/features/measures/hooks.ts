/** What the screen of measures asks: the numbers, and who is behind them. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, type Filled, read } from "@/api/client";
import { every } from "@/api/pages";
import type { components } from "@/api/schema.gen";
import type { Status } from "./statuses";

type Schemas = components["schemas"];
type AnyMeasure = Filled<Schemas["analytics.Measure"]>;
type AnyUnit = Filled<Schemas["analytics.MeasureUnit"]>;
/** How long it took; nothing where fewer than that are done. */
export type Times = Partial<AnyMeasure["times"]>;
/** Only some measures say how long it took. */
export type Measure = Omit<AnyMeasure, "times"> & { times?: Times };
export type Rate = Measure["rate"];
export type Unit = Omit<AnyUnit, "took"> & Partial<Pick<AnyUnit, "took">>;

const PAGE = 50;

export function useMeasures(facilityId = "") {
  return useQuery({
    queryKey: ["measures", "numbers", facilityId],
    queryFn: every(async (paging, signal) => {
      const query = { ...paging, facilityId: facilityId || undefined };
      const page = await read(api.GET("/v1/measures", { params: { query }, signal }));
      const measures = page.measures as Measure[];
      return {
        rows: measures.map((each) => ({ ...each, id: each.key })),
        next: page.nextPageToken,
      };
    }),
    staleTime: 60_000,
  });
}

export function useUnits(measure: string, status: Status | undefined, facilityId = "") {
  return useInfiniteQuery({
    queryKey: ["measures", "units", measure, status, facilityId],
    queryFn: async ({ signal, pageParam }) => {
      const query = {
        status,
        facilityId: facilityId || undefined,
        pageSize: PAGE,
        pageToken: pageParam || undefined,
      };
      const params = { path: { measure }, query };
      const page = await read(api.GET("/v1/measures/{measure}/units", { params, signal }));
      return { units: page.units as Unit[], next: page.nextPageToken };
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next || undefined,
  });
}
