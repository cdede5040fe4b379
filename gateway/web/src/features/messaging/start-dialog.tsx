/** A new thread: what it is about, who should answer, and how soon. */
import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Patient, read } from "@/api/client";
import { useFacilities, useTeams } from "@/api/queries";
import { usePatientLoops } from "@/features/patients/hooks";
import { Dialog } from "@/ui/dialog";
import { useChange, usePlaces } from "./hooks";
import styles from "./messaging.module.css";
import { Problem } from "./problem";

const PRIORITIES = ["PRIORITY_ROUTINE", "PRIORITY_HIGH", "PRIORITY_URGENT"] as const;
const MOST_TITLE = 120;
const MOST_TEXT = 4000;

export function StartDialog({ patient, close }: { patient: Patient; close: () => void }) {
  const t = useTranslations("messaging.start");
  const { send, problem, isBusy } = useChange();
  const facilities = useFacilities();
  const places = usePlaces(patient.facilityIds);
  const loops = (usePatientLoops(patient.id).data ?? []).filter(
    ({ state }) => state === "STATE_OPEN",
  );
  const [title, setTitle] = useState("");
  const [text, setText] = useState("");
  const [priority, setPriority] = useState<(typeof PRIORITIES)[number]>("PRIORITY_ROUTINE");
  const [asks, setAsks] = useState(places[0] ?? "");
  const [answers, setAnswers] = useState(places[0] ?? "");
  const [teamId, setTeam] = useState("");
  const [loopId, setLoop] = useState("");
  const teams = useTeams(answers);
  const named = (ids: readonly string[]) =>
    ids.map((id) => ({ value: id, label: facilities.get(id)?.name ?? t("elsewhere") }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const thread = {
      patientId: patient.id,
      facilityId: asks,
      answeringFacilityId: answers,
      title: title.trim(),
      priority,
      teamId: teamId || undefined,
      loopId: loopId || undefined,
    };
    if (await send(read(api.POST("/v1/threads", { body: { thread, text: text.trim() } })))) close();
  };
  return (
    <Dialog title={t("title")} close={close} closeLabel={t("cancel")}>
      <form onSubmit={(event) => void submit(event)} className={styles.form}>
        <TextInput
          label={t("about")}
          required
          maxLength={MOST_TITLE}
          autoComplete="off"
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          data-autofocus
        />
        <Textarea
          label={t("words")}
          required
          autosize
          minRows={2}
          maxLength={MOST_TEXT}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <NativeSelect
          label={t("priority")}
          value={priority}
          onChange={(event) =>
            setPriority(PRIORITIES.find((each) => each === event.currentTarget.value) ?? priority)
          }
          data={PRIORITIES.map((value) => ({ value, label: t(`priorities.${value}`) }))}
        />
        {places.length > 1 && (
          <NativeSelect
            label={t("asks")}
            value={asks}
            onChange={(event) => setAsks(event.currentTarget.value)}
            data={named(places)}
          />
        )}
        <NativeSelect
          label={t("answers")}
          description={t("answersHint")}
          value={answers}
          onChange={(event) => {
            setAnswers(event.currentTarget.value);
            setTeam("");
          }}
          data={named([...facilities.keys()])}
        />
        <NativeSelect
          label={t("team")}
          value={teamId}
          onChange={(event) => setTeam(event.currentTarget.value)}
          data={[
            { value: "", label: t("duty") },
            ...teams.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        {loops.length > 0 && (
          <NativeSelect
            label={t("loop")}
            description={t("loopHint")}
            value={loopId}
            onChange={(event) => setLoop(event.currentTarget.value)}
            data={[
              { value: "", label: t("noLoop") },
              ...loops.map(({ id, title: name }) => ({ value: id, label: name })),
            ]}
          />
        )}
        <Problem>{problem}</Problem>
        <div className={styles.actions}>
          <Button type="submit" disabled={isBusy || !title.trim() || !text.trim()}>
            {t("save")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
