/** One patient: who this is, one timeline, and the loops that are open. */
import { IconShieldLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useNavigate, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import type { Loop, Patient } from "@/api/client";
import { useMay } from "@/api/queries";
import { EmergencyBanner } from "@/features/emergency/banner";
import { HiddenPatient } from "@/features/emergency/hidden";
import { Help } from "@/features/referrals/help";
import { useReferrals } from "@/features/referrals/hooks";
import { waitingOn } from "@/features/referrals/standing";
import { useKeys } from "@/ui/keys";
import { useTitle } from "@/ui/page";
import { Cut, Empty, Failed, Loading } from "@/ui/states";
import { useNow } from "@/ui/when";
import {
  patientQuery,
  useEncounters,
  useObservations,
  usePatientLoops,
  usePatientTasks,
} from "./hooks";
import { ClosedLoop, LoopCard } from "./loop-card";
import loopStyles from "./loops.module.css";
import styles from "./patients.module.css";
import { phoneOf } from "./person";
import { Storyboard } from "./storyboard";
import { Timeline } from "./timeline";
import { timelineOf } from "./timeline-entries";

export function PatientPage() {
  const t = useTranslations("patients");
  useTitle(t("pageTitle"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId" });
  const patient = useQuery(patientQuery(patientId));
  const go = useNavigate();
  useKeys({ Escape: () => void go({ to: "/worklist" }) });
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failed")}>
      {(found) =>
        found.id === patientId ? (
          <Story patient={found} />
        ) : (
          // The record was joined with another: that one is the person's record now.
          <Navigate to="/patients/$patientId" params={{ patientId: found.id }} replace />
        )
      }
    </HiddenPatient>
  );
}

function Story({ patient }: { patient: Patient }) {
  const t = useTranslations("patients");
  const encounters = useEncounters(patient.id);
  const observations = useObservations(patient.id);
  const loops = usePatientLoops(patient.id);
  const tasks = usePatientTasks(patient.id);
  const referrals = useReferrals(patient.id, useMay("referrals.read"));
  const now = useNow();
  const entries = useMemo(
    () =>
      timelineOf(
        {
          encounters: encounters.data ?? [],
          observations: observations.data ?? [],
          loops: loops.data ?? [],
          tasks: tasks.data ?? [],
          cut: [
            ...(encounters.hasNextPage ? (["visit"] as const) : []),
            ...(observations.hasNextPage ? (["result"] as const) : []),
          ],
        },
        now,
      ),
    [
      encounters.data,
      encounters.hasNextPage,
      observations.data,
      observations.hasNextPage,
      loops.data,
      tasks.data,
      now,
    ],
  );
  const asked = [encounters, observations, loops, tasks];
  const failed = asked.find(({ error, data }) => error && !data);
  const isLoading = asked.some(({ data }) => !data);
  const open = (loops.data ?? []).filter(({ state }) => state === "STATE_OPEN").sort(byClock);
  return (
    <>
      <EmergencyBanner patientId={patient.id} />
      <Storyboard patient={patient} loop={open[0]} />
      <div className={styles.story}>
        {failed && (
          <Failed error={failed.error} retry={() => asked.forEach((each) => void each.refetch())} />
        )}
        {!failed && isLoading && <Loading shape="page" />}
        {!failed && !isLoading && (
          <>
            {(loops.isCut || tasks.isCut) && <Cut />}
            <Timeline
              entries={entries}
              older={{ visit: olderOf(encounters), result: olderOf(observations) }}
            />
            <div className={styles.aside}>
              <section aria-labelledby="loops" className={styles.loops}>
                <Loops
                  loops={loops.data ?? []}
                  open={open}
                  card={(loop) => (
                    <LoopCard
                      key={loop.id}
                      loop={loop}
                      tasks={(tasks.data ?? []).filter(({ loopId }) => loopId === loop.id)}
                      phone={phoneOf(patient)}
                      waitsFor={waitingOn(loop.id, referrals.data ?? [])?.serviceName}
                    />
                  )}
                />
              </section>
              <Help patient={patient} />
            </div>
          </>
        )}
        <p className={styles.consent}>
          <IconShieldLock size={16} stroke={1.9} aria-hidden="true" />
          <span>
            {t.rich("consent", {
              b: (chunks) => <b>{chunks}</b>,
              how: (chunks) => (
                <Link to="/patients/$patientId/access" params={{ patientId: patient.id }}>
                  {chunks}
                </Link>
              ),
            })}
          </span>
        </p>
      </div>
    </>
  );
}

const olderOf = (query: { fetchNextPage: () => unknown; isFetchingNextPage: boolean }) => ({
  show: () => void query.fetchNextPage(),
  isComing: query.isFetchingNextPage,
});

const byClock = (a: Loop, b: Loop) => (a.clockTime ?? "").localeCompare(b.clockTime ?? "");

interface LoopsProps {
  loops: Loop[];
  open: Loop[];
  card: (loop: Loop) => React.ReactNode;
}

function Loops({ loops, open, card }: LoopsProps) {
  const t = useTranslations("patients.loops");
  const [isShown, show] = useState(false);
  const closed = loops.filter(({ state }) => state !== "STATE_OPEN");
  return (
    <>
      <div className={styles.sectionHead}>
        <h2 id="loops">
          {t("title")} <span>{open.length}</span>
        </h2>
        {closed.length > 0 && (
          <button
            type="button"
            className={styles.linkButton}
            aria-expanded={isShown}
            onClick={() => show(!isShown)}
          >
            {isShown ? t("hideClosed") : t("showClosed", { count: closed.length })}
          </button>
        )}
      </div>
      {open.map(card)}
      {open.length === 0 && (
        <div className={loopStyles.loop}>
          <Empty title={t("none")}>{t("noneText")}</Empty>
        </div>
      )}
      {isShown && closed.map((loop) => <ClosedLoop key={loop.id} loop={loop} />)}
    </>
  );
}
