/** One row: why this first, for whom, what and why, by when, who. */
import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { useFacilities, useMe } from "@/api/queries";
import { Clock } from "@/ui/clock";
import { clockState } from "@/ui/clock-state";
import { Initials } from "@/ui/initials";
import { useNow, useWhen, useZone } from "@/ui/when";
import { Gone } from "./gone";
import { partsOf } from "./owner";
import type { SteadyRow } from "./steady";
import { MARKED_MS } from "./steady";
import { cut, signed, termWords } from "./terms";
import styles from "./worklist.module.css";

interface RowProps {
  row: SteadyRow;
  isSelected: boolean;
  isTabStop: boolean;
  select: () => void;
}

export function WorkRow({ row, isSelected, isTabStop, select }: RowProps) {
  const t = useTranslations("worklist");
  const { task } = row;
  const facility = useFacilities().get(task.facilityId);
  const now = useNow().getTime();
  const isMarked = row.changedAt !== undefined && now - row.changedAt < MARKED_MS;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the worklist moves and opens with its own keys
    <div
      role="row"
      aria-selected={isSelected}
      tabIndex={isTabStop ? 0 : -1}
      className={styles.row}
      data-task={task.id}
      data-is-gone={row.goneAt !== undefined}
      data-is-marked={isMarked}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a")) select();
      }}
    >
      <div role="gridcell" className={styles.priority}>
        <Score task={task} />
      </div>
      <div role="gridcell" className={styles.patient}>
        <Link
          to="/patients/$patientId"
          params={{ patientId: task.patientId }}
          className={styles.name}
          tabIndex={-1}
        >
          <bdi>{task.patientName || t("nameless")}</bdi>
        </Link>
        <span className={styles.second}>{facility?.name}</span>
      </div>
      <div role="gridcell" className={styles.what}>
        <strong lang="en">{task.title}</strong>
        <Why task={task} />
      </div>
      <div role="gridcell" className={styles.due}>
        {row.goneAt === undefined ? (
          <>
            <Clock of={task} facilityId={task.facilityId} />
            <Due task={task} />
          </>
        ) : (
          <Gone task={task} />
        )}
      </div>
      <div role="gridcell" className={styles.owner}>
        <TaskOwner task={task} />
      </div>
    </div>
  );
}

function Score({ task }: { task: Task }) {
  const score = task.priority?.score ?? 0;
  return (
    <>
      <span className={styles.score}>{score < 0 ? signed(score) : score}</span>
      <span className={styles.bar} aria-hidden="true">
        <span style={{ inlineSize: `${Math.min(100, Math.max(4, score))}%` }} />
      </span>
    </>
  );
}

/** Protocol and role; then the terms, the largest first, that add up to the number. */
function Why({ task }: { task: Task }) {
  const t = useTranslations("worklist");
  const words = useTranslations("worklist.terms");
  const role = useRoleName();
  const { shown, rest } = cut(task.priority?.terms ?? [], 2);
  const parts = shown.map(({ label, points }) =>
    t("term", { label: termWords(label, words), points: signed(points) }),
  );
  if (rest) parts.push(t("more", { count: rest.count, points: signed(rest.points) }));
  return (
    <>
      <span className={styles.protocol}>
        {t("protocolRole", { protocol: protocolOf(task), role: role(task.role) })}
      </span>
      <span className={styles.second}>
        {parts.map((part, index) => (
          <Fragment key={part}>
            {index > 0 && " · "}
            <span className={styles.term}>{part}</span>
          </Fragment>
        ))}
      </span>
    </>
  );
}

/** The protocol's title: `why` names it before the step. */
export function protocolOf(task: Task): string {
  return task.why.endsWith(`: ${task.title}`)
    ? task.why.slice(0, -task.title.length - 2)
    : task.why;
}

export function useRoleName(): (role: string) => string {
  const t = useTranslations("shell.roles");
  return (role) => {
    const key = role as Parameters<typeof t>[0];
    return t.has(key) ? t(key) : role;
  };
}

function Due({ task }: { task: Task }) {
  const t = useTranslations("worklist");
  const when = useWhen();
  const zone = useZone(task.facilityId);
  const now = useNow();
  if (!task.dueTime) return null;
  const due = when.moment(new Date(task.dueTime), zone);
  const { lead } = partsOf(task.owner);
  const words = () => {
    if (clockState(task, now).word === "escalated") return t("dutyTold", { when: due });
    return lead ? t("ledBy", { when: due, lead }) : due;
  };
  return <span className={styles.second}>{words()}</span>;
}

/** Who has it; unclaimed is never nobody. */
export function TaskOwner({ task }: { task: Task }) {
  const t = useTranslations("worklist");
  const me = useMe().staffMember.id;
  const owner = task.owner;
  const isMine = owner?.staffId === me;
  const { name } = partsOf(owner);
  if (owner?.staffId) {
    return (
      <>
        <Initials name={name} isMe={isMine} />
        <span>{isMine ? t("you") : <bdi>{name}</bdi>}</span>
      </>
    );
  }
  return (
    <>
      <Initials name="" />
      <span className={styles.unclaimed}>
        <span>{t("unclaimed")}</span>
        <bdi className={styles.second}>{name}</bdi>
      </span>
    </>
  );
}
