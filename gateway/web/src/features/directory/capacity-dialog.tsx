/** What a service said of its room, by telephone. */
import { Button, Radio, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import styles from "./directory.module.css";
import { type Service, STATUSES, type Status, useSayCapacity } from "./hooks";

export function CapacityDialog({ service, close }: { service: Service; close: () => void }) {
  const t = useTranslations("directory.capacity");
  const { say } = useToasts();
  const { isBusy, error, save } = useSayCapacity(service);
  const [status, be] = useState<Status>("STATUS_YES");
  const [wait, setWait] = useState("");
  const isWaiting = status === "STATUS_WAITLIST";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!(await save(status, isWaiting ? wait.trim() : ""))) return;
    say({ text: t("saved", { service: service.name }) });
    close();
  };
  return (
    <Dialog
      title={t("title", { service: service.name })}
      close={close}
      closeLabel={t("closeUnsaved")}
    >
      <form onSubmit={(event) => void submit(event)} className={styles.form}>
        {error && (
          <p role="alert" className={styles.error}>
            {error}
          </p>
        )}
        <p>{t("text")}</p>
        <Radio.Group
          label={t("what")}
          value={status}
          onChange={(value) => be(STATUSES.find((each) => each === value) ?? "STATUS_YES")}
        >
          {STATUSES.map((each) => (
            <Radio key={each} value={each} label={t(each)} className={styles.choice} />
          ))}
        </Radio.Group>
        {isWaiting && (
          <TextInput
            label={t("wait")}
            description={t("waitHint")}
            maxLength={100}
            value={wait}
            onChange={(event) => setWait(event.currentTarget.value)}
          />
        )}
        <div className={styles.actions}>
          <Button type="submit" loading={isBusy}>
            {t("save")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("back")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
