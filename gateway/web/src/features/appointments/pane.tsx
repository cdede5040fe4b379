/** One appointment at the side of the day. */
import { CloseButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import type { Appointment } from "@/api/client";
import styles from "./appointments.module.css";
import { Doings } from "./doings";
import { Facts, StateWords } from "./facts";
import { usePatientName } from "./hooks";

export function Pane({ of, close }: { of: Appointment; close: () => void }) {
  const t = useTranslations("appointments");
  const name = usePatientName(of.patientId);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  return (
    <aside className={styles.pane} aria-label={t("one")}>
      <div className={styles.paneHead}>
        <h2 ref={head} tabIndex={-1}>
          <Link to="/patients/$patientId" params={{ patientId: of.patientId }}>
            <bdi>{name}</bdi>
          </Link>
        </h2>
        <CloseButton aria-label={t("close")} onClick={close} />
      </div>
      <StateWords of={of} />
      <Doings of={of} back="day" />
      <Facts of={of} />
    </aside>
  );
}
