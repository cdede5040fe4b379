/** A page about a patient beside their own: at its top the way back there, which Escape takes, too. */
import { IconArrowLeft } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Patient } from "@/api/client";
import { EmergencyBanner } from "@/features/emergency/banner";
import { useKeys } from "@/ui/keys";
import styles from "./about.module.css";
import { nameOf } from "./person";

interface AboutProps {
  patient: Patient;
  /** As wide as lines of a form or of a list are; the whole screen without it. */
  width?: "text" | "list";
  /** Something is being done that Escape must not leave. */
  isBusy?: boolean;
  children: ReactNode;
}

export function AboutPatient({ patient, width, isBusy = false, children }: AboutProps) {
  const go = useNavigate();
  const params = { patientId: patient.id };
  useKeys({ Escape: !isBusy && (() => void go({ to: "/patients/$patientId", params })) });
  return (
    <>
      <EmergencyBanner patientId={patient.id} />
      <div className={styles.page} data-width={width}>
        <p>
          <Link to="/patients/$patientId" params={params} className={styles.back}>
            <IconArrowLeft size={16} stroke={1.9} aria-hidden="true" />
            <bdi>{nameOf(patient)}</bdi>
          </Link>
        </p>
        {children}
      </div>
    </>
  );
}
