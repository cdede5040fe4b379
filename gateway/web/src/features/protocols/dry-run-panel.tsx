/** Try it: a made-up discharge, what the text would do for it, and from here, and only from here, its publication. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { IconAlertTriangleFilled, IconPlayerPlay } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useFacilities, useMe } from "@/api/queries";
import { Card } from "@/ui/page";
import { STORIES } from "./dry-run";
import styles from "./dry-run.module.css";
import { DryRunResult } from "./dry-run-result";
import type { Shape } from "./parse";
import type { Trying } from "./trying";
import { useProblem } from "./words";

interface Props {
  shape: Shape | null;
  trying: Trying;
  goTo: (line: number) => void;
  /** What follows from the run: publishing. */
  children?: ReactNode;
}

export function DryRunPanel({ shape, trying, goTo, children }: Props) {
  const t = useTranslations("protocols.dryRun");
  const problem = useProblem();
  const { run, error, isStale } = trying;
  return (
    <Card className={styles.panel}>
      <section aria-labelledby="dry-run">
        <header className={styles.head}>
          <h2 id="dry-run">{t("title")}</h2>
          <span className={styles.tag}>{t("tag")}</span>
        </header>
        <ExampleForm trying={trying} />
        <div aria-live="polite">
          {Boolean(error) && (
            <p role="alert" className={styles.wrong}>
              <IconAlertTriangleFilled size={16} aria-hidden="true" />
              <span>{t("failed", { reason: problem(error) })}</span>
            </p>
          )}
          {isStale && <p className={styles.stale}>{t("stale")}</p>}
          {run && (
            <DryRunResult run={run} shape={shape} facilityId={trying.facilityId} goTo={goTo} />
          )}
        </div>
        {children}
      </section>
    </Card>
  );
}

const CLASSES = ["INPATIENT", "OBSERVATION", "EMERGENCY", "OUTPATIENT", "UNSPECIFIED"] as const;

function ExampleForm({ trying }: { trying: Trying }) {
  const t = useTranslations("protocols.dryRun");
  const { facilityIds } = useMe();
  const facilities = useFacilities();
  const { example, change, start, isPending } = trying;
  const mine = facilityIds.map((id) => ({ value: id, label: facilities.get(id)?.name ?? "" }));
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <NativeSelect
        size="xs"
        label={t("facility")}
        className={styles.whole}
        value={example.facilityId}
        onChange={(event) => change({ facilityId: event.currentTarget.value })}
        data={mine}
      />
      <TextInput
        size="xs"
        type="datetime-local"
        className={styles.whole}
        label={t("leaves")}
        value={example.leaves}
        onChange={(event) => change({ leaves: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        label={t("class")}
        value={example.visitClass}
        onChange={(event) => change({ visitClass: event.currentTarget.value })}
        data={CLASSES.map((value) => ({ value, label: t(`classes.${value}`) }))}
      />
      <TextInput
        size="xs"
        label={t("diagnoses")}
        description={t("diagnosesHint")}
        value={example.diagnoses}
        autoComplete="off"
        onChange={(event) => change({ diagnoses: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        label={t("then")}
        className={styles.whole}
        value={example.story}
        onChange={(event) => {
          const story = STORIES.find((one) => one === event.currentTarget.value);
          if (story) change({ story });
        }}
        data={STORIES.map((value) => ({ value, label: t(`stories.${value}`) }))}
      />
      <Button
        type="submit"
        size="xs"
        variant="default"
        loading={isPending}
        className={styles.whole}
        leftSection={<IconPlayerPlay size={14} stroke={1.9} aria-hidden="true" />}
      >
        {t("try")}
      </Button>
    </form>
  );
}
