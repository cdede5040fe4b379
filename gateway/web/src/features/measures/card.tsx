/** One measure: its number, what it was month by month, and what that means in words. */
import {
  IconCircleFilled,
  IconHourglass,
  IconInfoCircle,
  IconSquareRotatedFilled,
  IconTriangleFilled,
} from "@tabler/icons-react";
import { useId, useMemo, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { useWhen } from "@/ui/when";
import type { Measure } from "./hooks";
import styles from "./measures.module.css";
import { Chart } from "./run-chart";
import { type RunChart, runChart, type Verdict } from "./spc";
import type { Status } from "./statuses";
import { msOf } from "./times";
import { useMeasureWords } from "./words";

interface Props {
  measure: Measure;
  isChosen: boolean;
  open: (status: Status | undefined) => void;
  mayOpen: boolean;
}

/** A line needs so many points. */
const LEAST_DRAWN = 3;
const ICONS = {
  improving: IconTriangleFilled,
  same: IconCircleFilled,
  worse: IconSquareRotatedFilled,
  early: IconHourglass,
};

export function MeasureCard({ measure, isChosen, open, mayOpen }: Props) {
  const t = useTranslations("measures");
  const percent = usePercent();
  const { title } = useMeasureWords(measure);
  const months = useMemo(
    () => measure.months.filter(({ rate }) => rate.denominator > 0),
    [measure.months],
  );
  const chart = useMemo(() => {
    const points = months.map(({ rate }) => ({ n: rate.denominator, x: rate.numerator }));
    return runChart(points, measure.better === "BETTER_MORE");
  }, [months, measure.better]);
  const days = months.map(
    ({ month }) => new Date(Date.UTC(month.year ?? 0, (month.month ?? 1) - 1)),
  );
  const id = useId();
  const { rate } = measure;
  return (
    <section className={styles.card} data-is-chosen={isChosen} aria-labelledby={id}>
      <div className={styles.head}>
        <h2 id={id}>{title}</h2>
        <About measure={measure} />
        <Told verdict={chart.verdict} />
      </div>
      <div className={styles.number}>
        <b>{rate.denominator > 0 ? percent(rate.value) : t("noRate")}</b>
        <Fraction measure={measure} open={open} mayOpen={mayOpen} />
        {measure.better === "BETTER_LESS" && <span>{t("less")}</span>}
      </div>
      <p className={styles.small}>
        {rate.denominator > 0 && t("range", { low: percent(rate.low), high: percent(rate.high) })}{" "}
        {rate.isSmall && rate.denominator > 0 && t("small")}
      </p>
      <Took measure={measure} />
      {months.length < LEAST_DRAWN ? (
        <p className={styles.nothing}>
          {t("noMonths", { count: rate.pending, months: months.length })}
        </p>
      ) : (
        <Chart
          chart={chart}
          months={days}
          label={t("chart.label", {
            title,
            months: months.length,
            last: percent(chart.points.at(-1)?.value ?? 0),
            average: percent(chart.average),
            verdict: t(`verdict.${chart.verdict}`),
          })}
        />
      )}
      {months.length > 0 && <Table chart={chart} measure={{ ...measure, months }} days={days} />}
    </section>
  );
}

function Fraction({ measure, open, mayOpen }: Omit<Props, "isChosen">) {
  const t = useTranslations("measures");
  const { numerator, denominator } = measure.rate;
  if (!mayOpen) return <span>{t("of", { numerator, denominator })}</span>;
  return (
    <span>
      {t.rich("ofLinks", {
        numerator,
        denominator,
        better: measure.better,
        met: (chunks) => (
          <button type="button" className={styles.link} onClick={() => open("STATUS_MET")}>
            {chunks}
          </button>
        ),
        all: (chunks) => (
          <button type="button" className={styles.link} onClick={() => open(undefined)}>
            {chunks}
          </button>
        ),
      })}
    </span>
  );
}

/** How long it took, where the measure says so. */
function Took({ measure: { times, rate } }: { measure: Measure }) {
  const t = useTranslations("measures.times");
  const { span } = useWhen();
  if (!times || rate.denominator === 0) return null;
  const [median, ninetieth] = [msOf(times.median), msOf(times.ninetieth)];
  if (median === undefined) return <p className={styles.times}>{t("none")}</p>;
  return (
    <p className={styles.times}>
      {t("half", { median: span(median) })}{" "}
      {ninetieth === undefined ? t("fewer") : t("most", { ninetieth: span(ninetieth) })}
    </p>
  );
}

/** The definition, on hover and on focus; as text it is in the pane. */
function About({ measure }: { measure: Measure }) {
  const t = useTranslations("measures");
  const { title, definition } = useMeasureWords(measure);
  const id = useId();
  return (
    <span className={styles.about}>
      <button type="button" aria-label={t("about", { title })} aria-describedby={id}>
        <IconInfoCircle size={16} stroke={1.9} aria-hidden="true" />
      </button>
      <span role="tooltip" id={id} className={styles.tip}>
        {definition} {t("version", { version: measure.version })}
      </span>
    </span>
  );
}

function Told({ verdict }: { verdict: Verdict }) {
  const t = useTranslations("measures.verdict");
  const Icon = ICONS[verdict];
  const size = verdict === "same" ? 8 : 14;
  return (
    <span className={styles.verdict} data-verdict={verdict}>
      <Icon size={size} aria-hidden="true" /> {t(verdict)}
    </span>
  );
}

function Table({ chart, measure, days }: { chart: RunChart; measure: Measure; days: Date[] }) {
  const t = useTranslations("measures.chart");
  const format = useFormatter();
  const percent = usePercent();
  const [isShown, show] = useState(false);
  return (
    <>
      <button
        type="button"
        className={styles.link}
        aria-expanded={isShown}
        onClick={() => show(!isShown)}
      >
        {isShown ? t("hideTable") : t("showTable")}
      </button>
      {isShown && (
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t("month")}</th>
              <th scope="col">{t("share")}</th>
              <th scope="col">{t("counts")}</th>
              <th scope="col">{t("swing")}</th>
            </tr>
          </thead>
          <tbody>
            {measure.months.map(({ rate }, at) => {
              const point = chart.points[at];
              return (
                <tr key={days[at]?.toISOString()}>
                  <td>
                    {format.dateTime(days[at] as Date, {
                      month: "short",
                      year: "numeric",
                      timeZone: "UTC",
                    })}
                  </td>
                  <td>
                    {percent(rate.value)} {point?.mark && t(`marks.${point.mark}`)}
                  </td>
                  <td>{t("fraction", { x: rate.numerator, n: rate.denominator })}</td>
                  <td>
                    {t("between", {
                      low: percent(point?.low ?? 0),
                      high: percent(point?.high ?? 0),
                    })}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </>
  );
}

export function usePercent(): (value: number) => string {
  const format = useFormatter();
  return (value) => format.number(value, { style: "percent", maximumFractionDigits: 1 });
}
