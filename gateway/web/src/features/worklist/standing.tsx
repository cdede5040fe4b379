/** Where the loop stands, what happens if nobody acts, and what closes the step and what does not. */
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { Shape } from "@/ui/clock";
import { clockState } from "@/ui/clock-state";
import { useNow, useWhen, useZone } from "@/ui/when";
import styles from "./pane.module.css";
import { protocolOf } from "./row";

const bold = (chunks: React.ReactNode) => <b>{chunks}</b>;

export function Standing({ task, tasks }: { task: Task; tasks: readonly Task[] }) {
  return (
    <section className={styles.section}>
      <h3 className={styles.sectionTitle} lang="en">
        {protocolOf(task)}
      </h3>
      <ol className={styles.steps}>
        {tasks.map((step) => (
          <Step key={step.id} step={step} isThis={step.id === task.id} />
        ))}
      </ol>
      <IfNobody task={task} />
    </section>
  );
}

const WORDS = {
  STATE_UNSPECIFIED: "open",
  STATE_OPEN: "open",
  STATE_COMPLETED: "done",
  STATE_CANCELLED: "cancelled",
} as const;

function Step({ step, isThis }: { step: Task; isThis: boolean }) {
  const t = useTranslations("worklist.step");
  const clock = useTranslations("shell.clock");
  const when = useWhen();
  const zone = useZone(step.facilityId);
  const { word, used } = clockState(step, useNow());
  const end = step.closeTime ?? step.dueTime;
  const isOpen = step.state === "STATE_OPEN";
  return (
    <li
      className={styles.step}
      data-is-this={isThis}
      data-word={word}
      aria-current={isThis && "step"}
    >
      <Shape word={word} used={used} />
      <span className={styles.onlySpoken}>{isOpen ? clock(word) : t(WORDS[step.state])}</span>
      <span lang="en">{step.title}</span>
      <time>{end && when.moment(new Date(end), zone)}</time>
    </li>
  );
}

function IfNobody({ task }: { task: Task }) {
  const t = useTranslations("worklist");
  const when = useWhen();
  const zone = useZone(task.facilityId);
  if (task.state !== "STATE_OPEN") return null;
  const due = task.dueTime ? when.moment(new Date(task.dueTime), zone) : "";
  const next = task.nextEscalationTime && when.moment(new Date(task.nextEscalationTime), zone);
  const isAtEnd = task.escalationLevel > 0;
  const told = () => {
    if (next) return t.rich("ifNobody", { when: next, b: bold });
    if (isAtEnd) return t.rich("ifNobodyEnd", { b: bold });
    return t.rich("ifNobodyNone", { when: due, b: bold });
  };
  return (
    <div className={styles.know}>
      <p>
        {task.dueExplanation
          ? t.rich("dueWhy", {
              when: due,
              explanation: when.counted(task.dueExplanation, zone),
              b: bold,
            })
          : t.rich("dueOnly", { when: due, b: bold })}
      </p>
      <p>{told()}</p>
      <b>{t("closesOn")}</b>
      <ul lang="en">
        {task.doneWhen.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}
