/** The appointments of one patient: what is ahead, and what was. */
import { Button } from "@mantine/core";
import { IconCalendar, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Appointment, Patient } from "@/api/client";
import { useMay } from "@/api/queries";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery } from "@/features/patients/hooks";
import { Card, useTitle } from "@/ui/page";
import { Empty, Loaded, NoAccess } from "@/ui/states";
import { useZone } from "@/ui/when";
import styles from "./appointments.module.css";
import { Doings } from "./doings";
import { Facts, StateWords, useWhenWords } from "./facts";
import { usePatientAppointments } from "./hooks";
import { isAhead } from "./standing";

export function PatientAppointmentsPage() {
  const t = useTranslations("appointments.patient");
  useTitle(t("title"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId/appointments" });
  const maySee = useMay("appointments.read");
  const patient = useQuery(patientQuery(patientId));
  if (!maySee) return <NoAccess />;
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failedPatient")}>
      {(found) => <About patient={found} />}
    </HiddenPatient>
  );
}

function About({ patient }: { patient: Patient }) {
  const t = useTranslations("appointments");
  const mayBook = useMay("appointments.write");
  const appointments = usePatientAppointments(patient.id);
  return (
    <AboutPatient patient={patient} width="list">
      <div className={styles.head}>
        <h1>{t("patient.title")}</h1>
        {mayBook && (
          <Button
            renderRoot={(props) => (
              <Link {...props} to="/patients/$patientId/book" params={{ patientId: patient.id }} />
            )}
            leftSection={<IconPlus size={16} stroke={1.9} aria-hidden="true" />}
          >
            {t("book.open")}
          </Button>
        )}
      </div>
      <Loaded query={appointments} title={t("failed")}>
        {(found) => <Both appointments={found} />}
      </Loaded>
    </AboutPatient>
  );
}

function Both({ appointments }: { appointments: Appointment[] }) {
  const t = useTranslations("appointments.patient");
  // The next one first; then what was, the latest first.
  const ahead = appointments.filter(isAhead).reverse();
  const before = appointments.filter((each) => !isAhead(each));
  return (
    <>
      <section aria-labelledby="ahead" className={styles.section}>
        <h2 id="ahead">{t("ahead")}</h2>
        {ahead.map((each) => (
          <AppointmentCard key={each.id} of={each} />
        ))}
        {ahead.length === 0 && (
          <Card>
            <Empty title={t("none")} icon={<IconCalendar size={22} stroke={1.9} />}>
              {t("noneText")}
            </Empty>
          </Card>
        )}
      </section>
      {before.length > 0 && (
        <section aria-labelledby="before" className={styles.section}>
          <h2 id="before">{t("before")}</h2>
          {before.map((each) => (
            <AppointmentCard key={each.id} of={each} />
          ))}
        </section>
      )}
    </>
  );
}

function AppointmentCard({ of }: { of: Appointment }) {
  const whole = useWhenWords();
  const zone = useZone(of.facilityId);
  return (
    <article className={styles.card} aria-labelledby={of.id}>
      <div className={styles.head}>
        <h3 id={of.id}>{whole(of, zone)}</h3>
        <StateWords of={of} />
      </div>
      <Facts of={of} isTitled />
      <Doings of={of} back={undefined} />
    </article>
  );
}
