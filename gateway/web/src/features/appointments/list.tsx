/** The appointments of a day, the earliest first; the whole row opens one. */
import { Button } from "@mantine/core";
import { IconCalendar } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Appointment } from "@/api/client";
import { usePatientName } from "@/features/patients/hooks";
import { RowButton } from "@/ui/list-and-detail";
import { Card } from "@/ui/page";
import { Empty } from "@/ui/states";
import { useZone } from "@/ui/when";
import styles from "./appointments.module.css";
import { RideWords, StateWords, useRide, useTimes } from "./facts";

const PAGE = 50;

interface ListProps {
  appointments: Appointment[];
  chosenId: string;
  open: (id: string) => void;
}

export function DayList({ appointments, chosenId, open }: ListProps) {
  const t = useTranslations("appointments");
  const [limit, show] = useState(PAGE);
  const shown = appointments.slice(0, limit);
  const tabStop = shown.find(({ id }) => id === chosenId)?.id ?? shown[0]?.id;
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
      <ul className={styles.list} aria-label={t("listLabel")}>
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
      <RowButton
        className={styles.row}
        isChosen={isChosen}
        isTabStop={isTabStop}
        data-appointment={of.id}
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
      </RowButton>
    </li>
  );
}
