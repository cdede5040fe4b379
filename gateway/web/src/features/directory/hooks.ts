/** What the directory's screen asks and changes. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { api, Failure, type Match, read } from "@/api/client";

export type Service = Match["service"];

/** One service as it is now, with what it last said of its room. */
export function useService(serviceId: string | undefined) {
  return useQuery({
    queryKey: ["directory", "one", serviceId],
    queryFn: ({ signal }) => {
      const params = { path: { serviceId: serviceId ?? "" } };
      const url = "/v1/directory/services/{serviceId}";
      return read(api.GET(url, { params, signal })) as Promise<Service>;
    },
    enabled: Boolean(serviceId),
  });
}

export const STATUSES = [
  "STATUS_YES",
  "STATUS_WAITLIST",
  "STATUS_ASSESSMENT_REQUIRED",
  "STATUS_NO",
] as const;
export type Status = (typeof STATUSES)[number];

/** Notes what a service said of its room. */
export function useSayCapacity(service: Service) {
  const client = useQueryClient();
  const t = useTranslations("directory.capacity");
  const [isBusy, be] = useState(false);
  const [error, show] = useState("");
  const save = async (status: Status, wait: string): Promise<boolean> => {
    be(true);
    show("");
    const params = { path: { serviceId: service.id } };
    const url = "/v1/directory/services/{serviceId}:setCapacity";
    try {
      await read(api.POST(url, { params, body: { etag: service.etag, status, wait } }));
      return true;
    } catch (reason) {
      const isStale = reason instanceof Failure && reason.reason === "STALE_ETAG";
      show(t(isStale ? "changedBetween" : "notSaved"));
      return false;
    } finally {
      be(false);
      void client.invalidateQueries({ queryKey: ["directory"] });
    }
  };
  return { isBusy, error, save };
}
