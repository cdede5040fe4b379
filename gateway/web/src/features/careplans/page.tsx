/** A patient's care plan, and the medicines before and after the stay. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery } from "@/features/patients/hooks";
import { useTitle } from "@/ui/page";
import styles from "./careplans.module.css";
import { Medicines } from "./medicines";
import { Plan } from "./plan";
import { Wishes } from "./wishes";

export function PlanPage() {
  const t = useTranslations("careplans");
  useTitle(t("pageTitle"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId/plan" });
  const patient = useQuery(patientQuery(patientId));
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failed")}>
      {(found) => <About patient={found} />}
    </HiddenPatient>
  );
}

function About({ patient }: { patient: Patient }) {
  const t = useTranslations("careplans");
  return (
    <AboutPatient patient={patient}>
      <h1>{t("title")}</h1>
      <div className={styles.columns}>
        <div className={styles.column}>
          <Plan patientId={patient.id} language={patient.language} />
        </div>
        <div className={styles.column}>
          <Medicines patientId={patient.id} />
          <Wishes patientId={patient.id} />
        </div>
      </div>
    </AboutPatient>
  );
}
