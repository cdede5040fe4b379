/** Whether what is shown is fresh: told by the hub's stream; asked now and then while the stream is silent. */
import { type Query, useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import { useTranslations } from "use-intl";
import { Live } from "@/api/live";
import { useEnded } from "@/api/session";
import styles from "./shell.module.css";
import { useHomeZone, useNow, useWhen } from "./when";

const POLL_MS = 10_000;
const FALLBACK_MS = 20_000;

const Silence = createContext<number | null>(null);

/** Hears the stream while somebody is signed in. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [live] = useState(() => new Live(queries));
  const isOver = Boolean(useEnded());
  useEffect(() => (isOver ? undefined : live.start()), [isOver, live]);
  const since = useSyncExternalStore(live.subscribe, live.since);
  return <Silence.Provider value={since}>{children}</Silence.Provider>;
}

interface Asked {
  state: { error: unknown };
}

/** How often to ask again for what the stream tells of: only while it is silent, or after an answer that failed. */
export function useLiveMs(): (query: Asked) => number | false {
  const isOver = Boolean(useEnded());
  const isSilent = useContext(Silence) !== null;
  return ({ state }) => (!isOver && (isSilent || state.error) ? FALLBACK_MS : false);
}

/** How often to ask again for figures that no event tells of. */
export function usePollMs(): number | false {
  return useEnded() ? false : POLL_MS;
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

/** Since when something on the screen could not be asked again, or null. */
function useOldSince(): number | null {
  const cache = useQueryClient().getQueryCache();
  useNow();
  const isOld = ({ state }: Query) => state.error !== null && state.data !== undefined;
  const old = cache.findAll({ type: "active", predicate: isOld });
  return old.length ? Math.min(...old.map(({ state }) => state.dataUpdatedAt)) : null;
}

export function LiveDot() {
  const t = useTranslations("shell.live");
  const when = useWhen();
  const zone = useHomeZone();
  const [silent, offline, old] = [useContext(Silence), useOffline(), useOldSince()];
  const since = silent ?? offline?.getTime() ?? old;
  return (
    <span className={styles.live} data-is-live={since === null} role="status">
      {since === null ? t("on") : t("off", { time: when.time(new Date(since), zone) })}
    </span>
  );
}
