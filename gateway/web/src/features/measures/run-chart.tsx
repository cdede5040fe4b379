/** A measure month by month: average, normal swing, and the points that chance does not explain. */
import { useFormatter, useTranslations } from "use-intl";
import styles from "./measures.module.css";
import type { Mark, RunChart } from "./spc";

const WIDTH = 340;
const HEIGHT = 150;
const LEFT = 38;
const RIGHT = 262;
const TOP = 14;
const BOTTOM = 122;
/** The scale ends at whole twentieths. */
const STEP = 0.05;

interface Props {
  chart: RunChart;
  months: readonly Date[];
  /** The whole picture in a sentence. */
  label: string;
}

export function Chart({ chart: { average, points }, months, label }: Props) {
  const t = useTranslations("measures.chart");
  const format = useFormatter();
  const all = points.flatMap(({ value, low, high }) => [value, low, high]);
  const bottom = Math.max(0, Math.floor(Math.min(...all) / STEP) * STEP);
  const top = Math.min(1, Math.ceil(Math.max(...all, bottom + STEP) / STEP) * STEP);
  const x = (at: number) =>
    LEFT + (points.length > 1 ? (at / (points.length - 1)) * (RIGHT - LEFT) : 0);
  const y = (value: number) => BOTTOM - ((value - bottom) / (top - bottom)) * (BOTTOM - TOP);
  const whole = (value: number) =>
    format.number(value, { style: "percent", maximumFractionDigits: 0 });
  const month = (at: Date | undefined) =>
    at ? format.dateTime(at, { month: "short", year: "numeric", timeZone: "UTC" }) : "";
  const swing = [
    ...points.map(({ high }, at) => `${x(at)},${y(high)}`),
    ...points.map(({ low }, at) => `${x(at)},${y(low)}`).reverse(),
  ];
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} className={styles.chart}>
      <polygon points={swing.join(" ")} className={styles.swing} />
      <line x1={LEFT} x2={RIGHT} y1={y(average)} y2={y(average)} className={styles.average} />
      <polyline
        points={points.map(({ value }, at) => `${x(at)},${y(value)}`).join(" ")}
        className={styles.line}
      />
      {points.map(({ value, mark }, at) => (
        <Dot key={months[at]?.toISOString()} x={x(at)} y={y(value)} mark={mark} />
      ))}
      <text x={RIGHT + 6} y={y(average) + 4}>
        {t("average", { value: whole(average) })}
      </text>
      <text x={LEFT - 8} y={TOP + 4} textAnchor="end">
        {whole(top)}
      </text>
      <text x={LEFT - 8} y={BOTTOM + 4} textAnchor="end">
        {whole(bottom)}
      </text>
      <text x={LEFT} y={HEIGHT - 4}>
        {month(months[0])}
      </text>
      {months.length > 1 && (
        <text x={RIGHT} y={HEIGHT - 4} textAnchor="end">
          {month(months.at(-1))}
        </text>
      )}
    </svg>
  );
}

function Dot({ x, y, mark }: { x: number; y: number; mark: Mark | null }) {
  if (!mark) return <circle cx={x} cy={y} r={2.6} className={styles.dot} />;
  const shape = mark === "better" ? "0,-5 5,4 -5,4" : "0,-5 5,0 0,5 -5,0";
  return (
    <polygon
      points={shape}
      transform={`translate(${x} ${y})`}
      data-mark={mark}
      className={styles.dot}
    />
  );
}
