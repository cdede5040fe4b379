/** Asking a partner to help: what is needed, who could, what they are told, and that the patient agrees. */
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Loop, Patient } from "@/api/client";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery, usePatientLoops } from "@/features/patients/hooks";
import { useTitle } from "@/ui/page";
import { Empty, Loading } from "@/ui/states";
import { useNow, useZone } from "@/ui/when";
import { type Asked, askedFrom, type Wanted, wantedOf } from "./asking";
import { usePlacesToAsk } from "./help";
import { Matches } from "./matches";
import styles from "./referrals.module.css";
import { Sending } from "./sending";
import { What } from "./what";

export function HelpPage() {
  const t = useTranslations("referrals.page");
  useTitle(t("title"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId/help" });
  const patient = useQuery(patientQuery(patientId));
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failed")}>
      {(found) => <About patient={found} />}
    </HiddenPatient>
  );
}

function About({ patient }: { patient: Patient }) {
  const t = useTranslations("referrals.page");
  const places = usePlacesToAsk(patient);
  return (
    <AboutPatient patient={patient} width="text">
      <h1>{t("title")}</h1>
      {places.length > 0 ? (
        <OfLoop patient={patient} places={places} />
      ) : (
        <Empty title={t("noPlace")}>{t("noPlaceText")}</Empty>
      )}
    </AboutPatient>
  );
}

interface Props {
  patient: Patient;
  places: string[];
}

/** For a loop, its facility asks, and what it must not tell is not told. */
function OfLoop({ patient, places }: Props) {
  const { loop: loopId } = useSearch({ from: "/shell/patients/$patientId/help" });
  const loops = usePatientLoops(patient.id);
  if (loopId && !loops.data && !loops.error) return <Loading shape="page" />;
  const loop = loops.data?.find(({ id }) => id === loopId);
  const own = loop && places.includes(loop.facilityId) ? [loop.facilityId] : places;
  return <Asking patient={patient} places={own} loop={loop} />;
}

function Asking({ patient, places, loop }: Props & { loop: Loop | undefined }) {
  const [asked, ask] = useState<Asked>(() => askedFrom(patient, places[0] ?? ""));
  const [searched, search] = useState<Wanted | null>(null);
  const [serviceId, choose] = useState("");
  const zone = useZone(asked.facilityId);
  const now = useNow();
  const wanted = wantedOf(asked, patient, zone, now);
  // What was found is about what was asked then.
  const isFound = JSON.stringify(searched) === JSON.stringify(wanted);
  return (
    <div className={styles.steps}>
      <What
        asked={asked}
        ask={ask}
        places={places}
        search={() => {
          choose("");
          search(wanted);
        }}
        isFound={isFound}
      />
      {isFound && (
        <Matches wanted={wanted} serviceId={serviceId} choose={choose}>
          {(fitting, service) => (
            <Sending
              key={service.id}
              patient={patient}
              loop={loop}
              asked={asked}
              ask={ask}
              service={service}
              others={fitting.filter(({ service: { id } }) => id !== service.id)}
            />
          )}
        </Matches>
      )}
    </div>
  );
}
