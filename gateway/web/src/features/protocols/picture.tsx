/** The timeline: lanes are roles, bands are time, a box ends where its deadline ends, escalation stands in plum. */
import { IconArrowBigUpLines, IconArrowBigUpLinesFilled } from "@tabler/icons-react";
import type { CSSProperties } from "react";
import { useTranslations } from "use-intl";
import { useWhen, useZone } from "@/ui/when";
import { countIn } from "./dry-run";
import {
  type Band,
  type Box,
  bandsOf,
  type Lane,
  lanesOf,
  marksOf,
  type Placed,
  sharesOf,
} from "./layout";
import type { Deadline, Shape } from "./parse";
import styles from "./picture.module.css";
import type { Trying } from "./trying";
import { useWords } from "./words";

interface Picking {
  picked: string;
  pick: (key: string) => void;
  /** Its dates stand in the boxes. */
  trying: Trying;
}

export function Picture({ shape, ...picking }: { shape: Shape } & Picking) {
  const t = useTranslations("protocols");
  const bands = bandsOf(shape.steps);
  const lanes = lanesOf(shape.steps, bands);
  const shares = sharesOf(lanes, bands).map((share) => `minmax(0, ${share}fr)`);
  const columns = { "--bands": shares.join(" ") } as CSSProperties;
  return (
    <section className={styles.picture} aria-label={t("picture")} style={columns}>
      <div className={styles.lane} aria-hidden="true">
        <span />
        {bands.map((band, at) => (
          <BandHead key={`${band.after} ${band.to}`} band={band} before={bands[at - 1]} />
        ))}
      </div>
      {lanes.map((lane) => (
        <LaneRow key={lane.role} lane={lane} bands={bands} {...picking} />
      ))}
    </section>
  );
}

const FIRST = ["business_days", "hours", "calendar_days"];

/** The deadline that names a band. */
function nameOf({ ends }: Band): Deadline | undefined {
  return [...ends].sort((left, right) => FIRST.indexOf(left.unit) - FIRST.indexOf(right.unit))[0];
}

function BandHead({ band, before }: { band: Band; before?: Band }) {
  const t = useTranslations("protocols.band");
  const name = nameOf(band);
  if (!name) return null;
  const isFirst = before?.after !== band.after;
  const anchor = band.after === "admission" ? t("afterAdmission") : t("afterDischarge");
  const kind = name.unit === "hours" ? t("clock") : "";
  return (
    <div className={styles.bandHead} data-is-anchor={isFirst && Boolean(before)}>
      <strong>{t(name.unit, { count: name.count })}</strong>
      <span>{isFirst ? anchor : kind}</span>
    </div>
  );
}

function LaneRow({ lane, bands, ...picking }: { lane: Lane; bands: Band[] } & Picking) {
  const { role } = useWords();
  const rows = { gridTemplateRows: `repeat(${lane.rows}, auto)` };
  return (
    <section className={styles.lane} style={rows} aria-label={role(lane.role)}>
      <h2 className={styles.laneName}>{role(lane.role)}</h2>
      {bands.map((band, at) => (
        <span
          key={`${band.after} ${band.to}`}
          className={styles.band}
          data-is-anchor={at > 0 && bands[at - 1]?.after !== band.after}
          style={{ gridColumn: at + 2, gridRow: `1 / ${lane.rows + 1}` }}
        />
      ))}
      {lane.placed.map((placed) => (
        <PlacedStep key={placed.step.key} placed={placed} {...picking} />
      ))}
    </section>
  );
}

function PlacedStep({ placed, picked, pick, trying }: { placed: Placed } & Picking) {
  const { step, boxes, marksFrom, row } = placed;
  const gridRow = row + 1;
  const dateOf = useDates(trying);
  return (
    <>
      {boxes.map((box) => (
        <div
          key={box.to}
          className={styles.place}
          style={{ gridRow, gridColumn: `${box.from + 2} / ${box.to + 3}` }}
        >
          <StepBox
            box={box}
            isPicked={step.key === picked}
            pick={() => pick(step.key)}
            date={dateOf(box)}
          />
          {marksFrom < 0 && box === boxes.at(-1) && <Marks placed={placed} />}
        </div>
      ))}
      {marksFrom >= 0 && (
        <div className={styles.place} style={{ gridRow, gridColumn: `${marksFrom + 2} / span 2` }}>
          <Marks placed={placed} />
        </div>
      )}
    </>
  );
}

/** The date of a box in the dry run, where the step is open in it and this is the deadline that counts. */
function useDates({ run, facilityId, isStale }: Trying) {
  const when = useWhen();
  const zone = useZone(facilityId);
  return ({ step, deadline }: Box): string => {
    const tried = run?.tasks.find(({ task }) => task.step === step.key)?.task;
    if (isStale || !tried?.dueTime || tried.state === "STATE_CANCELLED") return "";
    const isThis = countIn(tried.dueExplanation) === deadline.count;
    return isThis ? when.moment(new Date(tried.dueTime), zone) : "";
  };
}

interface StepBoxProps {
  box: Box;
  isPicked: boolean;
  pick: () => void;
  date: string;
}

function StepBox({ box, isPicked, pick, date }: StepBoxProps) {
  const { inBox } = useWords();
  return (
    <button
      type="button"
      className={styles.box}
      data-is-else={box.isElse}
      aria-pressed={isPicked}
      onClick={pick}
    >
      {!box.isElse && <strong>{box.step.title}</strong>}
      <span>{inBox(box)}</span>
      {date && <span className={styles.date}>{date}</span>}
    </button>
  );
}

function Marks({ placed }: { placed: Placed }) {
  const { rung } = useWords();
  const rungs = marksOf(placed.step);
  return (
    <ul className={styles.marks}>
      {rungs.map((one) => {
        const isLate = one.hoursLate !== undefined || one.at === 100;
        const Icon = isLate ? IconArrowBigUpLinesFilled : IconArrowBigUpLines;
        return (
          <li key={`${one.at} ${one.hoursLate} ${one.notify}`}>
            <Icon size={13} stroke={1.9} aria-hidden="true" />
            <span>{rung(one)}</span>
          </li>
        );
      })}
    </ul>
  );
}
