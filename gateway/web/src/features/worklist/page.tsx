/** The worklist: one queue, the selected task beside it, everything by key. */
import { Button, NativeSelect } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconListCheck } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { useFacilities, useMe } from "@/api/queries";
import type { WorklistScope, WorklistSearch } from "@/routes";
import { Counted } from "@/ui/counted";
import { Cap, useKeys } from "@/ui/keys";
import { useTitle } from "@/ui/page";
import { Empty, Failed, Loading } from "@/ui/states";
import { useCounts } from "./counts";
import { Dialogs } from "./dialogs";
import { actionsFor, useDoing } from "./doing";
import { useTask, useWorklist } from "./hooks";
import { focusRow, WorkList } from "./list";
import { TaskPane } from "./pane";
import type { SteadyRow } from "./steady";
import styles from "./worklist.module.css";

const SCOPES: WorklistScope[] = ["mine", "team", "unclaimed", "all"];
const WIDE = "(min-width: 1100px)";

export function WorklistPage() {
  const t = useTranslations("worklist");
  useTitle(t("title"));
  const search = useSearch({ from: "/shell/worklist" });
  const { scope = "team", facility = "" } = search;
  const go = useSearchChange();
  const isWide = useMediaQuery(WIDE, undefined, { getInitialValueInEffect: false }) ?? true;
  const { doing, follow } = useFollowing(isWide, go);
  const worklist = useWorklist(scope, facility, doing.changes.own);
  const rows = worklist.steady.rows.filter(({ task }) => !doing.isLeft(task));
  const first = isWide && worklist.isCurrent ? (rows[0]?.task.id ?? "") : "";
  const selected = search.task ?? first;
  follow(rows, selected);
  // Chosen once and kept: when the first row leaves, the pane does not become another patient's under the hand.
  useEffect(() => {
    if (first && !search.task) go({ task: first });
  }, [first, go, search.task]);
  const task = useSelected(worklist, rows, selected);
  const isPage = !isWide && Boolean(search.task);
  useListKeys({ rows, selected, task, isPage, scope, showNew: worklist.showNew, doing, go });
  const back = isPage ? () => go({ task: undefined }) : undefined;
  return (
    <div className={styles.screen} data-has-pane={isWide && rows.length > 0}>
      {!isPage && (
        <section className={styles.main} aria-label={t("title")}>
          <Head scope={scope} facility={facility}>
            <NewRows count={worklist.steady.waiting} show={worklist.showNew} />
          </Head>
          <Rows
            worklist={worklist}
            rows={rows}
            selected={selected}
            select={(id) => go({ task: id })}
            nothing={<Nothing scope={scope} facility={facility} worklist={worklist} />}
          />
          {rows.length > 0 && <KeyBar />}
        </section>
      )}
      {task && <TaskPane task={task} doing={doing} back={back} />}
      <Dialogs doing={doing} />
    </div>
  );
}

/** The selected task as it is now, be it on the list, leaving it, or not there any more. */
function useSelected(worklist: Worklist, rows: SteadyRow[], selected: string): Task | undefined {
  const row = rows.find(({ task }) => task.id === selected);
  const isListed = row !== undefined && row.goneAt === undefined;
  const asked = useTask(selected, !worklist.isCurrent || isListed);
  return isListed ? row.task : (asked.data ?? row?.task);
}

type Go = ReturnType<typeof useSearchChange>;
type Worklist = ReturnType<typeof useWorklist>;

/** When a task leaves by what I did, the next row is selected and has the focus. */
function useFollowing(isWide: boolean, go: Go) {
  const now = useRef<{ rows: SteadyRow[]; selected: string }>({ rows: [], selected: "" });
  const left = useCallback(
    ({ id }: Task) => {
      const { rows, selected } = now.current;
      if (selected !== id) return;
      const next = neighbor(rows, id, 1) ?? neighbor(rows, id, -1);
      go({ task: isWide ? next : undefined });
      if (next) setTimeout(() => focusRow(next));
    },
    [go, isWide],
  );
  const follow = (rows: SteadyRow[], selected: string) => {
    now.current = { rows, selected };
  };
  return { doing: useDoing(left), follow };
}

interface RowsProps {
  worklist: Worklist;
  rows: SteadyRow[];
  selected: string;
  select: (taskId: string) => void;
  nothing: ReactNode;
}

function Rows({ worklist, rows, selected, select, nothing }: RowsProps) {
  const t = useTranslations("worklist");
  const { query, isCurrent } = worklist;
  const retry = () => void query.refetch();
  if (query.error && !query.data) {
    return <Failed title={t("failed")} error={query.error} retry={retry} />;
  }
  if (!isCurrent) return <Loading retry={retry} />;
  if (!rows.length) return nothing;
  return (
    <WorkList
      rows={rows}
      selected={selected}
      select={select}
      more={query.hasNextPage ? () => void query.fetchNextPage() : undefined}
      isLoadingMore={query.isFetchingNextPage}
    />
  );
}

/** New rows wait until they are wanted. */
function NewRows({ count, show }: { count: number; show: () => void }) {
  const t = useTranslations("worklist");
  return (
    <>
      <span role="status" className={styles.onlySpoken}>
        {count > 0 ? t("announceNew", { count }) : ""}
      </span>
      {count > 0 && (
        <Button
          variant="outline"
          size="compact-md"
          radius="xl"
          className={styles.new}
          aria-keyshortcuts="r"
          rightSection={<Cap>R</Cap>}
          onClick={show}
        >
          {t("new", { count })}
        </Button>
      )}
    </>
  );
}

function useSearchChange() {
  const navigate = useNavigate({ from: "/worklist" });
  return useCallback(
    (change: Partial<WorklistSearch>) => {
      // A task that is opened as a page on a phone can be left with "back".
      const isPageOpened = Boolean(change.task) && !matchMedia(WIDE).matches;
      void navigate({
        search: (before) => ({ ...before, ...change }),
        replace: !isPageOpened,
        resetScroll: false,
      });
    },
    [navigate],
  );
}

function neighbor(rows: readonly SteadyRow[], taskId: string, step: 1 | -1): string | undefined {
  const here = rows.findIndex(({ task }) => task.id === taskId);
  return rows[here + step]?.task.id;
}

interface ListKeys {
  rows: SteadyRow[];
  selected: string;
  /** The selected one, also where it is no row of the list any more. */
  task: Task | undefined;
  isPage: boolean;
  scope: WorklistScope;
  showNew: () => void;
  doing: ReturnType<typeof useDoing>;
  go: (change: Partial<WorklistSearch>) => void;
}

function useListKeys(list: ListKeys): void {
  const { rows, selected, task, isPage, scope, showNew, doing, go } = list;
  const navigate = useNavigate();
  const me = useMe().staffMember.id;
  const move = (step: 1 | -1) => () => {
    const to = neighbor(rows, selected, step);
    if (!to) return;
    go({ task: to });
    requestAnimationFrame(() => focusRow(to));
  };
  const open = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (target.closest("a, button, summary")) return target.click();
    if (task) void navigate({ to: "/patients/$patientId", params: { patientId: task.patientId } });
  };
  const act = (action: "claim" | "assign" | "decline" | "note") => {
    if (!task || !doing.may(task) || !actionsFor(task, me).includes(action)) return undefined;
    return () => doing.start(task, action);
  };
  const nextScope = SCOPES[(SCOPES.indexOf(scope) + 1) % SCOPES.length];
  useKeys({
    j: move(1),
    k: move(-1),
    ArrowDown: move(1),
    ArrowUp: move(-1),
    Enter: open,
    r: showNew,
    f: () => go({ scope: nextScope, task: undefined }),
    x: () => go({ scope: undefined, facility: undefined, task: undefined }),
    c: act("claim"),
    a: act("assign"),
    d: act("decline"),
    n: act("note"),
    Escape: isPage && (() => go({ task: undefined })),
  });
}

interface HeadProps {
  scope: WorklistScope;
  facility: string;
  children: ReactNode;
}

function Head({ scope, facility, children }: HeadProps) {
  const t = useTranslations("worklist");
  const counts = useCounts(facility);
  const go = useSearchChange();
  const mine = useMe().facilityIds;
  const places = [...useFacilities().values()].filter(({ id }) => mine.includes(id));
  return (
    <header className={styles.head}>
      <h1>{t("title")}</h1>
      <div className={styles.scopes} role="group" aria-label={t("scopes.label")}>
        {SCOPES.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === scope}
            onClick={() => go({ scope: each, task: undefined })}
          >
            <span>{t(`scopes.${each}`)}</span>
            <Counted open={counts[each]?.open ?? 0} late={counts[each]?.late ?? 0} />
          </button>
        ))}
      </div>
      {places.length > 1 && (
        <NativeSelect
          aria-label={t("facility")}
          size="xs"
          value={facility}
          onChange={(event) =>
            go({ facility: event.currentTarget.value || undefined, task: undefined })
          }
          data={[
            { value: "", label: t("anyFacility") },
            ...places.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      )}
      {children}
    </header>
  );
}

interface NothingProps {
  scope: WorklistScope;
  facility: string;
  worklist: Worklist;
}

/** Never a dead end: what comes next, or which filter to drop. */
function Nothing({ scope, facility, worklist }: NothingProps) {
  const { showNew } = worklist;
  const { waiting } = worklist.steady;
  const t = useTranslations("worklist");
  const go = useSearchChange();
  const place = useFacilities().get(facility)?.name;
  if (waiting > 0) {
    return (
      <Empty
        icon={<IconListCheck size={22} stroke={1.9} />}
        title={t("announceNew", { count: waiting })}
        actions={<Button onClick={showNew}>{t("new", { count: waiting })}</Button>}
      />
    );
  }
  if (facility && scope !== "all") {
    return (
      <Empty
        title={t("empty.filtered")}
        actions={
          <Button
            variant="default"
            rightSection={<Cap>X</Cap>}
            onClick={() => go({ scope: undefined, facility: undefined })}
          >
            {t("empty.clear")}
          </Button>
        }
      >
        <p>{t("empty.filteredText", { facility: place ?? "" })}</p>
      </Empty>
    );
  }
  const next = { mine: "team", team: "all", unclaimed: "team", all: undefined } as const;
  const words = { team: "empty.seeTeam", all: "empty.seeAll" } as const;
  const to = next[scope];
  return (
    <Empty
      title={t(`empty.${scope}`)}
      actions={
        to && (
          <Button variant="default" onClick={() => go({ scope: to })}>
            {t(words[to])}
          </Button>
        )
      }
    >
      <p>{t(`empty.${scope}Text`)}</p>
    </Empty>
  );
}

function KeyBar() {
  const t = useTranslations("worklist.bar");
  return (
    <div className={styles.keyBar} aria-hidden="true">
      <span>
        <Cap>J</Cap> <Cap>K</Cap> {t("move")}
      </span>
      <span>
        <Cap>1</Cap> <Cap>2</Cap> <Cap>3</Cap> {t("outcome")}
      </span>
      <span>
        <Cap>Enter</Cap> {t("open")}
      </span>
      <span>
        <Cap>C</Cap> {t("claim")}
      </span>
      <span>
        <Cap>A</Cap> {t("assign")}
      </span>
      <span className={styles.keyBarEnd}>
        <Cap>?</Cap> {t("all")}
      </span>
    </div>
  );
}
