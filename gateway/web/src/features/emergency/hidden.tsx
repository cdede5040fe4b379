/** A patient, or the page for who may not see one: there an emergency opens them, if the person's role does. */
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Failure, type Patient } from "@/api/client";
import { emergencies, useEmergency } from "@/api/emergency";
import { hubNow } from "@/api/hub-time";
import { useMay } from "@/api/queries";
import { Loaded, Loading, NoAccess } from "@/ui/states";
import styles from "./emergency.module.css";
import { EmergencyForm } from "./form";
import { useOpenEmergency } from "./hooks";

interface Props {
  patientId: string;
  query: { data: Patient | undefined; error: unknown; refetch: () => unknown };
  title: string;
  children: (patient: Patient) => React.ReactNode;
}

export function HiddenPatient({ patientId, query, title, children }: Props) {
  const isHidden = useHidden(patientId, query);
  const mayOpen = useMay("glass.break");
  if (!isHidden || !mayOpen) {
    return (
      <Loaded query={query} title={title} shape="page">
        {children}
      </Loaded>
    );
  }
  return <Opening patientId={patientId} ask={query.refetch} />;
}

/** While a hidden patient is asked for again there is no error for a moment: the door stays, with what is typed at it. */
function useHidden(patientId: string, { data, error }: Props["query"]): boolean {
  const [hiddenId, hide] = useState("");
  const isHidden = !data && error instanceof Failure && error.isHidden;
  useEffect(() => {
    if (isHidden) hide(patientId);
    if (data) hide("");
  }, [isHidden, data, patientId]);
  return isHidden || (!data && !error && hiddenId === patientId);
}

// Who holds the patient's data hears of it within a second, and at the latest after half a minute.
const ASK_MS = 1_000;
const PATIENCE_MS = 40_000;

function Opening({ patientId, ask }: { patientId: string; ask: () => unknown }) {
  const t = useTranslations("emergency");
  const emergency = useEmergency(patientId);
  const known = useOpenEmergency(patientId, !emergency);
  const [isAsking, askFor] = useState(false);
  const found = known.data;
  useEffect(() => {
    if (found) emergencies.begin(found);
  }, [found]);
  useEffect(() => {
    if (!emergency) return;
    void ask();
    const timer = setInterval(() => {
      const age = hubNow().getTime() - Date.parse(emergency.openTime);
      if (age < PATIENCE_MS) void ask();
    }, ASK_MS);
    return () => clearInterval(timer);
  }, [emergency, ask]);
  if (known.isPending && !emergency) return <Loading shape="page" />;
  if (emergency) {
    return (
      <div className={styles.opening}>
        <p role="status">{t("opening")}</p>
        <Loading shape="page" />
      </div>
    );
  }
  return (
    <>
      <NoAccess>
        <p className={styles.offer}>
          {t.rich("offer", {
            open: (words) => (
              <button type="button" className={styles.link} onClick={() => askFor(true)}>
                {words}
              </button>
            ),
          })}
        </p>
      </NoAccess>
      {isAsking && <EmergencyForm patientId={patientId} close={() => askFor(false)} />}
    </>
  );
}
