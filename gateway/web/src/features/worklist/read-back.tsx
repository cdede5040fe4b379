/** Who was told, and when they read it back: without that a critical result is not acknowledged. */
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { useNow } from "@/ui/when";
import { Form } from "./dialogs";
import type { Doing, Unconfirmed } from "./doing";

const MOST_LETTERS = 120;

/** A moment as the field wants it, by the clock of whoever types. */
function fieldTime(moment: Date): string {
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

export function ReadBackDialog({ asking, doing }: { asking: Unconfirmed; doing: Doing }) {
  const t = useTranslations("worklist.readBack");
  const now = useNow();
  const [opened] = useState(now);
  const [toldName, name] = useState("");
  const [time, at] = useState(fieldTime(opened));
  const [error, show] = useState("");
  const { task, outcome, words, note } = asking;
  const submit = () => {
    if (!toldName.trim()) return show(t("needed"));
    // A field has no seconds: what nobody changed is now.
    const moment = time && time !== fieldTime(opened) ? new Date(time) : opened;
    doing.answered();
    doing.say(task, outcome, words, note, {
      toldName: toldName.trim(),
      time: moment.toISOString(),
    });
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
      <TextInput
        data-autofocus
        label={t("who")}
        value={toldName}
        error={error}
        maxLength={MOST_LETTERS}
        onChange={(event) => name(event.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        label={t("when")}
        value={time}
        max={fieldTime(now)}
        onChange={(event) => at(event.currentTarget.value)}
      />
    </Form>
  );
}
