/** What the care team says about a patient, and what the patient was told and answered. */
import { IconArrowLeft, IconDeviceMobile } from "@tabler/icons-react";
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
import { ContactCard } from "./contact";
import { useTelephone } from "./hooks";
import styles from "./messaging.module.css";
import { Threads } from "./threads";
import { Told } from "./told";

export function MessagesPage() {
  const t = useTranslations("messaging");
  useTitle(t("pageTitle"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId/messages" });
  const patient = useQuery(patientQuery(patientId));
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failed")}>
      {(found) => <About patient={found} />}
    </HiddenPatient>
  );
}

function About({ patient }: { patient: Patient }) {
  const t = useTranslations("messaging");
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
        <div className={styles.head}>
          <h1>{t("title")}</h1>
          <TelephoneLink patientId={patient.id} />
        </div>
        <div className={styles.columns}>
          <div className={styles.column}>
            <Threads patient={patient} />
          </div>
          <div className={styles.column}>
            <Told patient={patient} />
            <ContactCard patient={patient} />
          </div>
        </div>
      </div>
    </>
  );
}

/** Only where the hub has telephones of its own. */
function TelephoneLink({ patientId }: { patientId: string }) {
  const t = useTranslations("messaging.telephone");
  const { data } = useTelephone(patientId);
  if (!data) return null;
  return (
    <Link to="/telephone" search={{ patient: patientId }} className={styles.back}>
      <IconDeviceMobile size={16} stroke={1.9} aria-hidden="true" />
      {t("open")}
    </Link>
  );
}
