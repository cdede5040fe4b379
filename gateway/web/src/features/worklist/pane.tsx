/** The selected task: one next action, what each outcome will do, why, and what happens if nobody acts. */
import { Button } from "@mantine/core";
import { IconArrowLeft, IconLanguage } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useLocale, useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { patientQuery } from "@/features/patients/hooks";
import { languageName, phoneOf } from "@/features/patients/person";
import { Cap } from "@/ui/keys";
import { ageOn, partsIn } from "@/ui/moments";
import { Cut } from "@/ui/states";
import { useNow, useWhen, useZone } from "@/ui/when";
import { WhyTerms } from "@/ui/why";
import { ActionBar } from "./action-bar";
import type { Doing } from "./doing";
import { useLoopTasks } from "./hooks";
import { NextAction } from "./next-action";
import styles from "./pane.module.css";
import { Standing } from "./standing";
import { signed, termWords } from "./terms";

interface PaneProps {
  task: Task;
  doing: Doing;
  /** Where the pane is a page: the way back. */
  back?: () => void;
}

export function TaskPane({ task, doing, back }: PaneProps) {
  const t = useTranslations("worklist");
  const siblings = useLoopTasks(task);
  const patient = useQuery(patientQuery(task.patientId));
  return (
    <aside className={styles.pane} aria-label={t("pane")} data-is-page={Boolean(back)}>
      {back && (
        <Button
          variant="subtle"
          size="compact-md"
          className={styles.back}
          leftSection={<IconArrowLeft size={16} stroke={1.9} className={styles.mirrored} />}
          onClick={back}
        >
          {t("back")}
        </Button>
      )}
      <div className={styles.scroll}>
        <Head task={task} isPage={Boolean(back)} />
        <NextAction
          key={task.id}
          task={task}
          phone={phoneOf(patient.data)}
          loop={siblings.data ?? []}
          doing={doing}
        />
        <WhySection task={task} />
        {siblings.isCut && <Cut />}
        <Standing task={task} tasks={siblings.data ?? []} />
      </div>
      <ActionBar task={task} doing={doing} />
    </aside>
  );
}

function Head({ task, isPage }: { task: Task; isPage: boolean }) {
  const t = useTranslations("worklist");
  const Title = isPage ? "h1" : "h2";
  return (
    <header>
      <div className={styles.titleLine}>
        <Title className={styles.name}>
          <bdi>{task.patientName || t("nameless")}</bdi>
        </Title>
        <Link
          to="/patients/$patientId"
          params={{ patientId: task.patientId }}
          className={styles.open}
          aria-keyshortcuts="Enter"
        >
          {t("open")} <Cap>Enter</Cap>
          <span className={styles.onlySpoken}>{t("openPatient")}</span>
        </Link>
      </div>
      <PersonLine task={task} />
      {isPage && <h2 className={styles.onlySpoken}>{t("pane")}</h2>}
    </header>
  );
}

function PersonLine({ task }: { task: Task }) {
  const t = useTranslations("patients.person");
  const when = useWhen();
  const now = useNow();
  const zone = useZone(task.facilityId);
  const locale = useLocale();
  const { data: patient } = useQuery(patientQuery(task.patientId));
  if (!patient) return <p className={styles.person}>&nbsp;</p>;
  const age = ageOn(patient.birthDate, partsIn(zone, now));
  const born = when.birth(patient.birthDate);
  const language = languageName(patient.language, locale);
  return (
    <p className={styles.person}>
      {age !== null && <span>{t("ageBorn", { age, born })}</span>}
      {language && (
        <span className={styles.withIcon}>
          <IconLanguage size={14} stroke={1.9} aria-hidden="true" /> {language}
        </span>
      )}
    </p>
  );
}

function WhySection({ task }: { task: Task }) {
  const t = useTranslations("worklist");
  const words = useTranslations("worklist.terms");
  const priority = task.priority;
  if (!priority || priority.terms.length === 0) return null;
  const terms = priority.terms.map(({ label, points }) => ({
    label: termWords(label, words),
    points,
    shown: signed(points),
  }));
  return (
    <section className={styles.section}>
      <h3 className={styles.sectionTitle}>{t("why", { score: priority.score })}</h3>
      <WhyTerms terms={terms} />
    </section>
  );
}
