/** What the care team says about a patient, and what the patient was told and answered. */
import { IconDeviceMobile } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery } from "@/features/patients/hooks";
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
  return (
    <AboutPatient patient={patient}>
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
    </AboutPatient>
  );
}

/** Only where the hub has telephones of its own. */
function TelephoneLink({ patientId }: { patientId: string }) {
  const t = useTranslations("messaging.telephone");
  const { data } = useTelephone(patientId);
  if (!data) return null;
  return (
    <Link to="/telephone" search={{ patient: patientId }} className={styles.telephone}>
      <IconDeviceMobile size={16} stroke={1.9} aria-hidden="true" />
      {t("open")}
    </Link>
  );
}
