/** A patient's care plan, and the medicines before and after the stay. */
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { EmergencyBanner } from "@/features/emergency/banner";
import { HiddenPatient } from "@/features/emergency/hidden";
import { patientQuery } from "@/features/patients/hooks";
import { nameOf } from "@/features/patients/person";
import { useKeys } from "@/ui/keys";
import { useTitle } from "@/ui/page";
import styles from "./careplans.module.css";
import { Medicines } from "./medicines";
import { Plan } from "./plan";
import { Team } from "./team";

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
  const go = useNavigate();
  const params = { patientId: patient.id };
  useKeys({ Escape: () => void go({ to: "/patients/$patientId", params }) });
  return (
    <>
      <EmergencyBanner patientId={patient.id} />
      <div className={styles.page}>
        <p>
          <Link to="/patients/$patientId" params={params} className={styles.back}>
            <IconArrowLeft size={16} stroke={1.9} aria-hidden="true" />
            <bdi>{nameOf(patient)}</bdi>
          </Link>
        </p>
        <h1>{t("title")}</h1>
        <div className={styles.columns}>
          <div className={styles.column}>
            <Plan patientId={patient.id} language={patient.language} />
            <Team patientId={patient.id} />
          </div>
          <div className={styles.column}>
            <Medicines patientId={patient.id} />
          </div>
        </div>
      </div>
    </>
  );
}
