/** The threads of the care team about one patient: the open ones first, the newest of them first. */
import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Patient, Thread } from "@/api/client";
import { useMay } from "@/api/queries";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useThreads } from "./hooks";
import styles from "./messaging.module.css";
import { StartDialog } from "./start-dialog";
import { ThreadCard } from "./thread";

export function Threads({ patient }: { patient: Patient }) {
  const t = useTranslations("messaging.threads");
  const threads = useThreads(patient.id);
  const mayStart = useMay("threads.write");
  const [isStarting, start] = useState(false);
  return (
    <section aria-labelledby="threads" className={styles.section}>
      <header className={styles.head}>
        <h2 id="threads">{t("title")}</h2>
        {mayStart && (
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconPlus size={16} stroke={1.9} aria-hidden="true" />}
            onClick={() => start(true)}
          >
            {t("start")}
          </Button>
        )}
      </header>
      <Loaded query={threads} title={t("failed")} shape="card">
        {(found) => <List threads={found} patient={patient} />}
      </Loaded>
      {isStarting && <StartDialog patient={patient} close={() => start(false)} />}
    </section>
  );
}

const isOpen = ({ state }: Thread) => state !== "STATE_CLOSED";

function List({ threads, patient }: { threads: Thread[]; patient: Patient }) {
  const t = useTranslations("messaging.threads");
  const [isShown, show] = useState(false);
  const open = threads.filter(isOpen);
  const closed = threads.filter((thread) => !isOpen(thread));
  return (
    <>
      {open.length === 0 && (
        <Card>
          <Empty title={t("none")}>{t("noneText")}</Empty>
        </Card>
      )}
      {[...open, ...(isShown ? closed : [])].map((thread) => (
        <ThreadCard key={thread.id} thread={thread} language={patient.language} />
      ))}
      {closed.length > 0 && (
        <p>
          <Button
            variant="subtle"
            size="compact-sm"
            aria-expanded={isShown}
            onClick={() => show(!isShown)}
          >
            {isShown ? t("hideClosed") : t("showClosed", { count: closed.length })}
          </Button>
        </p>
      )}
    </>
  );
}
