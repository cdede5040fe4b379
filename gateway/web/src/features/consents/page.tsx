/** What a patient allows and forbids: what holds, what will, what did; and the way to another one. */
import { Button } from "@mantine/core";
import { IconCheck, IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { useWhole } from "@/api/pages";
import { useMay } from "@/api/queries";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery } from "@/features/patients/hooks";
import { useTitle } from "@/ui/page";
import { Loaded, NoAccess } from "@/ui/states";
import styles from "./consents.module.css";
import { ConsentForm } from "./form";
import { type Consent, consentsQuery } from "./hooks";
import { ConsentList } from "./list";
import { useMoments } from "./use-words";
import { WithdrawDialog } from "./withdraw";

export function ConsentsPage() {
  const t = useTranslations("consents");
  useTitle(t("pageTitle"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId/consents" });
  const mayRead = useMay("consents.read");
  const patient = useQuery({ ...patientQuery(patientId), enabled: mayRead });
  if (!mayRead) return <NoAccess />;
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failedPatient")}>
      {(found) => <About patient={found} />}
    </HiddenPatient>
  );
}

/** What is being done besides reading. */
type Doing = { kind: "new" } | { kind: "change" | "withdraw"; consent: Consent } | null;

function About({ patient }: { patient: Patient }) {
  const [doing, start] = useState<Doing>(null);
  const [done, tell] = useState("");
  const doneWords = useDoneWords();
  const isWriting = doing?.kind === "new" || doing?.kind === "change";
  const finish = (what: "given" | "changed" | "withdrawn") => (saved: Consent) => {
    start(null);
    tell(doneWords(what, saved));
    window.scrollTo(0, 0);
  };
  const reload = useReload(patient.id, (found) =>
    start(found && doing && doing.kind !== "new" ? { kind: doing.kind, consent: found } : null),
  );
  const begin = (next: Doing) => {
    tell("");
    start(next);
  };
  const changes = doing?.kind === "change" ? doing.consent : undefined;
  return (
    <AboutPatient patient={patient} width="list" isBusy={doing !== null}>
      {isWriting ? (
        <ConsentForm
          key={changes?.etag ?? ""}
          patient={patient}
          changes={changes}
          close={() => start(null)}
          finish={finish(changes ? "changed" : "given")}
          reload={() => void reload(changes?.id ?? "")}
        />
      ) : (
        <Reading patient={patient} done={done} begin={begin} isForgotten={() => tell("")} />
      )}
      {doing?.kind === "withdraw" && (
        <WithdrawDialog
          key={doing.consent.etag}
          consent={doing.consent}
          close={() => start(null)}
          finish={finish("withdrawn")}
          reload={() => void reload(doing.consent.id)}
        />
      )}
    </AboutPatient>
  );
}

interface ReadingProps {
  patient: Patient;
  /** What was just done, and from when on it holds. */
  done: string;
  begin: (doing: Doing) => void;
  isForgotten: () => void;
}

function Reading({ patient, done, begin, isForgotten }: ReadingProps) {
  const t = useTranslations("consents");
  const mayWrite = useMay("consents.write");
  const consents = useWhole(consentsQuery(patient.id));
  return (
    <>
      <header className={styles.head}>
        <h1>{t("title")}</h1>
        {mayWrite && (
          <Button
            leftSection={<IconPlus size={16} stroke={1.9} aria-hidden="true" />}
            onClick={() => begin({ kind: "new" })}
          >
            {t("add")}
          </Button>
        )}
      </header>
      <div role="status">
        {done && (
          <div className={styles.done}>
            <IconCheck size={18} stroke={1.9} aria-hidden="true" />
            <p>{done}</p>
            <Button variant="subtle" size="compact-sm" onClick={isForgotten}>
              {t("done.close")}
            </Button>
          </div>
        )}
      </div>
      <p className={styles.about}>{t("about")}</p>
      <Loaded query={consents} title={t("failed")}>
        {(found) => (
          <ConsentList
            patient={patient}
            consents={found}
            change={mayWrite ? (consent) => begin({ kind: "change", consent }) : undefined}
            withdraw={mayWrite ? (consent) => begin({ kind: "withdraw", consent }) : undefined}
          />
        )}
      </Loaded>
    </>
  );
}

function useDoneWords() {
  const t = useTranslations("consents.done");
  const moments = useMoments();
  return (what: "given" | "changed" | "withdrawn", { effectTime, facilityId }: Consent) =>
    effectTime ? t(what, { when: moments(facilityId)(new Date(effectTime)) }) : t(`${what}Soon`);
}

/** Ask for a consent as it is now, after somebody has changed it. */
function useReload(patientId: string, go: (found: Consent | undefined) => void) {
  const queries = useQueryClient();
  return async (consentId: string) => {
    const found = await queries
      .fetchQuery({ ...consentsQuery(patientId), staleTime: 0 })
      .catch(() => undefined);
    go(found?.rows.find(({ id, state }) => id === consentId && state !== "STATE_WITHDRAWN"));
  };
}
