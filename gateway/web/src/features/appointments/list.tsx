/** The appointments of a day, the earliest first: one tab stop with arrows inside, and the whole row opens one. */
import { Button } from "@mantine/core";
import { IconCalendar } from "@tabler/icons-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { Appointment } from "@/api/client";
import { useKeys } from "@/ui/keys";
import { Card } from "@/ui/page";
import { Empty } from "@/ui/states";
import { useZone } from "@/ui/when";
import styles from "./appointments.module.css";
import { RideWords, StateWords, useRide, useTimes } from "./facts";
import { usePatientName } from "./hooks";

const PAGE = 50;

interface ListProps {
  appointments: Appointment[];
  chosenId: string;
  open: (id: string) => void;
}

export function DayList({ appointments, chosenId, open }: ListProps) {
  const t = useTranslations("appointments");
  const [limit, show] = useState(PAGE);
  const list = useRef<HTMLUListElement>(null);
  const shown = appointments.slice(0, limit);
  const tabStop = shown.find(({ id }) => id === chosenId)?.id ?? shown[0]?.id;
  const move = (step: 1 | -1) => () => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("button") ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  };
  useKeys({ j: move(1), k: move(-1) });
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] as 1 | -1 | undefined;
    if (!step) return;
    event.preventDefault();
    move(step)();
  };
  if (appointments.length === 0) {
    return (
      <Card>
        <Empty title={t("none")} icon={<IconCalendar size={22} stroke={1.9} />}>
          {t("noneText")}
        </Empty>
      </Card>
    );
  }
  return (
    <Card>
      <ul ref={list} className={styles.list} aria-label={t("listLabel")} onKeyDown={onKey}>
        {shown.map((each) => (
          <Row
            key={each.id}
            of={each}
            isChosen={each.id === chosenId}
            isTabStop={each.id === tabStop}
            open={() => open(each.id)}
          />
        ))}
      </ul>
      {shown.length < appointments.length && (
        <div className={styles.more}>
          <Button variant="default" onClick={() => show(limit + PAGE)}>
            {t("more", { count: appointments.length - shown.length })}
          </Button>
        </div>
      )}
    </Card>
  );
}

interface RowProps {
  of: Appointment;
  isChosen: boolean;
  isTabStop: boolean;
  open: () => void;
}

function Row({ of, isChosen, isTabStop, open }: RowProps) {
  const t = useTranslations("appointments");
  const zone = useZone(of.facilityId);
  const times = useTimes();
  const name = usePatientName(of.patientId);
  const { ride } = useRide(of);
  return (
    <li>
      <button
        type="button"
        className={styles.row}
        data-appointment={of.id}
        aria-current={isChosen || undefined}
        tabIndex={isTabStop ? 0 : -1}
        onClick={open}
      >
        <span className={styles.time}>{times(of, zone)}</span>{" "}
        <span className={styles.who}>
          <bdi className={styles.name}>{name}</bdi>{" "}
          <span className={styles.what}>{t(`purposes.${of.purpose}`)}</span>
        </span>{" "}
        <span className={styles.whom}>
          <bdi>{of.practitioner}</bdi>
        </span>{" "}
        <span className={styles.rideCell}>{ride && <RideWords ride={ride} />}</span>{" "}
        <StateWords of={of} />
      </button>
    </li>
  );
}
