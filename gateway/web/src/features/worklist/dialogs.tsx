/** Assign, decline, note: what needs more than a key. */
import { NativeSelect, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { useMay, useStaff, useTeams } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { type Doing, useRefusalWords } from "./doing";
import { useDraft } from "./drafts";
import { Form } from "./form";
import { ReadBackDialog } from "./read-back";

export function Dialogs({ doing }: { doing: Doing }) {
  const asking = doing.asking;
  if (!asking) return null;
  if (asking.action === "readBack") return <ReadBackDialog asking={asking} doing={doing} />;
  if (asking.action === "assign") return <Assign task={asking.task} doing={doing} />;
  if (asking.action === "decline") return <Decline task={asking.task} doing={doing} />;
  return <Remark task={asking.task} doing={doing} />;
}

interface DialogProps {
  task: Task;
  doing: Doing;
}

/** Sends a change, keeps the dialog open with the reason if it fails. */
function useSending(doing: Doing) {
  const refusal = useRefusalWords();
  const [isBusy, be] = useState(false);
  const [error, show] = useState("");
  const send = (change: Promise<unknown>, done: () => void) => {
    be(true);
    change.then(
      () => {
        doing.answered();
        done();
      },
      (reason: unknown) => {
        be(false);
        show(refusal(reason));
      },
    );
  };
  return { isBusy, error, show, send };
}

function Assign({ task, doing }: DialogProps) {
  const t = useTranslations("worklist");
  const toasts = useToasts();
  const mayRead = useMay("staff.read");
  const staff = useStaff(task.facilityId);
  const teams = useTeams(task.facilityId);
  const [to, choose] = useState("");
  const refusal = useRefusalWords();
  const { isBusy, error, show, send } = useSending(doing);
  const submit = () => {
    const [kind, id = ""] = to.split(" ");
    const found = [...staff, ...teams].find((one) => one.id === id);
    if (!found) return show(t("assign.choose"));
    const who = "displayName" in found ? found.displayName : found.name;
    const target = kind === "team" ? { teamId: id } : { staffId: id };
    const before = task.owner;
    const failed = (reason: unknown) => {
      const why = refusal(reason);
      toasts.say({ text: t("toast.notUndone", { patient: task.patientName, why }) });
    };
    send(doing.changes.assign(task.id, target, task.etag), () =>
      toasts.say({
        text: t("toast.assigned", { who, title: task.title, patient: task.patientName }),
        undo: before && (() => void giveBack(doing, task, before).catch(failed)),
      }),
    );
  };
  if (!mayRead) {
    return (
      <Dialog title={t("assign.title")} close={doing.answered} closeLabel={t("errors.close")}>
        <p>{t("assign.none")}</p>
      </Dialog>
    );
  }
  return (
    <Form
      task={task}
      title={t("assign.title")}
      text={t("assign.text")}
      save={t("assign.save")}
      isBusy={isBusy}
      submit={submit}
      close={doing.answered}
    >
      <NativeSelect
        data-autofocus
        label={t("assign.to")}
        value={to}
        error={error}
        onChange={(event) => choose(event.currentTarget.value)}
        data={[
          { value: "", label: "" },
          {
            group: t("assign.teams"),
            items: teams.map(({ id, name }) => ({ value: `team ${id}`, label: name })),
          },
          {
            group: t("assign.people"),
            items: staff
              .filter(({ state }) => state === "STATE_ACTIVE")
              .map(({ id, displayName }) => ({ value: `staff ${id}`, label: displayName })),
          },
        ]}
      />
    </Form>
  );
}

function giveBack(doing: Doing, task: Task, before: NonNullable<Task["owner"]>) {
  const target = before.staffId ? { staffId: before.staffId } : { teamId: before.teamId };
  return doing.changes.assign(task.id, target);
}

function Decline({ task, doing }: DialogProps) {
  const t = useTranslations("worklist.decline");
  const [reason, write] = useDraft(task.id, "decline");
  const [error, show] = useState("");
  const submit = () => {
    if (!reason.trim()) return show(t("needed"));
    doing.answered();
    doing.decline(task, reason.trim());
  };
  return (
    <Form
      task={task}
      title={t("title")}
      text={t("text")}
      save={t("save")}
      submit={submit}
      close={doing.answered}
    >
      <Textarea
        data-autofocus
        label={t("reason")}
        value={reason}
        error={error}
        maxLength={500}
        rows={3}
        onChange={(event) => write(event.currentTarget.value)}
      />
    </Form>
  );
}

function Remark({ task, doing }: DialogProps) {
  const t = useTranslations("worklist");
  const toasts = useToasts();
  const [text, write] = useState("");
  const { isBusy, error, show, send } = useSending(doing);
  const submit = () => {
    if (!text.trim()) return show(t("remark.needed"));
    send(doing.changes.comment(task, text.trim()), () =>
      toasts.say({ text: t("toast.noted", { patient: task.patientName }) }),
    );
  };
  return (
    <Form
      task={task}
      title={t("remark.title")}
      text={t("remark.text")}
      save={t("remark.save")}
      isBusy={isBusy}
      submit={submit}
      close={doing.answered}
    >
      <Textarea
        data-autofocus
        label={t("remark.label")}
        value={text}
        error={error}
        maxLength={2000}
        rows={4}
        onChange={(event) => write(event.currentTarget.value)}
      />
    </Form>
  );
}
