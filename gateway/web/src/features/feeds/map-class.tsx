/** Says once what a sender's own visit class means. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { Failure, type Feed, type FeedMessage } from "@/api/client";
import { useMay } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { messageQuery, useChangeFeed } from "./hooks";
import styles from "./messages.module.css";
import { Problem, useProblem } from "./words";

const CLASSES = ["E", "I", "O", "P", "R", "B", "C", "N", "U"] as const;
type PatientClass = (typeof CLASSES)[number];

/** PV1-2, first component. */
export function classIn(raw: string): string {
  const separator = raw[3] ?? "|";
  const components = raw[4] ?? "^";
  const visit = raw.split(/[\r\n]+/).find((line) => line.startsWith(`PV1${separator}`));
  return visit?.split(separator)[2]?.split(components)[0]?.trim() ?? "";
}

/** A guess to start from: "ER" is probably E. A person confirms it. */
export function likely(code: string): PatientClass {
  return CLASSES.find((one) => one === code.charAt(0).toUpperCase()) ?? "O";
}

/** The code of a message, for those who may read it. */
function useFound(message?: FeedMessage): string {
  const mayRead = useMay("messages.read");
  const { data } = useQuery({
    ...messageQuery(message?.id ?? ""),
    enabled: mayRead && Boolean(message),
  });
  return classIn(data?.raw ?? "");
}

export function MapClass(props: { feed: Feed; oldest?: FeedMessage; close: () => void }) {
  const { feed, oldest, close } = props;
  const t = useTranslations("feeds.mapping");
  const found = useFound(oldest);
  const [typed, type] = useState<string>();
  const [meant, mean] = useState<PatientClass>();
  const [isEmpty, setEmpty] = useState(false);
  const change = useChangeFeed("quirks");
  const problem = useProblem();
  const { say } = useToasts();
  const code = (typed ?? found).trim();
  const meaning = meant ?? likely(code);
  const save = (event: FormEvent) => {
    event.preventDefault();
    setEmpty(!code);
    if (!code) return;
    const patientClasses = { ...feed.quirks.patientClasses, [code]: meaning };
    change.mutate(
      { ...feed, quirks: { ...feed.quirks, patientClasses } },
      {
        onSuccess: () => {
          say({ text: t("done", { code, feed: feed.name, class: t(`classes.${meaning}`) }) });
          close();
        },
      },
    );
  };
  const violation = change.error instanceof Failure && change.error.fields?.[0]?.description;
  return (
    <Dialog close={close} title={t("title", { feed: feed.name })} closeLabel={t("cancel")}>
      <form onSubmit={save} className={styles.form} noValidate>
        <p className={styles.second}>{t("text")}</p>
        <TextInput
          label={t("code")}
          description={found && typed === undefined ? t("codeFound") : t("codeHint")}
          value={typed ?? found}
          onChange={(event) => type(event.currentTarget.value)}
          error={isEmpty && !code && t("needed")}
          spellCheck={false}
          autoComplete="off"
          data-autofocus
        />
        <NativeSelect
          label={t("class")}
          value={meaning}
          onChange={(event) => mean(event.currentTarget.value as PatientClass)}
          data={CLASSES.map((value) => ({ value, label: t(`classes.${value}`) }))}
        />
        {change.error && <Problem>{violation || problem(change.error)}</Problem>}
        <div className={styles.dialogActions}>
          <Button type="submit" loading={change.isPending}>
            {code ? t("save", { code }) : t("saveEmpty")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
