/** The list: five columns, groups by clock, one tab stop with keys inside. */
import { Button } from "@mantine/core";
import { Fragment, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import { GROUPS } from "./groups";
import { PAGE } from "./hooks";
import { WorkRow } from "./row";
import type { SteadyRow } from "./steady";
import styles from "./worklist.module.css";

interface ListProps {
  rows: SteadyRow[];
  selected: string;
  select: (taskId: string) => void;
  more?: () => void;
  isLoadingMore: boolean;
}

const COLUMNS = ["priority", "patient", "what", "due", "owner"] as const;

export function WorkList({ rows, selected, select, more, isLoadingMore }: ListProps) {
  const t = useTranslations("worklist");
  const tabStop = rows.some(({ task }) => task.id === selected) ? selected : rows[0]?.task.id;
  const firstGroup = rows[0]?.group;
  const focused = useKeptFocus(rows, select);
  return (
    <>
      <div
        role="grid"
        aria-label={t("title")}
        className={styles.grid}
        onFocus={({ target }) => {
          focused.current = target.dataset.task ?? "";
        }}
      >
        <div role="rowgroup" className={styles.columns}>
          <div role="row" className={styles.headRow}>
            {COLUMNS.map((column) => (
              <div key={column} role="columnheader" className={styles[column]}>
                {t(`columns.${column}`)}
              </div>
            ))}
          </div>
        </div>
        {GROUPS.map((group) => {
          const inGroup = rows.filter((row) => row.group === group);
          if (!inGroup.length) return <Fragment key={group} />;
          return (
            <div key={group} role="rowgroup">
              <div role="row" className={styles.groupRow} data-group={group}>
                <div role="gridcell" aria-colspan={COLUMNS.length}>
                  <h2 className={styles.groupTitle}>
                    {t(`groups.${group}`)} <span>{inGroup.length}</span>
                  </h2>
                  {group === firstGroup && <p className={styles.sorted}>{t("sorted")}</p>}
                </div>
              </div>
              {inGroup.map((row) => (
                <WorkRow
                  key={row.task.id}
                  row={row}
                  isSelected={row.task.id === selected}
                  isTabStop={row.task.id === tabStop}
                  select={() => select(row.task.id)}
                />
              ))}
            </div>
          );
        })}
      </div>
      <div className={styles.end}>
        {more ? (
          <Button variant="default" onClick={more} loading={isLoadingMore}>
            {t("showMore", { count: PAGE })}
          </Button>
        ) : (
          t("allShown", { count: rows.length })
        )}
      </div>
    </>
  );
}

/** When the row that has the focus leaves, the one that takes its place has it: the focus never falls to the top. */
function useKeptFocus(rows: SteadyRow[], select: (taskId: string) => void) {
  const focused = useRef("");
  const before = useRef<string[]>([]);
  useEffect(() => {
    const now = rows.map(({ task }) => task.id);
    const place = before.current.indexOf(focused.current);
    before.current = now;
    if (place < 0 || now.includes(focused.current)) return;
    const next = now[Math.min(place, now.length - 1)];
    focused.current = "";
    if (!next || document.activeElement !== document.body) return;
    select(next);
    requestAnimationFrame(() => focusRow(next));
  }, [rows, select]);
  return focused;
}

/** Put the focus on a row, where it can be seen. */
export function focusRow(taskId: string): void {
  const row = document.querySelector<HTMLElement>(`[data-task="${CSS.escape(taskId)}"]`);
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}
