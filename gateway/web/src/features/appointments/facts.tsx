/** What is known of one appointment: how it stands in plain words, when by the clock of its place, to whom, and its ride. */
import {
  IconAlertTriangleFilled,
  IconCalendar,
  IconCar,
  IconCheck,
  IconMinus,
  IconUserCheck,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Appointment, Referral } from "@/api/client";
import { useFacilities, useMay } from "@/api/queries";
import loopStyles from "@/features/patients/loops.module.css";
import { useReferrals } from "@/features/referrals/hooks";
import { useWhen, useZone } from "@/ui/when";
import styles from "./appointments.module.css";
import { usePatientAppointments } from "./hooks";
import { followerOf, isOfFeed, rideOf, type State } from "./standing";

const ICONS: Record<State, typeof IconCheck> = {
  STATE_UNSPECIFIED: IconMinus,
  STATE_BOOKED: IconCalendar,
  STATE_ARRIVED: IconUserCheck,
  STATE_FULFILLED: IconCheck,
  STATE_NO_SHOW: IconAlertTriangleFilled,
  STATE_CANCELLED: IconMinus,
};

/** Shape, word and color. */
export function StateWords({ of }: { of: Appointment }) {
  const t = useTranslations("appointments.states");
  const Icon = ICONS[of.state];
  return (
    <span className={styles.state} data-state={of.state}>
      <Icon size={16} stroke={1.9} aria-hidden="true" />
      <span>
        {t(of.state, {
          reason: of.cancelReason || "other",
          late: of.isLateCancel ? "yes" : "no",
        })}
      </span>
    </span>
  );
}

/** "10:00–10:20", or only when it begins. */
export function useTimes(): (
  of: Pick<Appointment, "startTime" | "endTime">,
  zone: string,
) => string {
  const t = useTranslations("appointments");
  const when = useWhen();
  return ({ startTime = "", endTime }, zone) => {
    const start = when.time(new Date(startTime), zone);
    return endTime ? t("times", { start, end: when.time(new Date(endTime), zone) }) : start;
  };
}

/** "Mon 30 Nov 14:30 MST, 30 min": the zone is named where it is another one than at home. */
export function useWhenWords(): (of: Appointment, zone: string) => string {
  const t = useTranslations("appointments.facts");
  const when = useWhen();
  return ({ startTime = "", endTime }, zone) => {
    const [start, end] = [new Date(startTime), new Date(endTime ?? "")];
    const said = when.moment(start, zone);
    if (!endTime) return said;
    return t("whenText", { start: said, span: when.span(end.getTime() - start.getTime()) });
  };
}

/** The ride of that day, if somebody was asked for one. */
export function useRide(of: Appointment): { ride: Referral | undefined; isKnown: boolean } {
  const zone = useZone(of.facilityId);
  const referrals = useReferrals(of.patientId, useMay("referrals.read"));
  return {
    ride: rideOf(of, referrals.data ?? [], zone),
    isKnown: Boolean(referrals.data) && !referrals.isCut,
  };
}

export function RideWords({ ride }: { ride: Referral }) {
  const t = useTranslations("appointments.ride");
  const isAgreed = ride.state !== "STATE_REQUESTED";
  return (
    <span className={styles.ride} data-is-agreed={isAgreed}>
      <IconCar size={16} stroke={1.9} aria-hidden="true" />
      <span>{t(isAgreed ? "agreed" : "asked", { service: ride.serviceName })}</span>
    </span>
  );
}

interface FactsProps {
  of: Appointment;
  /** When it is stands above already. */
  isTitled?: boolean;
}

export function Facts({ of, isTitled = false }: FactsProps) {
  const t = useTranslations("appointments");
  const when = useWhen();
  const zone = useZone(of.facilityId);
  const whole = useWhenWords();
  const facility = useFacilities().get(of.facilityId)?.name;
  const at = (time: string | undefined) => when.moment(new Date(time ?? 0), zone);
  return (
    <dl className={loopStyles.facts}>
      {!isTitled && (
        <>
          <dt>{t("facts.when")}</dt>
          <dd>{whole(of, zone)}</dd>
        </>
      )}
      <dt>{t("facts.where")}</dt>
      <dd>
        <bdi>{facility}</bdi>
      </dd>
      <dt>{t("facts.what")}</dt>
      <dd>{t(`purposes.${of.purpose}`)}</dd>
      <dt>{t("facts.whom")}</dt>
      <dd>
        <bdi>{of.practitioner || t("facts.nobody")}</bdi>
      </dd>
      {of.arriveTime && (
        <>
          <dt>{t("facts.arrived")}</dt>
          <dd>{at(of.arriveTime)}</dd>
        </>
      )}
      {of.encounterId && (
        <>
          <dt>{t("facts.shown")}</dt>
          <dd>{t("facts.visit")}</dd>
        </>
      )}
      {of.cancelTime && (
        <>
          <dt>{t("facts.cancelled")}</dt>
          <dd>{at(of.cancelTime)}</dd>
        </>
      )}
      <Ride of={of} />
      <InPlaceOf of={of} />
      {isOfFeed(of) && <dd className={styles.whole}>{t("facts.ofFeed")}</dd>}
    </dl>
  );
}

/** A ride is looked for where the patient still has to come. */
function Ride({ of }: { of: Appointment }) {
  const t = useTranslations("appointments.ride");
  const maySee = useMay("referrals.read");
  const mayAsk = useMay("referrals.write");
  const { ride, isKnown } = useRide(of);
  const isBooked = of.state === "STATE_BOOKED";
  if (!maySee || !isKnown || !(ride || isBooked)) return null;
  return (
    <>
      <dt>{t("title")}</dt>
      <dd>
        {ride ? <RideWords ride={ride} /> : t("none")}{" "}
        {!ride && mayAsk && (
          <Link to="/patients/$patientId/help" params={{ patientId: of.patientId }}>
            {t("ask")}
          </Link>
        )}
      </dd>
    </>
  );
}

/** What it stands for, and what stands for it. */
function InPlaceOf({ of }: { of: Appointment }) {
  const t = useTranslations("appointments.facts");
  const when = useWhen();
  const zone = useZone(of.facilityId);
  const { data = [] } = usePatientAppointments(of.patientId);
  const before = data.find(({ id }) => id === of.rebookedFromId);
  const after = followerOf(of, data);
  const said = (other: Appointment) => when.moment(new Date(other.startTime ?? 0), zone);
  return (
    <>
      {before && (
        <>
          <dt>{t("before")}</dt>
          <dd>{said(before)}</dd>
        </>
      )}
      {after && (
        <>
          <dt>{t("after")}</dt>
          <dd>{said(after)}</dd>
        </>
      )}
    </>
  );
}
