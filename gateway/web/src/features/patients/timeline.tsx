/** The timeline: the future above now, the past below, in one list. */
import { Button } from "@mantine/core";
import {
  IconAlertTriangleFilled,
  IconBuildingHospital,
  IconCalendar,
  IconCheck,
  IconFlask,
  IconHourglass,
  IconMinus,
  IconNotes,
  IconPhone,
  IconRefreshDot,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Chips } from "@/ui/chips";
import { partsIn } from "@/ui/moments";
import { useHomeZone, useNow, useWhen, useZone } from "@/ui/when";
import { useEntryWords } from "./entry-words";
import page from "./patients.module.css";
import styles from "./timeline.module.css";
import type { Cut, Timeline as Entries, Entry, Kind, Paged } from "./timeline-entries";

const FILTERS = ["all", "visits", "results", "steps", "contacts"] as const;
type Filter = (typeof FILTERS)[number];
const SHOWS: Record<Filter, Kind[]> = {
  all: ["visit", "result", "step", "contact", "loop"],
  visits: ["visit"],
  results: ["result"],
  steps: ["step", "loop"],
  contacts: ["contact"],
};

/** How older entries of a kind are asked for, and whether they are on their way. */
export type Older = Record<Paged, { show: () => void; isComing: boolean }>;

export function Timeline({ entries, older }: { entries: Entries; older: Older }) {
  const t = useTranslations("patients.timeline");
  const when = useWhen();
  const now = useNow();
  const zone = useHomeZone();
  const [filter, choose] = useState<Filter>("all");
  // What was never needed is told to those who ask for steps.
  const isNoise = (entry: Entry | Cut) => filter === "all" && entry.what === "cancelled";
  const isShown = (entry: Entry | Cut) => SHOWS[filter].includes(entry.kind) && !isNoise(entry);
  const future = entries.future.filter(isShown);
  const past = entries.past.filter(isShown);
  return (
    <section aria-labelledby="timeline">
      <div className={page.sectionHead}>
        <h2 id="timeline">{t("title")}</h2>
        <Chips
          label={t("filter")}
          options={FILTERS.map((each) => ({ key: each, label: t(each) }))}
          chosen={filter}
          choose={choose}
        />
      </div>
      <ol className={styles.timeline}>
        {future.map((entry) => (
          <EntryRow key={entry.id} entry={entry} isAhead />
        ))}
        <li className={styles.now} aria-current="time">
          <span>{t("now", { time: when.time(now, zone) })}</span>
        </li>
        {past.map((entry) =>
          entry.what === "older" ? (
            <OlderRow key={entry.id} entry={entry} {...older[entry.kind]} />
          ) : (
            <EntryRow key={entry.id} entry={entry} />
          ),
        )}
        {past.length === 0 && future.length === 0 && (
          <li className={styles.nothing}>{t("nothing")}</li>
        )}
      </ol>
    </section>
  );
}

/** From here on entries of a kind are missing: a gap that nobody may take for "there was nothing". */
function OlderRow({ entry, show, isComing }: { entry: Cut } & Older[Paged]) {
  const t = useTranslations("patients.timeline.older");
  const when = useWhen();
  const zone = useZone(entry.facilityId);
  return (
    <li className={styles.older}>
      <span>
        {entry.at
          ? t(`${entry.kind}From`, { day: when.date(partsIn(zone, new Date(entry.at)), zone) })
          : t(entry.kind)}
      </span>
      <Button size="xs" variant="default" loading={isComing} onClick={show}>
        {t(`${entry.kind}Show`)}
      </Button>
    </li>
  );
}

const ICONS: Record<Entry["what"], typeof IconCheck> = {
  due: IconHourglass,
  late: IconAlertTriangleFilled,
  keyDate: IconCalendar,
  admitted: IconBuildingHospital,
  discharged: IconBuildingHospital,
  results: IconFlask,
  done: IconCheck,
  cancelled: IconMinus,
  attempt: IconPhone,
  note: IconNotes,
  opened: IconRefreshDot,
  closed: IconCheck,
};

function EntryRow({ entry, isAhead = false }: { entry: Entry; isAhead?: boolean }) {
  const when = useWhen();
  const zone = useZone(entry.facilityId);
  const words = useEntryWords()(entry);
  const Icon = ICONS[entry.what];
  return (
    <li className={styles.entry} data-is-ahead={isAhead} data-what={entry.what}>
      <time dateTime={entry.at}>{when.moment(new Date(entry.at), zone)}</time>
      <span className={styles.dot}>
        <Icon size={14} stroke={1.9} aria-hidden="true" />
      </span>
      <EntryText title={words.title} detail={words.detail} isStrong={words.isStrong} />
    </li>
  );
}

function EntryText(props: { title: ReactNode; detail: ReactNode; isStrong: boolean }) {
  return (
    <div className={styles.entryText}>
      <p data-is-strong={props.isStrong}>{props.title}</p>
      {props.detail && <p className={styles.detail}>{props.detail}</p>}
    </div>
  );
}
