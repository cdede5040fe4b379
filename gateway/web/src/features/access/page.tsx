/** Who has looked at a patient, and why somebody may see them. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery } from "@/features/patients/hooks";
import { Chips } from "@/ui/chips";
import { useTitle } from "@/ui/page";
import styles from "./access.module.css";
import { Looks } from "./looks";
import { Why } from "./why";

const VIEWS = ["looks", "why"] as const;

export function AccessPage() {
  const t = useTranslations("access");
  useTitle(t("pageTitle"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId/access" });
  const patient = useQuery(patientQuery(patientId));
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failed")}>
      {(found) => <About patient={found} />}
    </HiddenPatient>
  );
}

function About({ patient }: { patient: Patient }) {
  const t = useTranslations("access");
  const { show } = useSearch({ from: "/shell/patients/$patientId/access" });
  const go = useNavigate({ from: "/patients/$patientId/access" });
  const view = show ?? "looks";
  return (
    <AboutPatient patient={patient} width="list">
      <header className={styles.head}>
        <h1>{t("title")}</h1>
        <Chips
          label={t("show")}
          options={VIEWS.map((key) => ({ key, label: t(`views.${key}`) }))}
          chosen={view}
          choose={(key) =>
            void go({ search: { show: key === "why" ? key : undefined }, replace: true })
          }
        />
      </header>
      {view === "looks" ? <Looks patient={patient} /> : <Why patient={patient} />}
    </AboutPatient>
  );
}
