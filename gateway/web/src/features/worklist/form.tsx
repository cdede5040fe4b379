/** A dialog about a task: whose it is, what is asked, and the two buttons. */
import { Button } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { Dialog } from "@/ui/dialog";
import styles from "./pane.module.css";

interface FormProps {
  task: Task;
  title: string;
  text: string;
  save: string;
  isBusy?: boolean;
  submit: () => void;
  close: () => void;
  children: ReactNode;
}

export function Form({ task, title, text, save, isBusy, submit, close, children }: FormProps) {
  const t = useTranslations("worklist");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    submit();
  };
  return (
    <Dialog title={title} close={close} closeLabel={t("errors.close")}>
      <form onSubmit={onSubmit} className={styles.form}>
        <p>
          <b lang="en">{task.title}</b>
          <br />
          <bdi>{task.patientName}</bdi>
        </p>
        <p>{text}</p>
        {children}
        <div className={styles.formButtons}>
          <Button type="submit" loading={isBusy ?? false}>
            {save}
          </Button>
          <Button variant="subtle" onClick={close}>
            {t("assign.cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
