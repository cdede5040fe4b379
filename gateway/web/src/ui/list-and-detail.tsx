/** A list, and beside it what was chosen of it; where there is room for one of them only, what was chosen. */
import { CloseButton } from "@mantine/core";
import {
  type ComponentProps,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from "react";
import { useKeys } from "./keys";
import styles from "./list-and-detail.module.css";

/** `detail` is nothing while nothing is chosen. Arrows, J and K go from row to row. */
export function ListAndDetail({ detail, children }: { detail: ReactNode; children: ReactNode }) {
  const list = useRef<HTMLDivElement>(null);
  const move = (step: 1 | -1) => () => {
    const all = list.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [];
    const rows = [...all].filter((row) => row.checkVisibility());
    const at = rows.indexOf(document.activeElement as HTMLElement);
    rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  };
  useKeys({ j: move(1), k: move(-1) });
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] as 1 | -1 | undefined;
    if (!step || !(event.target as HTMLElement).matches("[data-row]")) return;
    event.preventDefault();
    move(step)();
  };
  return (
    <div className={styles.columns} data-is-alone={!detail}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the rows inside */}
      <div ref={list} className={styles.list} onKeyDown={onKey}>
        {children}
      </div>
      {detail}
    </div>
  );
}

/** When it closes, the focus is where it was opened from. */
export function Detail({ label, children }: { label: string; children: ReactNode }) {
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      const isLost = document.activeElement === document.body;
      if (isLost && opener instanceof HTMLElement) opener.focus();
    },
    [opener],
  );
  return (
    <aside className={styles.detail} aria-label={label}>
      {children}
    </aside>
  );
}

interface DetailHeadProps {
  children: ReactNode;
  /** Below the headline: whose it is. */
  below?: ReactNode;
  close: () => void;
  closeLabel: string;
}

/** The headline of what was chosen. It is read out when it comes. */
export function DetailHead({ children, below, close, closeLabel }: DetailHeadProps) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  return (
    <div className={styles.head}>
      <div className={styles.headline}>
        <h2 ref={head} tabIndex={-1}>
          {children}
        </h2>
        {below}
      </div>
      <CloseButton aria-label={closeLabel} onClick={close} />
    </div>
  );
}

interface RowButtonProps extends ComponentProps<"button"> {
  /** Says how wide its columns are. */
  className: string | undefined;
  isChosen: boolean;
  /** Of all rows one is a stop for the tab key; from there the others are reached. */
  isTabStop: boolean;
}

/** A row of the list that opens what it tells of. */
export function RowButton({ isChosen, isTabStop, className, ...rest }: RowButtonProps) {
  return (
    <button
      type="button"
      className={className ? `${styles.row} ${className}` : styles.row}
      data-row
      tabIndex={isTabStop ? 0 : -1}
      aria-current={isChosen || undefined}
      {...rest}
    />
  );
}
