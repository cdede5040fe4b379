/** What can be done with an appointment: what happened, which can be undone for ten seconds; another time; giving it up. */
import { Button, Radio } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { Appointment } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import { usePatientName } from "@/features/patients/hooks";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { useNow, useWhen, useZone } from "@/ui/when";
import styles from "./appointments.module.css";
import {
  type Noted,
  useAppointmentChanges,
  usePatientAppointments,
  useRefusalWords,
} from "./hooks";
import { type Doing, doingsOf, followerOf, isLate } from "./standing";

/** Only people of its facility change it. */
export function useMayChange(of: Pick<Appointment, "facilityId">): boolean {
  const mayWrite = useMay("appointments.write");
  return useMe().facilityIds.includes(of.facilityId) && mayWrite;
}

/** Says what happened: sent when its time to undo is over. */
function useNoting(of: Appointment) {
  const t = useTranslations("appointments.toast");
  const change = useAppointmentChanges();
  const refused = useRefusalWords();
  const name = usePatientName(of.patientId);
  const { later, say, isWaiting } = useToasts();
  const note = (doing: Noted | { by: "BY_PATIENT" | "BY_CLINIC" }) => {
    const what = typeof doing === "string" ? doing : "cancel";
    later({
      key: of.id,
      waiting: t("waiting", { what, name }),
      saved: t("saved", { what, name }),
      send: () => change(of, doing),
      failed: (error) => say({ text: t("failed", { why: refused(error) }) }),
    });
  };
  return { note, isWaiting: isWaiting(of.id) };
}

interface Props {
  of: Appointment;
  /** Where whoever books again comes back to. */
  back: "day" | undefined;
}

/** What is to be done next, where something is: only that is blue. */
const NEXT: Partial<Record<Appointment["state"], Doing>> = {
  STATE_BOOKED: "checkIn",
  STATE_ARRIVED: "complete",
  STATE_NO_SHOW: "rebook",
};

export function Doings({ of, back }: Props) {
  const t = useTranslations("appointments");
  const zone = useZone(of.facilityId);
  const now = useNow();
  const { data: others } = usePatientAppointments(of.patientId);
  const { note, isWaiting } = useNoting(of);
  const [isCancelling, cancel] = useState(false);
  const wasRebooked = Boolean(followerOf(of, others ?? []));
  const doings = doingsOf(of, zone, now).filter((each) => !(each === "rebook" && wasRebooked));
  if (!useMayChange(of)) return <p className={styles.small}>{t("viewOnly")}</p>;
  if (isWaiting) return <p className={styles.small}>{t("waits")}</p>;
  if (doings.length === 0) return null;
  const variant = (doing: Doing) => (NEXT[of.state] === doing ? "filled" : "default");
  return (
    <div className={styles.actions}>
      {doings.map((doing) =>
        doing === "rebook" ? (
          <Button
            key={doing}
            size="xs"
            variant={variant(doing)}
            renderRoot={(props) => (
              <Link
                {...props}
                to="/patients/$patientId/book"
                params={{ patientId: of.patientId }}
                search={{ replaces: of.id, back }}
              />
            )}
          >
            {t("doings.rebook")}
          </Button>
        ) : (
          <Button
            key={doing}
            size="xs"
            variant={variant(doing)}
            className={doing === "cancel" ? styles.danger : undefined}
            onClick={() => (doing === "cancel" ? cancel(true) : note(doing))}
          >
            {t(`doings.${doing}`)}
          </Button>
        ),
      )}
      {isCancelling && (
        <CancelDialog
          of={of}
          save={(by) => {
            cancel(false);
            note({ by });
          }}
          close={() => cancel(false)}
        />
      )}
    </div>
  );
}

const BY = ["BY_PATIENT", "BY_CLINIC"] as const;

interface CancelProps {
  of: Appointment;
  save: (by: (typeof BY)[number]) => void;
  close: () => void;
}

function CancelDialog({ of, save, close }: CancelProps) {
  const t = useTranslations("appointments.cancelling");
  const when = useWhen();
  const zone = useZone(of.facilityId);
  const now = useNow();
  const name = usePatientName(of.patientId);
  const [by, choose] = useState<(typeof BY)[number]>("BY_PATIENT");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save(by);
  };
  return (
    <Dialog
      title={t("title", { name, when: when.moment(new Date(of.startTime ?? 0), zone) })}
      close={close}
      closeLabel={t("keep")}
    >
      <form onSubmit={submit} className={styles.form}>
        <p>{t("text")}</p>
        {isLate(of, now) && <p className={styles.mind}>{t("late")}</p>}
        <Radio.Group
          label={t("who")}
          value={by}
          onChange={(value) => choose(BY.find((each) => each === value) ?? "BY_PATIENT")}
        >
          {BY.map((each) => (
            <Radio key={each} value={each} label={t(each)} className={styles.choice} />
          ))}
        </Radio.Group>
        <div className={styles.actions}>
          <Button type="submit" variant="default" className={styles.danger}>
            {t("save")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("keep")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
