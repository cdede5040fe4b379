/** One appointment at the side of the day. */
import { Link } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Appointment } from "@/api/client";
import { usePatientName } from "@/features/patients/hooks";
import { Detail, DetailHead } from "@/ui/list-and-detail";
import { Doings } from "./doings";
import { Facts, StateWords } from "./facts";

export function Pane({ of, close }: { of: Appointment; close: () => void }) {
  const t = useTranslations("appointments");
  const name = usePatientName(of.patientId);
  return (
    <Detail label={t("one")}>
      <DetailHead close={close} closeLabel={t("close")}>
        <Link to="/patients/$patientId" params={{ patientId: of.patientId }}>
          <bdi>{name}</bdi>
        </Link>
      </DetailHead>
      <StateWords of={of} />
      <Doings of={of} back="day" />
      <Facts of={of} />
    </Detail>
  );
}
