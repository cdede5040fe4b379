/** Candidates by the month in which the patient left, the newest first. */
import { IconAlertTriangle, IconCheck, IconHourglass, IconMinus } from "@tabler/icons-react";
import { useLocale, useTranslations } from "use-intl";
import type { ClaimCandidate } from "@/api/client";
import { useFacilities } from "@/api/queries";
import { usePatientName } from "@/features/patients/hooks";
import { RowButton } from "@/ui/list-and-detail";
import { partsIn, word } from "@/ui/moments";
import { Card } from "@/ui/page";
import { useHomeZone, useWhen, useZone } from "@/ui/when";
import styles from "./claims.module.css";
import { reasonsOf, type Standing, standingOf } from "./words";

interface Props {
  candidates: ClaimCandidate[];
  chosenId: string;
  open: (loopId: string) => void;
}

export function Months({ candidates, chosenId, open }: Props) {
  const t = useTranslations("claims");
  const locale = useLocale();
  const facilities = useFacilities();
  const home = useHomeZone();
  const tabStop = candidates.some(({ loopId }) => loopId === chosenId)
    ? chosenId
    : candidates[0]?.loopId;
  const months = new Map<string, ClaimCandidate[]>();
  for (const each of candidates) {
    const zone = facilities.get(each.facilityId)?.timeZone ?? home;
    const left = each.dischargeTime && partsIn(zone, new Date(each.dischargeTime));
    const month = left
      ? t("month", { month: word(locale, { ...left, day: 1 }, "month"), year: String(left.year) })
      : t("noMonth");
    months.set(month, [...(months.get(month) ?? []), each]);
  }
  return [...months].map(([month, found]) => (
    <section key={month} className={styles.section}>
      <h2>
        {month} <span className={styles.small}>{t("ofMonth", { count: found.length })}</span>
      </h2>
      <Card>
        <ul className={styles.list}>
          {found.map((each) => (
            <Row
              key={each.loopId}
              of={each}
              isChosen={each.loopId === chosenId}
              isTabStop={each.loopId === tabStop}
              open={() => open(each.loopId)}
            />
          ))}
        </ul>
      </Card>
    </section>
  ));
}

const ICONS: Record<Standing, typeof IconCheck> = {
  can: IconCheck,
  waits: IconHourglass,
  cannot: IconMinus,
};

/** The code, or that there is none, or none yet. */
export function CodeWords({ of }: { of: ClaimCandidate }) {
  const t = useTranslations("claims.standing");
  const standing = standingOf(of);
  const Icon = ICONS[standing];
  return (
    <span className={styles.code} data-standing={standing}>
      <Icon size={16} stroke={1.9} aria-hidden="true" />
      <span>{t(standing, { code: of.code })}</span>
    </span>
  );
}

interface RowProps {
  of: ClaimCandidate;
  isChosen: boolean;
  isTabStop: boolean;
  open: () => void;
}

function Row({ of, isChosen, isTabStop, open }: RowProps) {
  const t = useTranslations("claims");
  const when = useWhen();
  const zone = useZone(of.facilityId);
  const name = usePatientName(of.patientId);
  const reasons = reasonsOf(of);
  return (
    <li>
      <RowButton className={styles.row} isChosen={isChosen} isTabStop={isTabStop} onClick={open}>
        <span className={styles.who}>
          <bdi className={styles.name}>{name}</bdi>{" "}
          <span className={styles.small}>
            {of.dischargeTime
              ? t("left", { when: when.day(new Date(of.dischargeTime), zone) })
              : t("leftUnknown")}
          </span>
        </span>{" "}
        <CodeWords of={of} />{" "}
        <span className={styles.why}>
          {of.code
            ? t("seen", { day: when.date(of.serviceDate, zone) })
            : reasons.slice(0, 2).map((each) => (
                <span key={each} className={styles.line}>
                  {t(`reasons.${each}`)}
                </span>
              ))}
          {reasons.length > 2 && (
            <span className={styles.line}>{t("moreReasons", { count: reasons.length - 2 })}</span>
          )}
        </span>
      </RowButton>
    </li>
  );
}

/** Beside each rule: whether it holds. */
export function Holds({ holds }: { holds: boolean }) {
  const Icon = holds ? IconCheck : IconAlertTriangle;
  return <Icon size={16} stroke={1.9} aria-hidden="true" />;
}
