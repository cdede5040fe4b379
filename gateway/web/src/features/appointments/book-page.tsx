/** Booking a visit for a patient, or another one in the place of one: where, what for, when it is free. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Appointment, Patient, Slot } from "@/api/client";
import { useFacilities, useMay, useMe } from "@/api/queries";
import { HiddenPatient } from "@/features/emergency/hidden";
import { AboutPatient } from "@/features/patients/about";
import { patientQuery } from "@/features/patients/hooks";
import { nameOf } from "@/features/patients/person";
import { Card, useTitle } from "@/ui/page";
import { Loaded, NoAccess } from "@/ui/states";
import { useToasts } from "@/ui/toasts";
import { useNow, useWhen, useZone } from "@/ui/when";
import styles from "./appointments.module.css";
import { dayAt, isDay } from "./days";
import { type Purpose, type Sought, useAppointment, useBooking, useSchedules } from "./hooks";
import { FreeSlots } from "./slots";

export function BookPage() {
  const t = useTranslations("appointments.book");
  useTitle(t("title"));
  const { patientId } = useParams({ from: "/shell/patients/$patientId/book" });
  const mayBook = useMay("appointments.write");
  const patient = useQuery(patientQuery(patientId));
  if (!mayBook) return <NoAccess />;
  return (
    <HiddenPatient patientId={patientId} query={patient} title={t("failedPatient")}>
      {(found) => <About patient={found} />}
    </HiddenPatient>
  );
}

function About({ patient }: { patient: Patient }) {
  const t = useTranslations("appointments.book");
  const { replaces } = useSearch({ from: "/shell/patients/$patientId/book" });
  const old = useAppointment(replaces ?? "");
  return (
    <AboutPatient patient={patient} width="list">
      <h1>{t(replaces ? "again" : "title")}</h1>
      {replaces ? (
        <Loaded query={old} title={t("failedOld")} shape="page">
          {(found) => <Booking patient={patient} replaces={found} />}
        </Loaded>
      ) : (
        <Booking patient={patient} replaces={undefined} />
      )}
    </AboutPatient>
  );
}

interface Props {
  patient: Patient;
  replaces: Appointment | undefined;
}

/** A time, and the key under which it is booked once. */
interface Chosen {
  slot: Slot;
  requestId: string;
}

function Booking({ patient, replaces }: Props) {
  const search = useSearch({ from: "/shell/patients/$patientId/book" });
  const mine = useMe().facilityIds;
  const wanted = replaces?.facilityId ?? search.facility;
  const [facilityId, goTo] = useState(mine.find((id) => id === wanted) ?? mine[0] ?? "");
  const [purpose, be] = useState<Purpose>(replaces?.purpose ?? "PURPOSE_FOLLOW_UP");
  const [scheduleId, see] = useState("");
  const zone = useZone(facilityId);
  const now = useNow();
  const [from, look] = useState(() => dayAt(zone, now));
  const [chosen, choose] = useState<Chosen>();
  const booking = useBooking();
  const booked = useBooked(patient, search.back);
  const sought: Sought = { facilityId, scheduleId, purpose, from, zone };
  const forget =
    <T,>(change: (value: T) => void) =>
    (value: T) => {
      choose(undefined);
      change(value);
    };
  const book = async () => {
    if (!chosen) return;
    const request = { patientId: patient.id, slot: chosen.slot, purpose, replaces };
    const made = await booking.book(request, chosen.requestId);
    if (made) await booked(made as Appointment);
  };
  return (
    <div className={styles.section}>
      {replaces && <InPlaceOf replaces={replaces} />}
      <Card className={styles.box}>
        <div className={styles.fields}>
          <Where
            places={mine}
            sought={sought}
            goTo={forget((id: string) => {
              see("");
              goTo(id);
            })}
            see={forget(see)}
            look={forget(look)}
          />
          {!replaces && <What purpose={purpose} be={forget(be)} />}
        </div>
      </Card>
      <FreeSlots
        sought={sought}
        chosen={chosen?.slot}
        choose={(slot) => choose({ slot, requestId: crypto.randomUUID() })}
        look={forget(look)}
      />
      <Confirm
        patient={patient}
        slot={chosen?.slot}
        isBusy={booking.isBusy}
        error={booking.error}
        book={() => void book()}
      />
    </div>
  );
}

/** Says what was booked, and goes back to where the booking began. */
function useBooked(patient: Patient, back: "day" | undefined) {
  const t = useTranslations("appointments.book");
  const facilities = useFacilities();
  const when = useWhen();
  const go = useNavigate();
  const { say } = useToasts();
  return async (made: Appointment) => {
    const zone = facilities.get(made.facilityId)?.timeZone ?? "UTC";
    const at = new Date(made.startTime ?? 0);
    say({ text: t("booked", { when: when.moment(at, zone), name: nameOf(patient) }) });
    if (!back) {
      return await go({
        to: "/patients/$patientId/appointments",
        params: { patientId: patient.id },
      });
    }
    const search = { facility: made.facilityId, day: dayAt(zone, at), appointment: made.id };
    return await go({ to: "/appointments", search });
  };
}

function InPlaceOf({ replaces }: { replaces: Appointment }) {
  const t = useTranslations("appointments.book");
  const when = useWhen();
  const zone = useZone(replaces.facilityId);
  const slots = {
    when: when.moment(new Date(replaces.startTime ?? 0), zone),
    whom: replaces.practitioner,
  };
  return <p>{t(replaces.state === "STATE_BOOKED" ? "insteadOf" : "after", slots)}</p>;
}

interface WhereProps {
  places: string[];
  sought: Sought;
  goTo: (facilityId: string) => void;
  see: (scheduleId: string) => void;
  look: (from: string) => void;
}

function Where({ places, sought, goTo, see, look }: WhereProps) {
  const t = useTranslations("appointments.book");
  const facilities = useFacilities();
  const schedules = useSchedules(sought.facilityId);
  const today = dayAt(sought.zone, useNow());
  return (
    <>
      <NativeSelect
        label={t("where")}
        value={sought.facilityId}
        onChange={(event) => goTo(event.currentTarget.value)}
        data={places.map((id) => ({ value: id, label: facilities.get(id)?.name ?? "" }))}
      />
      <NativeSelect
        label={t("withWhom")}
        value={sought.scheduleId}
        onChange={(event) => see(event.currentTarget.value)}
        data={[
          { value: "", label: t("anybody") },
          ...(schedules.data ?? []).map(({ id, practitioner }) => ({
            value: id,
            label: practitioner,
          })),
        ]}
      />
      <TextInput
        type="date"
        label={t("from")}
        min={today}
        value={sought.from}
        onChange={({ currentTarget: { value } }) => isDay(value) && look(value)}
      />
    </>
  );
}

const PURPOSES = ["PURPOSE_FOLLOW_UP", "PURPOSE_ROUTINE"] as const;

function What({ purpose, be }: { purpose: Purpose; be: (purpose: Purpose) => void }) {
  const t = useTranslations("appointments");
  return (
    <NativeSelect
      label={t("book.what")}
      value={purpose}
      onChange={({ currentTarget: { value } }) =>
        be(PURPOSES.find((each) => each === value) ?? "PURPOSE_FOLLOW_UP")
      }
      data={PURPOSES.map((value) => ({ value, label: t(`purposes.${value}`) }))}
    />
  );
}

interface ConfirmProps {
  patient: Patient;
  slot: Slot | undefined;
  isBusy: boolean;
  error: string;
  book: () => void;
}

/** The button repeats what it books. */
function Confirm({ patient, slot, isBusy, error, book }: ConfirmProps) {
  const t = useTranslations("appointments.book");
  const when = useWhen();
  const zone = useZone(slot?.facilityId ?? "");
  return (
    <div className={styles.confirm} data-is-ready={Boolean(slot)}>
      {error && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
      <p role="status">
        {slot
          ? t("summary", {
              name: nameOf(patient),
              when: when.moment(new Date(slot.startTime ?? 0), zone),
              whom: slot.practitioner,
            })
          : t("chooseTime")}
      </p>
      <Button disabled={!slot} loading={isBusy} onClick={book}>
        {t("save")}
      </Button>
    </div>
  );
}
