/** What a number is made of: its definition as text, and the patients behind it. */
import { Link } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import { usePatientName } from "@/features/patients/hooks";
import { Chips } from "@/ui/chips";
import { Detail, DetailHead } from "@/ui/list-and-detail";
import { ShowMore } from "@/ui/show-more";
import { Empty, Failed, Loading } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import { type Measure, type Unit, useUnits } from "./hooks";
import styles from "./measures.module.css";
import { STATUSES, type Status } from "./statuses";
import { msOf } from "./times";
import { useMeasureWords, useReasonWords } from "./words";

interface Props {
  measure: Measure;
  facilityId: string | undefined;
  status: Status | undefined;
  choose: (status: Status | undefined) => void;
  close: () => void;
  mayOpen: boolean;
}

export function Pane({ measure, facilityId, status, choose, close, mayOpen }: Props) {
  const t = useTranslations("measures");
  const { title, definition } = useMeasureWords(measure);
  const { better } = measure;
  const { numerator, denominator, pending, excluded } = measure.rate;
  const counts = {
    STATUS_MET: numerator,
    STATUS_NOT_MET: denominator - numerator,
    STATUS_PENDING: pending,
    STATUS_EXCLUDED: excluded,
  };
  return (
    <Detail label={title}>
      <DetailHead close={close} closeLabel={t("close")}>
        {title}
      </DetailHead>
      <p className={styles.definition}>{definition}</p>
      <p className={styles.small}>
        {t("source", { source: measure.source, version: measure.version })}
      </p>
      {mayOpen && (
        <>
          <Chips
            label={t("which")}
            chosen={status ?? "all"}
            choose={(key) => choose(key === "all" ? undefined : key)}
            options={[
              { key: "all" as const, label: t("all", { count: denominator + pending + excluded }) },
              ...STATUSES.map((key) => ({
                key,
                label: t(`statuses.${key}`, { count: counts[key], better }),
              })),
            ]}
          />
          <Units measure={measure} status={status} facilityId={facilityId} />
        </>
      )}
    </Detail>
  );
}

function Units({
  measure,
  status,
  facilityId,
}: {
  measure: Measure;
  status: Status | undefined;
  facilityId: string | undefined;
}) {
  const t = useTranslations("measures");
  const asked = useUnits(measure.key, status, facilityId);
  if (asked.error && !asked.data) {
    return <Failed error={asked.error} retry={() => void asked.refetch()} />;
  }
  if (!asked.data) return <Loading shape="rows" />;
  const units = asked.data.pages.flatMap((page) => page.units);
  if (units.length === 0) return <Empty title={t("nobody")}>{t("nobodyText")}</Empty>;
  return (
    <>
      <ul className={styles.units}>
        {units.map((unit) => (
          <Row key={unit.id} unit={unit} better={measure.better} />
        ))}
      </ul>
      <ShowMore query={asked}>{t("more")}</ShowMore>
    </>
  );
}

function Row({ unit, better }: { unit: Unit; better: Measure["better"] }) {
  const t = useTranslations("measures");
  const reason = useReasonWords();
  const when = useWhen();
  const zone = useZone(unit.facilityId);
  const name = usePatientName(unit.patientId);
  const took = msOf(unit.took);
  const waits = unit.status === "STATUS_PENDING" && unit.settleTime;
  return (
    <li>
      <Link to="/patients/$patientId" params={{ patientId: unit.patientId }}>
        <bdi>{name}</bdi>
      </Link>
      <span>{when.date(unit.date, zone)}</span>
      <span>
        {took === undefined
          ? reason(unit.reason)
          : t("took", { reason: reason(unit.reason), time: when.span(took) })}
      </span>
      <span>
        {waits
          ? t("countsFrom", { day: when.day(new Date(waits), zone) })
          : t(`status.${unit.status}`, { better })}
      </span>
    </li>
  );
}
