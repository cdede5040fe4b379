/** What the worklist asks and changes. */
import {
  type InfiniteData,
  infiniteQueryOptions,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, read, type Task } from "@/api/client";
import { useWhole, whole } from "@/api/pages";
import { useFacilities } from "@/api/queries";
import type { WorklistScope } from "@/routes";
import { useLiveMs } from "@/ui/live";
import { useHomeZone, useNow } from "@/ui/when";
import { groupOf, inOrder } from "./groups";
import type { Outcome, ReadBack } from "./outcomes";
import { GONE_MS, NOTHING, type Steady, settled, shown, swept } from "./steady";

export const PAGE = 50;

const SCOPES = {
  mine: "SCOPE_MINE",
  team: "SCOPE_MY_TEAMS",
  unclaimed: "SCOPE_UNCLAIMED",
  all: "SCOPE_UNSPECIFIED",
} as const;

interface TaskPage {
  tasks: Task[];
  nextPageToken: string;
}

const worklistQuery = (scope: WorklistScope, facilityId: string) =>
  infiniteQueryOptions({
    queryKey: ["tasks", "worklist", scope, facilityId],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        pageSize: PAGE,
        scope: SCOPES[scope],
        facilityId: facilityId || undefined,
        pageToken: pageParam || undefined,
      };
      return read(api.GET("/v1/tasks", { params: { query }, signal })) as Promise<TaskPage>;
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.nextPageToken || undefined,
  });

function allOf(data: InfiniteData<TaskPage>): { tasks: Task[]; pages: number } {
  const tasks = new Map(data.pages.flatMap((page) => page.tasks.map((task) => [task.id, task])));
  return { tasks: [...tasks.values()], pages: data.pages.length };
}

/** The worklist, live and steady. `mine`: the tasks that I changed myself. */
export function useWorklist(scope: WorklistScope, facilityId: string, mine: ReadonlySet<string>) {
  const query = useInfiniteQuery({
    ...worklistQuery(scope, facilityId),
    select: allOf,
    refetchInterval: useLiveMs(),
  });
  const now = useNow();
  const home = useHomeZone();
  const facilities = useFacilities();
  const group = useMemo(() => {
    const zoneOf = (task: Task) => facilities.get(task.facilityId)?.timeZone ?? home;
    return (task: Task) => groupOf(task, now, zoneOf(task));
  }, [facilities, home, now]);
  const key = `${scope} ${facilityId} ${query.data?.pages ?? 0}`;
  const [list, setList] = useState<{ key: string; data: unknown; steady: Steady }>({
    key: "",
    data: null,
    steady: NOTHING,
  });
  const at = query.data;
  if (at && (list.data !== at || list.key !== key)) {
    const tasks = inOrder(at.tasks, group);
    const steady =
      list.key === key
        ? settled(list.steady, { tasks, group, at: Date.now(), mine })
        : shown({ tasks, group });
    setList({ key, data: at, steady });
  }
  useEffect(() => {
    if (!list.steady.rows.some(({ goneAt }) => goneAt !== undefined)) return;
    const sweep = () =>
      setList((now) => {
        const steady = swept(now.steady, Date.now());
        return steady === now.steady ? now : { ...now, steady };
      });
    const timer = setInterval(sweep, GONE_MS / 6);
    return () => clearInterval(timer);
  }, [list.steady]);
  const showNew = () => {
    if (at) setList({ key, data: at, steady: shown({ tasks: inOrder(at.tasks, group), group }) });
  };
  return { query, steady: list.steady, showNew, isCurrent: list.key === key };
}

/** One task, when it is on no list that is shown. */
export function useTask(taskId: string, isListed: boolean) {
  return useQuery({
    queryKey: ["tasks", "one", taskId],
    queryFn: ({ signal }) =>
      read(
        api.GET("/v1/tasks/{taskId}", { params: { path: { taskId } }, signal }),
      ) as Promise<Task>,
    enabled: Boolean(taskId) && !isListed,
  });
}

/** Every task of a loop, open and closed, the soonest due first. */
export function useLoopTasks({ loopId, patientId }: Pick<Task, "loopId" | "patientId">) {
  const found = useWhole({
    queryKey: ["tasks", "loop", patientId, loopId],
    queryFn: whole<Task>(async (paging, signal) => {
      const query = { loopId, ...paging };
      const page = (await read(api.GET("/v1/tasks", { params: { query }, signal }))) as TaskPage;
      return { rows: page.tasks, next: page.nextPageToken };
    }),
    enabled: Boolean(loopId),
  });
  const data = useMemo(() => found.data && [...found.data].sort(byDue), [found.data]);
  return { ...found, data };
}

const byDue = (a: Task, b: Task) => (a.dueTime ?? "").localeCompare(b.dueTime ?? "");

/** So long after I changed something it is still my change that is heard of. */
const ECHO_MS = 10_000;

/** The changes to tasks. Each asks the lists anew before it says that it is done. */
export function useTaskChanges() {
  const queries = useQueryClient();
  const own = useRef(new Set<string>());
  return useMemo(() => {
    const after = async (taskId: string, change: Promise<Task>): Promise<Task> => {
      own.current.add(taskId);
      const task = await change.finally(() =>
        setTimeout(() => own.current.delete(taskId), ECHO_MS),
      );
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["tasks"] }),
        queries.invalidateQueries({ queryKey: ["loops"] }),
      ]);
      return task;
    };
    const path = (taskId: string) => ({ params: { path: { taskId } }, keepalive: true });
    return {
      own: own.current as ReadonlySet<string>,
      say(task: Task, outcome: Outcome, note: string, readBack?: ReadBack) {
        const to = path(task.id);
        const asked =
          outcome.kind === "attempt"
            ? api.POST("/v1/tasks/{taskId}:recordAttempt", {
                ...to,
                body: { result: outcome.result, note },
              })
            : api.POST("/v1/tasks/{taskId}:complete", {
                ...to,
                body: { outcome: outcome.key, note, ...(readBack && { readBack }) },
              });
        return after(task.id, read(asked) as Promise<Task>);
      },
      claim(task: Task) {
        const asked = api.POST("/v1/tasks/{taskId}:claim", { ...path(task.id), body: {} });
        return after(task.id, read(asked) as Promise<Task>);
      },
      assign(taskId: string, to: { staffId?: string; teamId?: string }, etag?: string) {
        const body = { ...to, etag };
        const asked = api.POST("/v1/tasks/{taskId}:assign", { ...path(taskId), body });
        return after(taskId, read(asked) as Promise<Task>);
      },
      decline(task: Task, reason: string) {
        const body = { reason };
        const asked = api.POST("/v1/tasks/{taskId}:decline", { ...path(task.id), body });
        return after(task.id, read(asked) as Promise<Task>);
      },
      comment(task: Task, text: string) {
        const body = { text };
        const asked = api.POST("/v1/tasks/{taskId}:comment", { ...path(task.id), body });
        return after(task.id, read(asked) as Promise<Task>);
      },
    };
  }, [queries]);
}

export type TaskChanges = ReturnType<typeof useTaskChanges>;
