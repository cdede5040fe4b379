/** What the feeds screen asks for and changes. */
import {
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { api, type Feed, type FeedMessage, read } from "@/api/client";
import { every, MOST } from "@/api/pages";
import { useLiveMs } from "@/ui/live";
import { type Alike, STATES, type StateKey } from "./accounts";

const ROWS = 50;
/** So many set-aside messages are looked through for those that are alike. */
const MOST_SET_ASIDE = 2_000;

export function useFeeds() {
  return useQuery({
    queryKey: ["feeds"],
    queryFn: every<Feed>(async (query, signal) => {
      const page = await read(api.GET("/v1/feeds", { params: { query }, signal }));
      return { rows: page.feeds, next: page.nextPageToken };
    }),
    refetchInterval: useLiveMs(),
  });
}

export interface Wanted {
  feedId?: string;
  state: StateKey;
}

export function useMessages({ feedId, state }: Wanted) {
  return useInfiniteQuery({
    queryKey: ["messages", "list", feedId ?? "", state],
    queryFn: ({ signal, pageParam }) => {
      const query = {
        pageSize: ROWS,
        pageToken: pageParam || undefined,
        feedId,
        state: STATES[state],
      };
      return read(api.GET("/v1/messages", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

/** All that waits for a look, up to a limit. `isWhole` says whether the limit was enough. */
export function useSetAside(count: number) {
  return useQuery({
    // When the feeds' own figures change, this is asked again.
    queryKey: ["messages", "set-aside", count],
    queryFn: async ({ signal }) => {
      const messages: FeedMessage[] = [];
      const states = [STATES.quarantined, STATES.parked];
      let pageToken = "";
      do {
        const query = { pageSize: MOST, pageToken: pageToken || undefined, states };
        const page = await read(api.GET("/v1/messages", { params: { query }, signal }));
        messages.push(...page.messages);
        pageToken = page.nextPageToken;
      } while (pageToken && messages.length < MOST_SET_ASIDE);
      return { messages, isWhole: messages.length < MOST_SET_ASIDE };
    },
    placeholderData: (before) => before,
  });
}

export function useRefusals(feedId: string) {
  return useInfiniteQuery({
    queryKey: ["refusals", feedId],
    queryFn: ({ signal, pageParam }) => {
      const query = {
        pageSize: ROWS,
        pageToken: pageParam || undefined,
        feedId: feedId || undefined,
      };
      return read(api.GET("/v1/refusals", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

export const messageQuery = (messageId: string) =>
  queryOptions({
    queryKey: ["messages", "one", messageId],
    queryFn: ({ signal }) =>
      read(api.GET("/v1/messages/{messageId}", { params: { path: { messageId } }, signal })),
    // Raw messages name patients: gone from the browser with the dialog.
    gcTime: 0,
  });

export function useTry() {
  return useMutation({
    mutationFn: (body: { message: string; feedId: string }) =>
      read(api.POST("/v1/messages:try", { body })),
  });
}

function useRefresh() {
  const queries = useQueryClient();
  return useCallback(
    () =>
      Promise.all(
        [["feeds"], ["messages"]].map((queryKey) => queries.invalidateQueries({ queryKey })),
      ),
    [queries],
  );
}

/** Changes the named fields of a feed, if nobody else has changed it meanwhile. */
export function useChangeFeed(fields: string) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (feed: Feed) => {
      const params = { path: { feedId: feed.id }, query: { updateMask: fields } };
      return read(api.PATCH("/v1/feeds/{feedId}", { params, body: feed }));
    },
    onSettled: refresh,
  });
}

const replay = (messageId: string) =>
  read(api.POST("/v1/messages/{messageId}:replay", { params: { path: { messageId } }, body: {} }));

export function useReplay() {
  const refresh = useRefresh();
  return useMutation({ mutationFn: replay, onSettled: refresh });
}

export interface Progress {
  done: number;
  through: number;
  total: number;
}

/** So many are replayed by one request. */
const AT_ONCE = 50;

/** Replays all that a feed has set aside for one reason, the oldest first, so that each patient's order holds. */
export function useReplayAll() {
  const refresh = useRefresh();
  const isStopped = useRef(false);
  const [progress, setProgress] = useState<Progress>();
  const replayAll = useMutation({
    mutationFn: async ({ feedId, reason, explanation, state, messages }: Alike) => {
      const now: Progress = { done: 0, through: 0, total: messages.length };
      const filter = { reason, explanation, state: STATES[state], pageSize: AT_ONCE };
      let pageToken = "";
      isStopped.current = false;
      do {
        setProgress({ ...now });
        const params = { path: { feedId } };
        const body = { ...filter, pageToken };
        const page = await read(api.POST("/v1/feeds/{feedId}:replay", { params, body }));
        now.done += page.replayed;
        now.through += page.wentThrough;
        now.total = Math.max(now.total, now.done);
        pageToken = page.nextPageToken;
      } while (pageToken && !isStopped.current);
      return now;
    },
    onSettled: () => {
      setProgress(undefined);
      return refresh();
    },
  });
  const stop = () => {
    isStopped.current = true;
  };
  return { replayAll, progress, stop };
}

/** Keeps the alarm of a silence from sounding for so many hours; 0: it sounds again. */
export function useMute(feed: Feed) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ hours, reason }: { hours: number; reason: string }) => {
      const params = { path: { feedId: feed.id } };
      const body = { duration: `${hours * 3600}s`, reason };
      return read(api.POST("/v1/feeds/{feedId}:mute", { params, body }));
    },
    onSettled: refresh,
  });
}
