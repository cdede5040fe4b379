/** The minutes that people worked for the patient: who, what, how long; and what of them counts, by month. */
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ClaimCandidate, TimeEntry } from "@/api/client";
import { useMay } from "@/api/queries";
import { useNames } from "@/features/careplans/names";
import { word } from "@/ui/moments";
import { Cut, Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import styles from "./claims.module.css";
import { type TimeTotal, useTime } from "./hooks";
import { minutesOf, standingEntries } from "./words";

const FIRST = 10;

export function Minutes({ of }: { of: ClaimCandidate }) {
  const t = useTranslations("claims.minutes");
  const maySee = useMay("tasks.read");
  return maySee ? (
    <section aria-labelledby="minutes" className={styles.part}>
      <h3 id="minutes">{t("title")}</h3>
      <Of of={of} />
    </section>
  ) : null;
}

function Of({ of }: { of: ClaimCandidate }) {
  const t = useTranslations("claims.minutes");
  const time = useTime(of.patientId);
  const [isAll, showAll] = useState(false);
  return (
    <Loaded query={time} title={t("failed")} shape="card">
      {({ entries, isCut, totals }) => {
        const standing = standingEntries(entries);
        const shown = isAll ? standing : standing.slice(0, FIRST);
        if (standing.length === 0) return <p className={styles.small}>{t("none")}</p>;
        return (
          <>
            <Totals totals={totals} />
            {isCut && <Cut />}
            <ul className={styles.entries}>
              {shown.map((each) => (
                <Entry key={each.id} of={each} />
              ))}
            </ul>
            {standing.length > shown.length && (
              <button type="button" className={styles.linkButton} onClick={() => showAll(true)}>
                {t("more", { count: standing.length - shown.length })}
              </button>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

/** A month as "2026-09". */
function useMonthWords(): (month: string) => string {
  const t = useTranslations("claims");
  const locale = useLocale();
  return (text) => {
    const [year = 0, month = 1] = text.split("-").map(Number);
    const name = word(locale, { year, month, day: 1 }, "month");
    return t("month", { month: name, year: String(year) });
  };
}

function Totals({ totals }: { totals: TimeTotal[] }) {
  const t = useTranslations("claims.minutes");
  const monthOf = useMonthWords();
  if (totals.length === 0) return <p className={styles.small}>{t("nothingCounts")}</p>;
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t("month")}</th>
            <th scope="col">{t("program")}</th>
            <th scope="col">{t("whose")}</th>
            <th scope="col" data-is-number>
              {t("minutes")}
            </th>
          </tr>
        </thead>
        <tbody>
          {totals.map(({ month, program, roleClass, minutes, codes }) => (
            <tr key={`${month} ${program} ${roleClass}`}>
              <td>{monthOf(month)}</td>
              <td>
                {t(`programs.${program as "tcm"}`)}
                {codes.length > 0 && (
                  <span className={styles.line}>{t("enough", { codes: codes.join(", ") })}</span>
                )}
              </td>
              <td>{t(`classes.${roleClass as "admin"}`)}</td>
              <td data-is-number>{minutes}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {totals.some(({ codes }) => codes.length > 0) && (
        <p className={styles.small}>{t("enoughText")}</p>
      )}
    </>
  );
}

function Entry({ of }: { of: TimeEntry }) {
  const t = useTranslations("claims.minutes");
  const when = useWhen();
  const zone = useZone(of.facilityId);
  const names = useNames();
  return (
    <li>
      <span>
        {t("entry", { minutes: minutesOf(of), what: t(`activities.${of.activity as "call"}`) })}
      </span>
      <span className={styles.small}>
        {t("by", {
          when: when.moment(new Date(of.startTime ?? 0), zone),
          who: names(of.staffId),
          met: of.isFaceToFace ? "yes" : "no",
        })}
      </span>
    </li>
  );
}
