/** A question about a medicine: to somebody, until a day; and what was answered. */
import { Button, Select, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Reconciliation, read } from "@/api/client";
import { Dialog } from "@/ui/dialog";
import { momentIn } from "@/ui/moments";
import { useZone } from "@/ui/when";
import styles from "./careplans.module.css";
import { type Line, useChange } from "./hooks";
import { CHOICES, nameOfLine } from "./lines";
import { ASKED, useRoleWords } from "./roles";

interface Props {
  line: Line;
  found: Reconciliation;
  close: () => void;
}

export function AskDialog({ line, found, close }: Props) {
  const t = useTranslations("careplans.ask");
  const cancel = useTranslations("careplans")("cancel");
  const roleOf = useRoleWords();
  const change = useChange(found.patientId);
  const zone = useZone(found.facilityId);
  const [askRole, setRole] = useState<string>(line.askRole || ASKED[0]);
  const [due, setDue] = useState("");
  const [note, setNote] = useState(line.note);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const path = { reconciliationId: found.id, lineId: line.id };
    const askDueTime = momentIn(zone, due).toISOString();
    const body = {
      etag: found.etag,
      decision: "DECISION_ASK" as const,
      askRole,
      askDueTime,
      note,
    };
    const url = "/v1/reconciliations/{reconciliationId}/lines/{lineId}:decide";
    if (await change(read(api.POST(url, { params: { path }, body })))) close();
  };
  return (
    <Dialog title={t("title", { name: nameOfLine(line) })} close={close} closeLabel={t("close")}>
      <form onSubmit={(event) => void save(event)} className={styles.form}>
        <Select
          label={t("who")}
          data={ASKED.map((role) => ({ value: role, label: roleOf(role) }))}
          value={askRole}
          onChange={(value) => setRole(value ?? ASKED[0])}
          allowDeselect={false}
        />
        <TextInput
          type="datetime-local"
          label={t("due")}
          required
          value={due}
          onChange={(event) => setDue(event.currentTarget.value)}
        />
        <Textarea
          label={t("what")}
          maxLength={500}
          autosize
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <div className={styles.actions}>
          <Button type="submit" disabled={!due}>
            {t("save")}
          </Button>
          <Button variant="default" onClick={close}>
            {cancel}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const CAME = CHOICES.filter((choice) => choice !== "DECISION_ASK");

export function AnswerDialog({ line, found, close }: Props) {
  const t = useTranslations("careplans.answer");
  const choices = useTranslations("careplans.medicines.choices");
  const cancel = useTranslations("careplans")("cancel");
  const change = useChange(found.patientId);
  const [came, setCame] = useState<(typeof CAME)[number]>("DECISION_CONTINUE");
  const [answer, setAnswer] = useState("");
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const path = { reconciliationId: found.id, lineId: line.id };
    const body = { etag: found.etag, decision: came, answer };
    const url = "/v1/reconciliations/{reconciliationId}/lines/{lineId}:answer";
    if (await change(read(api.POST(url, { params: { path }, body })))) close();
  };
  return (
    <Dialog title={t("title", { name: nameOfLine(line) })} close={close} closeLabel={t("close")}>
      <form onSubmit={(event) => void save(event)} className={styles.form}>
        <Select
          label={t("came")}
          data={CAME.map((value) => ({ value, label: choices(value) }))}
          value={came}
          onChange={(value) => setCame(CAME.find((each) => each === value) ?? "DECISION_CONTINUE")}
          allowDeselect={false}
        />
        <Textarea
          label={t("words")}
          maxLength={500}
          autosize
          value={answer}
          onChange={(event) => setAnswer(event.currentTarget.value)}
        />
        <div className={styles.actions}>
          <Button type="submit">{t("save")}</Button>
          <Button variant="default" onClick={close}>
            {cancel}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
