/** One loop: who has it, the next step, what closes it, its clock, and at most three actions. */
import { Button } from "@mantine/core";
import { IconPhone } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Loop, Task } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import { isCall } from "@/features/worklist/outcomes";
import { useOwnerWords } from "@/features/worklist/owner";
import { Clock } from "@/ui/clock";
import { clockState } from "@/ui/clock-state";
import { useNow, useWhen, useZone } from "@/ui/when";
import { useReasonWords } from "./entry-words";
import styles from "./loops.module.css";
import { phoneWords } from "./person";

interface CardProps {
  loop: Loop;
  /** The loop's tasks. */
  tasks: readonly Task[];
  phone: string;
  /** The partner that was asked to help and has not answered. */
  waitsFor?: string | undefined;
}

/** The open task that comes first: what has begun before what has not, then the soonest due. Pure. */
export function nextTask(tasks: readonly Task[], now: Date): Task | undefined {
  const hasBegun = (task: Task) => !task.startTime || Date.parse(task.startTime) <= now.getTime();
  return tasks
    .filter(({ state }) => state === "STATE_OPEN")
    .sort(
      (a, b) =>
        Number(hasBegun(b)) - Number(hasBegun(a)) ||
        (a.dueTime ?? "").localeCompare(b.dueTime ?? ""),
    )[0];
}

const PRESSING = new Set(["soon", "overdue", "escalated"]);

export function LoopCard({ loop, tasks, phone, waitsFor }: CardProps) {
  const t = useTranslations("patients.loops");
  const owner = useOwnerWords();
  const now = useNow();
  const when = useWhen();
  const zone = useZone(loop.facilityId);
  const me = useMe().staffMember.id;
  const next = nextTask(tasks, now);
  const isMine = next?.owner?.accountableStaffId === me || next?.owner?.staffId === me;
  const word = next ? clockState(next, now).word : "onTrack";
  const isPressing = isMine && PRESSING.has(word);
  const mayCall = next && isCall(next) && Boolean(phone);
  return (
    <article
      className={styles.loop}
      data-is-pressing={isPressing}
      data-word={word}
      aria-labelledby={loop.id}
    >
      <div className={styles.loopHead}>
        <h3 id={loop.id} lang="en">
          {loop.title}
        </h3>
        {next && <Clock of={next} facilityId={loop.facilityId} />}
      </div>
      <dl className={styles.facts}>
        <dt>{t("owner")}</dt>
        <dd>
          <OwnerWords owner={owner(next?.owner ?? loop.owner)} waitsFor={waitsFor} />
        </dd>
        <dt>{t("next")}</dt>
        <dd>
          <b lang="en">{next ? next.title : <Waiting loop={loop} />}</b>
        </dd>
        <dt>{t("closes")}</dt>
        <dd>
          <Closing loop={loop} tasks={tasks} />
        </dd>
      </dl>
      <details className={styles.more}>
        <summary>{t("all")}</summary>
        <ul lang="en">
          {loop.closesWhen.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        <p lang="en">{when.sentence(loop.why, zone)}</p>
      </details>
      <div className={styles.loopActions}>
        {mayCall && (
          <Button
            component="a"
            href={`tel:${phone}`}
            size="xs"
            variant={isPressing ? "filled" : "default"}
            leftSection={<IconPhone size={16} stroke={1.9} />}
          >
            {t("call", { phone: phoneWords(phone) })}
          </Button>
        )}
        {next && (
          <Link
            to="/worklist"
            search={{ scope: "all", task: next.id }}
            className={styles.stepLink}
            data-is-first={isPressing && !mayCall}
          >
            {t("task")}
          </Link>
        )}
        <AskForHelp loop={loop} />
      </div>
    </article>
  );
}

/** Waiting on a partner is still owned. */
function OwnerWords({ owner, waitsFor }: { owner: string; waitsFor: string | undefined }) {
  const t = useTranslations("referrals.loop");
  return <bdi>{waitsFor ? t("waiting", { owner, service: waitsFor }) : owner}</bdi>;
}

function AskForHelp({ loop }: { loop: Loop }) {
  const t = useTranslations("referrals");
  const mayWrite = useMay("referrals.write");
  if (!useMe().facilityIds.includes(loop.facilityId) || !mayWrite) return null;
  return (
    <Link
      to="/patients/$patientId/help"
      params={{ patientId: loop.patientId }}
      search={{ loop: loop.id }}
      className={styles.stepLink}
    >
      {t("ask")}
    </Link>
  );
}

/** The evidence in short: how much of it is there, and until when the loop lasts at most. */
function Closing({ loop, tasks }: Pick<CardProps, "loop" | "tasks">) {
  const t = useTranslations("patients.loops");
  const when = useWhen();
  const zone = useZone(loop.facilityId);
  const needed = tasks.filter(({ state }) => state !== "STATE_CANCELLED");
  const done = needed.filter(({ state }) => state === "STATE_COMPLETED").length;
  const last = loop.keyDates.at(-1);
  if (loop.resultId && last?.time) {
    return t("closingReadBack", { time: when.moment(new Date(last.time), zone) });
  }
  return last
    ? t("closingBy", { done, needed: needed.length, date: when.date(last.date, zone) })
    : t("closing", { done, needed: needed.length });
}

function Waiting({ loop }: { loop: Loop }) {
  const t = useTranslations("patients.loops");
  const when = useWhen();
  const zone = useZone(loop.facilityId);
  const last = loop.keyDates.at(-1);
  return t("nextNone", { title: last?.title ?? "", date: when.date(last?.date, zone) });
}

export function ClosedLoop({ loop }: { loop: Loop }) {
  const t = useTranslations("patients.loops");
  const reason = useReasonWords();
  return (
    <article className={styles.closedLoop} aria-labelledby={loop.id}>
      <div className={styles.loopHead}>
        <h3 id={loop.id} lang="en">
          {loop.title}
        </h3>
        <Clock of={{ ...loop, dueTime: loop.clockTime }} facilityId={loop.facilityId} />
      </div>
      <p className={styles.why}>{t("closedAs", { reason: reason(loop.closeReason) })}</p>
    </article>
  );
}
