/** A goal in the patient's own words: never without how one sees it, and by when. */
import { Button, Checkbox, Select, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type CarePlan, read } from "@/api/client";
import { LANGUAGES } from "@/i18n/language";
import { Dialog } from "@/ui/dialog";
import styles from "./careplans.module.css";
import { useChange } from "./hooks";

interface Props {
  plan: CarePlan;
  language: string;
  close: () => void;
}

/** A day of a date field as the API says it. */
export function dayOf(text: string) {
  const [year, month, day] = text.split("-").map(Number);
  return { year, month, day };
}

export function GoalDialog({ plan, language, close }: Props) {
  const t = useTranslations("careplans.goal");
  const cancel = useTranslations("careplans")("cancel");
  const change = useChange(plan.patientId);
  const [text, setText] = useState("");
  const [spoken, setSpoken] = useState(language in LANGUAGES ? language : "en");
  const [isOwn, setOwn] = useState(true);
  const [measure, setMeasure] = useState("");
  const [due, setDue] = useState("");
  const isWhole = Boolean(text.trim() && measure.trim() && due);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const goal = { text, language: spoken, isPatientsOwn: isOwn, measure, dueDate: dayOf(due) };
    const params = { path: { carePlanId: plan.id } };
    const body = { etag: plan.etag, goal };
    if (await change(read(api.POST("/v1/carePlans/{carePlanId}/goals", { params, body })))) close();
  };
  return (
    <Dialog title={t("title")} close={close} closeLabel={t("close")}>
      <form onSubmit={(event) => void save(event)} className={styles.form}>
        <Textarea
          label={t("text")}
          required
          maxLength={500}
          autosize
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Select
          label={t("language")}
          data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          value={spoken}
          onChange={(value) => setSpoken(value ?? "en")}
          allowDeselect={false}
        />
        <Checkbox
          label={t("isOwn")}
          checked={isOwn}
          onChange={(event) => setOwn(event.currentTarget.checked)}
        />
        <TextInput
          label={t("measure")}
          required
          maxLength={200}
          value={measure}
          onChange={(event) => setMeasure(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label={t("due")}
          required
          value={due}
          onChange={(event) => setDue(event.currentTarget.value)}
        />
        <div className={styles.actions}>
          <Button type="submit" disabled={!isWhole}>
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
