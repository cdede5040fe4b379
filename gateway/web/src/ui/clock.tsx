/** A clock in shape, word and color, always all three; used everywhere. */
import { VisuallyHidden } from "@mantine/core";
import {
  IconAlertTriangleFilled,
  IconArrowBigUpLinesFilled,
  IconCheck,
  IconClockHour9,
  IconClockPause,
  IconMinus,
} from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import styles from "./clock.module.css";
import { type ClockWord, clockState, type Ticking } from "./clock-state";
import { useNow, useWhen, useZone } from "./when";

const icons = {
  soon: IconClockHour9,
  overdue: IconAlertTriangleFilled,
  escalated: IconArrowBigUpLinesFilled,
  notYet: IconClockPause,
  closed: IconCheck,
  cancelled: IconMinus,
} as const;

export function Clock({ of, facilityId }: { of: Ticking; facilityId: string }) {
  const t = useTranslations("shell.clock");
  const when = useWhen();
  const zone = useZone(facilityId);
  const { word, span, used } = clockState(of, useNow());
  const isDone = word === "closed" || word === "cancelled";
  const end = of.closeTime ?? (word === "notYet" ? of.startTime : of.dueTime);
  const moment = end ? when.moment(new Date(end), zone) : "";
  const shown = isDone ? moment : when.span(span);
  const spoken = isDone ? moment : when.spoken(span);
  return (
    <span className={styles.clock} data-word={word}>
      <VisuallyHidden>{t("spoken", { word: t(word), span: spoken, when: moment })}</VisuallyHidden>
      <span aria-hidden="true" className={styles.shown}>
        <Shape word={word} used={used} />
        <span>
          {t.rich("withSpan", {
            word: t(word),
            span: shown,
            q: (chunks) => <span className={styles.span}>{chunks}</span>,
          })}
        </span>
      </span>
    </span>
  );
}

export function Shape({ word, used }: { word: ClockWord; used: number }) {
  if (word === "onTrack") return <Ring used={used} />;
  const Icon = icons[word];
  return <Icon size={16} stroke={1.9} aria-hidden="true" />;
}

const AROUND = 2 * Math.PI * 5.5;

/** The share of time used. */
function Ring({ used }: { used: number }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" className={styles.ring} aria-hidden="true">
      <circle cx="8" cy="8" r="5.5" className={styles.track} />
      <circle
        cx="8"
        cy="8"
        r="5.5"
        className={styles.used}
        strokeDasharray={`${Math.max(0.06, used) * AROUND} ${AROUND}`}
        transform="rotate(-90 8 8)"
      />
    </svg>
  );
}
