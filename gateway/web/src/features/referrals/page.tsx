/** Asking a partner to help: what is needed, who could, what they are told, and that the patient agrees. */
import { useQuery } from "@tanstack/react-query";
import { useLocation, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Loop, Patient } from "@/api/client";
import { type Service, useService } from "@/features/directory/hooks";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery, usePatientLoops } from "@/features/patients/hooks";
import { useTitle } from "@/ui/page";
import { Empty, Loading } from "@/ui/states";
import { useNow, useZone } from "@/ui/when";
import { type Asked, askedFrom, type Wanted, wantedOf } from "./asking";
import { usePlacesToAsk } from "./help";
import { Matches } from "./matches";
import { isNeed, RIDES } from "./needs";
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

/** What was looked for, if the service helps with it. */
const needFor = ({ needs }: Service, need = "") =>
  needs.includes(need) ? need : (needs.find(isNeed) ?? RIDES);

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
  const { loop: loopId, service: serviceId } = useSearch({
    from: "/shell/patients/$patientId/help",
  });
  const loops = usePatientLoops(patient.id);
  const service = useService(serviceId);
  const waits = (id: string | undefined, { data, error }: { data: unknown; error: unknown }) =>
    id && !data && !error;
  if (waits(loopId, loops) || waits(serviceId, service)) return <Loading shape="page" />;
  const loop = loops.data?.find(({ id }) => id === loopId);
  const own = loop && places.includes(loop.facilityId) ? [loop.facilityId] : places;
  return <Asking patient={patient} places={own} loop={loop} chosen={service.data} />;
}

interface AskingProps extends Props {
  loop: Loop | undefined;
  /** Who was chosen in the directory, before it was known for whom. */
  chosen: Service | undefined;
}

function Asking({ patient, places, loop, chosen }: AskingProps) {
  const t = useTranslations("referrals.page");
  const { need } = useLocation().state;
  const [asked, ask] = useState<Asked>(() => {
    const known = askedFrom(patient, places[0] ?? "");
    return chosen ? { ...known, need: needFor(chosen, need) } : known;
  });
  const [searched, search] = useState<Wanted | null>(null);
  const [serviceId, choose] = useState("");
  const zone = useZone(asked.facilityId);
  const now = useNow();
  const wanted = wantedOf(asked, patient, zone, now);
  // What was found is about what was asked then.
  const isFound = JSON.stringify(searched) === JSON.stringify(wanted);
  return (
    <div className={styles.steps}>
      {chosen && <p>{t("chosen", { service: chosen.name })}</p>}
      <What
        asked={asked}
        ask={ask}
        places={places}
        search={() => {
          choose(chosen?.id ?? "");
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
