/** Whether what is shown is fresh. A list is asked again every ten seconds; thirty without an answer are worth a word. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { LIVE_MS } from "@/api/queries";
import { useEnded } from "@/api/session";
import styles from "./shell.module.css";
import { useHomeZone, useNow, useWhen } from "./when";

const STALE_MS = 3 * LIVE_MS;

/** How often to ask again: not at all for a person who is signed out. */
export function useLiveMs(): number | false {
  return useEnded() ? false : LIVE_MS;
}

/** Since when there is no network, or null. */
export function useOffline(): Date | null {
  const [since, set] = useState<Date | null>(() => (navigator.onLine ? null : new Date()));
  useEffect(() => {
    const off = () => set(new Date());
    const on = () => set(null);
    addEventListener("offline", off);
    addEventListener("online", on);
    return () => {
      removeEventListener("offline", off);
      removeEventListener("online", on);
    };
  }, []);
  return since;
}

/** The oldest answer among the lists that are asked again and again and are on the screen now. */
function useFreshAt(): number {
  const cache = useQueryClient().getQueryCache();
  useNow();
  const live = cache.findAll({
    type: "active",
    predicate: ({ observers }) => observers.some(({ options }) => Boolean(options.refetchInterval)),
  });
  return Math.min(...live.map(({ state }) => state.dataUpdatedAt || Date.now()), Date.now());
}

export function LiveDot() {
  const t = useTranslations("shell.live");
  const when = useWhen();
  const zone = useHomeZone();
  const freshAt = useFreshAt();
  const isLive = Date.now() - freshAt < STALE_MS;
  return (
    <span className={styles.live} data-is-live={isLive} role="status">
      {isLive ? t("on") : t("off", { time: when.time(new Date(freshAt), zone) })}
    </span>
  );
}
