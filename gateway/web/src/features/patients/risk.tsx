/** How likely the patient is back in hospital within thirty days: the scores of the newest stay, open to their terms. */
import { IconGauge } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { api, type Filled, read } from "@/api/client";
import { useMay } from "@/api/queries";
import type { components } from "@/api/schema.gen";
import { useLiveMs } from "@/ui/live";
import styles from "./storyboard.module.css";

type Score = Filled<components["schemas"]["analytics.RiskScore"]>;
type Term = Score["terms"][number];

const TERMS = [
  "length_of_stay",
  "acute_admission",
  "urgent_admission",
  "comorbidity",
  "emergency_visits",
  "earlier_admissions",
  "hemoglobin",
  "oncology_service",
  "sodium",
  "procedure",
] as const;

function useRisks(patientId: string, enabled: boolean) {
  return useQuery({
    queryKey: ["risks", patientId],
    queryFn: async ({ signal }) => {
      const query = { patientId, pageSize: 10 };
      return (await read(api.GET("/v1/risks", { params: { query }, signal }))).risks as Score[];
    },
    refetchInterval: useLiveMs(),
    enabled,
  });
}

export function Risk({ patientId }: { patientId: string }) {
  const t = useTranslations("measures.risk");
  const { data } = useRisks(patientId, useMay("risks.read"));
  const [newest] = data ?? [];
  if (!newest) return null;
  const scores = (data ?? [])
    .filter(({ encounterId }) => encounterId === newest.encounterId)
    .sort((a, b) => b.instrument.localeCompare(a.instrument));
  return (
    <div className={`${styles.fact} ${styles.wide}`}>
      <p className={styles.factLabel}>
        <IconGauge size={14} stroke={1.9} aria-hidden="true" /> {t("label")}
      </p>
      {scores.map((score) => (
        <One key={score.id} score={score} />
      ))}
    </div>
  );
}

function One({ score }: { score: Score }) {
  const t = useTranslations("measures.risk");
  const missing = score.terms.filter(({ isMissing }) => isMissing).length;
  return (
    <details className={styles.risk}>
      <summary>
        {t("score", { instrument: score.instrument, score: score.score, band: t(score.band) })}
        {missing > 0 && <span className={styles.small}> {t("partial", { count: missing })}</span>}
      </summary>
      <div className={styles.terms}>
        <ul>
          {score.terms.map((term) => (
            <li key={term.key}>
              <TermWords term={term} />
            </li>
          ))}
        </ul>
        <p className={styles.small}>{t("sum", { score: score.score, variant: score.variant })}</p>
      </div>
    </details>
  );
}

function TermWords({ term: { key, finding, points, isMissing } }: { term: Term }) {
  const t = useTranslations("measures.risk");
  const known = TERMS.find((one) => one === key);
  const label = known ? t(`terms.${known}`) : key;
  if (isMissing) return t("missing", { label });
  return t.rich("term", { label, points, finding, b: (chunks) => <bdi lang="en">{chunks}</bdi> });
}
