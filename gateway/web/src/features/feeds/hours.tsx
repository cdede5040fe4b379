/** The messages of the last 24 hours as bars; each feed has its own scale. */
import { useFormatter, useTranslations } from "use-intl";
import type { Feed } from "@/api/client";
import { HOUR } from "@/ui/moments";
import { useWhen, useZone } from "@/ui/when";
import styles from "./hours.module.css";

const WIDTH = 168;
const HEIGHT = 22;
const LEAST = 1.5;

export function Hours({ feed }: { feed: Feed }) {
  const t = useTranslations("feeds.hours");
  const format = useFormatter();
  const when = useWhen();
  const zone = useZone(feed.facilityId);
  const counts = feed.messagesByHour.map(Number);
  const most = Math.max(...counts, 1);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const step = WIDTH / Math.max(counts.length, 1);
  const since = feed.hoursSinceTime ? new Date(feed.hoursSinceTime).getTime() : 0;
  const peak = since + counts.indexOf(most) * HOUR;
  const words =
    total === 0
      ? t("none")
      : t("label", { total, most: format.number(most), time: when.moment(new Date(peak), zone) });
  return (
    <svg
      className={styles.hours}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={words}
      data-is-silent={feed.isSilent}
    >
      {counts.map((count, at) => {
        const height = count === 0 ? 0 : Math.max(LEAST, (count / most) * (HEIGHT - 1));
        const hour = new Date(since + at * HOUR);
        return (
          <g key={hour.getTime()}>
            <title>{t("hour", { time: when.time(hour, zone), count })}</title>
            <rect className={styles.ground} x={at * step} y={0} width={step} height={HEIGHT} />
            <rect x={at * step + 0.5} y={HEIGHT - 1 - height} width={step - 1.5} height={height} />
          </g>
        );
      })}
      <line x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
    </svg>
  );
}
