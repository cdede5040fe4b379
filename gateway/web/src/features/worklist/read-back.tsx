/** Who was told, and when they read it back: without that a critical result is not acknowledged. */
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { momentIn, partsIn } from "@/ui/moments";
import { useNow, useZone } from "@/ui/when";
import type { Doing, Unconfirmed } from "./doing";
import { Form } from "./form";

const MOST_LETTERS = 120;

/** A moment as the field wants it, by the clock of the facility. */
function fieldTime(zone: string, moment: Date): string {
  const { year, month, day, hour, minute } = partsIn(zone, moment);
  return new Date(Date.UTC(year, month - 1, day, hour, minute)).toISOString().slice(0, 16);
}

export function ReadBackDialog({ asking, doing }: { asking: Unconfirmed; doing: Doing }) {
  const t = useTranslations("worklist.readBack");
  const now = useNow();
  const [opened] = useState(now);
  const [toldName, name] = useState("");
  const zone = useZone(asking.task.facilityId);
  const [time, at] = useState(fieldTime(zone, opened));
  const [wrong, show] = useState<"who" | "when" | "">("");
  const { task, outcome, words, note } = asking;
  const submit = () => {
    if (!toldName.trim()) return show("who");
    // A field has no seconds: what nobody changed is now.
    const moment = time === fieldTime(zone, opened) ? opened : momentIn(zone, time);
    if (!(moment <= now)) return show("when");
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
        error={wrong === "who" && t("needed")}
        maxLength={MOST_LETTERS}
        onChange={(event) => name(event.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        label={t("when")}
        value={time}
        max={fieldTime(zone, now)}
        error={wrong === "when" && t("neededWhen")}
        onChange={(event) => at(event.currentTarget.value)}
      />
    </Form>
  );
}
