/** What a candidate stands on: the code or why not, every rule that was looked at, the contacts and visits, the minutes. */
import { VisuallyHidden } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ClaimCandidate } from "@/api/client";
import { useNames } from "@/features/careplans/names";
import { usePatientName } from "@/features/patients/hooks";
import { Detail, DetailHead } from "@/ui/list-and-detail";
import { Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import styles from "./claims.module.css";
import { Decision } from "./decision";
import { useCandidate } from "./hooks";
import { CodeWords, Holds } from "./list";
import { Minutes } from "./minutes";
import { findingOf, reasonsOf } from "./words";

export function Packet({ loopId, close }: { loopId: string; close: () => void }) {
  const t = useTranslations("claims.packet");
  const word = useTranslations("claims");
  const candidate = useCandidate(loopId);
  return (
    <Detail label={t("label")}>
      {!candidate.data && (
        <DetailHead close={close} closeLabel={word("close")}>
          {t("label")}
        </DetailHead>
      )}
      <Loaded query={candidate} title={t("failed")} shape="card">
        {(found) => (
          <>
            <Head of={found} close={close} />
            <Decision of={found} />
            <Rules of={found} />
            <Evidence of={found} />
            <Minutes of={found} />
            <Version of={found} />
          </>
        )}
      </Loaded>
    </Detail>
  );
}

function Version({ of }: { of: ClaimCandidate }) {
  const t = useTranslations("claims.packet");
  const when = useWhen();
  const zone = useZone(of.facilityId);
  const since = when.sentence(of.effectiveFrom, zone) || t("noRule");
  return <p className={styles.small}>{t("version", { version: of.rulesVersion, since })}</p>;
}

function Head({ of, close }: { of: ClaimCandidate; close: () => void }) {
  const t = useTranslations("claims");
  const name = usePatientName(of.patientId);
  const isKnown = of.code === "99496" || of.code === "99495";
  return (
    <>
      <DetailHead close={close} closeLabel={t("close")}>
        <Link to="/patients/$patientId" params={{ patientId: of.patientId }}>
          <bdi>{name}</bdi>
        </Link>
      </DetailHead>
      <CodeWords of={of} />
      {isKnown ? (
        <p>{t(`codes.${of.code as "99496"}`)}</p>
      ) : (
        <ul className={styles.reasons}>
          {reasonsOf(of).map((each) => (
            <li key={each}>{t(`reasons.${each}`)}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function Part({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className={styles.part}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  );
}

function Rules({ of }: { of: ClaimCandidate }) {
  const t = useTranslations("claims");
  if (of.trace.length === 0) return null;
  return (
    <Part id="rules" title={t("packet.rules")}>
      <ul className={styles.rules}>
        {of.trace.map(({ rule, finding, holds }) => {
          const { key, count } = findingOf(finding);
          const [name, found] = [`rules.${rule}`, `findings.${key}`] as [
            "rules.discharge_to",
            "findings.home",
          ];
          return (
            <li key={rule} data-holds={holds}>
              <Holds holds={holds} />
              <span>
                {t.has(name) ? t(name) : rule}
                <VisuallyHidden> {t(holds ? "packet.holds" : "packet.not")}</VisuallyHidden>{" "}
                <span className={styles.small}>
                  {t.has(found) ? t(found, { count } as never) : finding}
                </span>
              </span>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}

function Evidence({ of }: { of: ClaimCandidate }) {
  const t = useTranslations("claims");
  const when = useWhen();
  const zone = useZone(of.facilityId);
  const names = useNames();
  const shows = (sourceId: string, kind: string) => {
    const rule = of.trace.find((check) => check.sourceId === sourceId)?.rule;
    const named = `shows.${rule}` as "shows.visit_within_14_days";
    if (rule && t.has(named)) return t(named);
    const known = `kinds.${kind}` as "kinds.ENCOUNTER";
    return t.has(known) ? t(known) : kind;
  };
  return (
    <Part id="evidence" title={t("packet.evidence")}>
      {of.evidence.length === 0 && <p className={styles.small}>{t("packet.noEvidence")}</p>}
      <ul className={styles.entries}>
        {of.evidence.map(({ sourceId, kind, time, staffId }) => (
          <li key={`${sourceId} ${kind} ${time}`}>
            <span>{shows(sourceId, kind)}</span>
            <span className={styles.small}>
              {t("packet.by", {
                when: when.moment(new Date(time ?? 0), zone),
                who: staffId ? names(staffId) : t("packet.feed"),
              })}
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}
