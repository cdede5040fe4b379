/** One record: emergencies first, then who has looked, day by day. */
import { useCallback, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import {
  byDay,
  type Emergency,
  emergenciesOf,
  type Look,
  type LooksPage,
  looksAt,
  type Own,
} from "./data";
import styles from "./own.module.css";
import { Instead, useAsked, Waiting } from "./page";

/** As people speak. */
const CLOCK = { hour: "numeric", minute: "2-digit", hour12: true } as const;
const DAY = { weekday: "long", day: "numeric", month: "long" } as const;

export function Record({ record }: { record: Own }) {
  const t = useTranslations("own");
  const isMine = record.relation === "RELATION_SELF";
  return (
    <>
      <h1>{isMine ? t("title") : t("titleOf", { name: record.name })}</h1>
      {record.showsLooks ? (
        <Shown record={record} isMine={isMine} />
      ) : (
        <p className={styles.card}>{t("notShown")}</p>
      )}
    </>
  );
}

function Shown({ record, isMine }: { record: Own; isMine: boolean }) {
  const t = useTranslations("own");
  const ask = useCallback(
    () => Promise.all([emergenciesOf(record), looksAt(record, "")]),
    [record],
  );
  const [answer, failed, again] = useAsked(ask);
  if (failed !== undefined) return <Instead status={failed} again={again} />;
  if (!answer) return <Waiting />;
  const [{ emergencies, hasMore }, first] = answer;
  return (
    <>
      <p>{isMine ? t("about") : t("aboutOf", { name: record.name })}</p>
      <section aria-labelledby="emergencies">
        <h2 id="emergencies">{t("emergencies.title")}</h2>
        {emergencies.length === 0 ? (
          <p className={styles.quiet}>{t("emergencies.none")}</p>
        ) : (
          <Emergencies emergencies={emergencies} />
        )}
        {hasMore && (
          <p className={styles.missing} role="status">
            {t("emergencies.before")}
          </p>
        )}
      </section>
      <Looks record={record} first={first} />
    </>
  );
}

function Emergencies({ emergencies }: { emergencies: Emergency[] }) {
  const t = useTranslations("own.emergencies");
  const format = useFormatter();
  return (
    <>
      <p className={styles.quiet}>{t("about")}</p>
      <ul className={styles.list}>
        {emergencies.map((one) => {
          const opened = new Date(one.openTime ?? "");
          const until = new Date(one.endTime ?? "");
          const finding = one.finding as "FINDING_JUSTIFIED";
          return (
            <li key={one.id} className={`${styles.card} ${styles.emergency}`}>
              <p className={styles.who}>
                {t("who", { who: one.personName, place: one.facilityName })}
              </p>
              <p>
                {t("when", {
                  day: format.dateTime(opened, DAY),
                  from: format.dateTime(opened, CLOCK),
                  until: format.dateTime(until, CLOCK),
                })}
              </p>
              <p>{t(`reasons.${one.reason as "REASON_OTHER"}`)}</p>
              {one.isPart2Emergency && <p>{t("part2")}</p>}
              <p className={finding === "FINDING_JUSTIFIED" ? styles.right : styles.who}>
                {t(`findings.${finding}`)}
              </p>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Looks({ record, first }: { record: Own; first: LooksPage }) {
  const t = useTranslations("own.looks");
  const format = useFormatter();
  const [pages, add] = useState([first]);
  const [isAsking, asking] = useState(false);
  const days = byDay(pages.flatMap(({ looks }) => looks));
  const next = pages.at(-1)?.nextPageToken;
  const isMissing = pages.some(({ unanswered }) => unanswered.length > 0);
  async function more() {
    asking(true);
    const page = await looksAt(record, next ?? "").catch(() => undefined);
    asking(false);
    if (page) add([...pages, page]);
  }
  return (
    <section aria-labelledby="looks">
      <h2 id="looks">{t("title")}</h2>
      {isMissing && (
        <p className={styles.missing} role="status">
          {t("missing")}
        </p>
      )}
      {days.length === 0 && <p className={styles.quiet}>{t("none")}</p>}
      {days.map(([day, looks]) => (
        <section key={day} aria-labelledby={`day-${day}`} className={styles.day}>
          <h3 id={`day-${day}`}>{format.dateTime(new Date(`${day}T12:00`), DAY)}</h3>
          <ul className={`${styles.list} ${styles.card}`}>
            {looks.map((look) => (
              <Line key={look.firstTime + look.personName} look={look} />
            ))}
          </ul>
        </section>
      ))}
      {next && (
        <button type="button" className={styles.do} disabled={isAsking} onClick={() => void more()}>
          {t("more")}
        </button>
      )}
    </section>
  );
}

function Line({ look }: { look: Look }) {
  const t = useTranslations("own.looks");
  const roles = useTranslations("own.roles");
  const format = useFormatter();
  const isEmergency = look.purposes.includes("EMERGENCY");
  const why = (isEmergency ? ["EMERGENCY"] : look.purposes).filter((each) =>
    t.has(`purposes.${each as "TREATMENT"}`),
  );
  const first = format.dateTime(new Date(look.firstTime), CLOCK);
  const last = format.dateTime(new Date(look.lastTime), CLOCK);
  const titles = look.roles.map((role) =>
    roles.has(role as "nurse") ? roles(role as "nurse") : role,
  );
  return (
    <li>
      <p className={styles.who}>
        <bdi>{look.isYou ? t("you") : look.personName || whoElse(look, t)}</bdi>
      </p>
      {titles.length > 0 && <p className={styles.quiet}>{format.list([...new Set(titles)])}</p>}
      {look.places.length > 0 && <p className={styles.quiet}>{format.list(look.places)}</p>}
      <p>{format.list(look.kinds.map((kind) => t(`kinds.${kind}`)))}</p>
      {why.length > 0 && (
        <p className={isEmergency ? styles.urgent : undefined}>
          {format.list(why.map((each) => t(`purposes.${each as "TREATMENT"}`)))}
        </p>
      )}
      <p className={styles.quiet}>
        {first === last ? t("time", { time: first }) : t("span", { first, last })}
      </p>
    </li>
  );
}

function whoElse(look: Look, t: ReturnType<typeof useTranslations<"own.looks">>): string {
  if (look.purposes.includes("PATIENT_REQUEST")) return t("patient");
  return look.purposes.includes("FAMILY_REQUEST") ? t("family") : t("unknown");
}
