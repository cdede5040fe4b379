/** What a person does with tasks: outcomes that can be undone for ten seconds, claims at once, and dialogs for the rest. */
import { useCallback, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { Failure, type Task } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import { useToasts } from "@/ui/toasts";
import { keepDraft } from "./drafts";
import { type TaskChanges, useTaskChanges } from "./hooks";
import { asksReadBack, type Outcome, type ReadBack } from "./outcomes";

export type Action = "claim" | "assign" | "decline" | "note";
/** An outcome that is taken only with who was told, and when they read it back. */
export interface Unconfirmed {
  action: "readBack";
  task: Task;
  outcome: Outcome;
  words: string;
  note: string;
}
export type Asking = { action: Exclude<Action, "claim">; task: Task } | Unconfirmed | null;

/** What makes sense with a task in its state. */
export function actionsFor(task: Task, me: string): Action[] {
  if (task.state !== "STATE_OPEN") return ["note"];
  const owner = task.owner?.staffId;
  if (!owner) return ["claim", "assign", "decline", "note"];
  return owner === me ? ["assign", "decline", "note"] : ["assign", "note"];
}

export interface Doing {
  changes: TaskChanges;
  may: (task: Task) => boolean;
  isWaiting: (task: Task) => boolean;
  /** Tasks that I have closed, or am about to: lists leave them out. */
  isLeft: (task: Task) => boolean;
  failureOf: (task: Task) => Failure | undefined;
  forgive: (task: Task) => void;
  say: (task: Task, outcome: Outcome, words: string, note: string, readBack?: ReadBack) => void;
  start: (task: Task, action: Action) => void;
  decline: (task: Task, reason: string) => void;
  asking: Asking;
  answered: () => void;
}

/** Why a change was refused, in words. */
export function useRefusalWords(): (error: unknown) => string {
  const t = useTranslations("worklist.errors");
  return useCallback(
    (error) => {
      const { reason, code } = error instanceof Failure ? error : new Failure(0);
      const key = reason as Parameters<typeof t>[0];
      return key !== "other" && t.has(key) ? t(key, { code: "" }) : t("other", { code });
    },
    [t],
  );
}

/** `left`: what to do when a task leaves the list by what I did. */
export function useDoing(left: (task: Task) => void): Doing {
  const t = useTranslations("worklist.toast");
  const changes = useTaskChanges();
  const toasts = useToasts();
  const refusal = useRefusalWords();
  const mayWrite = useMay("tasks.write");
  const me = useMe();
  const [asking, ask] = useState<Asking>(null);
  const [leaving, setLeaving] = useState<ReadonlySet<string>>(new Set());
  const [failures, setFailures] = useState<ReadonlyMap<string, Failure>>(new Map());

  const leave = useCallback((taskId: string, isLeaving: boolean) => {
    setLeaving((before) => {
      const after = new Set(before);
      if (isLeaving) after.add(taskId);
      else after.delete(taskId);
      return after;
    });
  }, []);
  const fail = useCallback((taskId: string, error: unknown) => {
    setFailures((before) => {
      const after = new Map(before);
      if (error === null) after.delete(taskId);
      else after.set(taskId, error instanceof Failure ? error : new Failure(0));
      return after;
    });
  }, []);

  return useMemo((): Doing => {
    const slots = (task: Task) => ({ patient: task.patientName, title: task.title });
    // At the task, and wherever the person has gone since.
    const refuse = (task: Task, what: string) => (error: unknown) => {
      leave(task.id, false);
      fail(task.id, error);
      const { patientName: patient } = task;
      const why = refusal(error);
      toasts.say({
        text: what ? t("failed", { what, patient, why }) : t("notUndone", { patient, why }),
      });
    };
    return {
      changes,
      asking,
      answered: () => ask(null),
      may: (task) => mayWrite && me.facilityIds.includes(task.facilityId),
      isWaiting: (task) => toasts.isWaiting(task.id),
      isLeft: (task) => leaving.has(task.id),
      failureOf: (task) => failures.get(task.id),
      forgive: (task) => fail(task.id, null),
      say(task, outcome, words, note, readBack) {
        fail(task.id, null);
        if (asksReadBack(task, outcome) && !readBack) {
          return ask({ action: "readBack", task, outcome, words, note });
        }
        if (outcome.closes) {
          left(task);
          leave(task.id, true);
        }
        toasts.later({
          key: task.id,
          waiting: t("waiting", { outcome: words, patient: task.patientName }),
          saved: t("saved", { outcome: words, patient: task.patientName }),
          send: () =>
            changes.say(task, outcome, note, readBack).then(() => keepDraft(task.id, "note", "")),
          undone: () => leave(task.id, false),
          failed: refuse(task, words),
        });
      },
      decline(task, reason) {
        fail(task.id, null);
        left(task);
        leave(task.id, true);
        const back = () => leave(task.id, false);
        toasts.later({
          key: task.id,
          waiting: t("declineWaiting", slots(task)),
          saved: t("declined", slots(task)),
          send: () =>
            changes
              .decline(task, reason)
              .then(() => keepDraft(task.id, "decline", ""))
              .finally(back),
          undone: back,
          failed: refuse(task, t("handBack")),
        });
      },
      start(task, action) {
        fail(task.id, null);
        if (action !== "claim") return ask({ action, task });
        const teamId = task.owner?.teamId;
        changes.claim(task).then(
          (now) =>
            toasts.say({
              text: t("claimed", slots(task)),
              undo: teamId
                ? () => void changes.assign(now.id, { teamId }, now.etag).catch(refuse(task, ""))
                : undefined,
            }),
          (error: unknown) => fail(task.id, error),
        );
      },
    };
  }, [asking, changes, fail, failures, leave, leaving, left, mayWrite, me, refusal, t, toasts]);
}
