/** The headline: stored = worked through + set aside + ignored + on the way, and the alarm when it is not. */
import { IconAlertTriangleFilled, IconCheck } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { Feed } from "@/api/client";
import { type StateKey, type Sum, sumOf } from "./accounts";
import styles from "./list.module.css";

export function SumLine({ feeds }: { feeds: Feed[] }) {
  const t = useTranslations("feeds.sum");
  const sum = sumOf(feeds);
  return (
    <section className={styles.sum} aria-label={t("label")}>
      <div className={styles.terms}>
        <Term word={t("stored")} count={sum.stored} />
        <Sign>=</Sign>
        <Term word={t("worked")} count={sum.worked} parts={["applied", "noOp"]} sum={sum} />
        <Sign>+</Sign>
        <Term
          word={t("setAside")}
          count={sum.setAside}
          parts={["quarantined", "parked"]}
          sum={sum}
          tone="soon"
        />
        <Sign>+</Sign>
        <Term word={t("ignored")} count={sum.ignored} parts={["ignored"]} sum={sum} />
        <Sign>+</Sign>
        <Term word={t("pending")} count={sum.pending} parts={["pending"]} sum={sum} />
        <Verdict missing={sum.missing} />
      </div>
    </section>
  );
}

function Verdict({ missing }: { missing: number }) {
  const t = useTranslations("feeds.sum");
  if (missing === 0) {
    return (
      <p className={styles.adds}>
        <IconCheck size={16} stroke={1.9} aria-hidden="true" /> {t("adds")}
      </p>
    );
  }
  return (
    <p className={styles.missing} role="alert">
      <IconAlertTriangleFilled size={16} aria-hidden="true" />
      <span>{t("missing", { count: missing })}</span>
    </p>
  );
}

function Sign({ children }: { children: ReactNode }) {
  return <span className={styles.sign}>{children}</span>;
}

interface TermProps {
  word: string;
  count: number;
  parts?: StateKey[];
  sum?: Sum;
  tone?: "soon";
}

function Term({ word, count, parts = [], sum, tone }: TermProps) {
  const t = useTranslations("feeds.sum.parts");
  const format = useFormatter();
  const [first] = parts;
  const number = format.number(count);
  const there = parts.filter((part) => sum && sum[part] > 0);
  return (
    <div className={styles.term}>
      <span className={styles.termWord}>{word}</span>
      <span className={styles.termCount} data-tone={count > 0 ? tone : undefined}>
        {first && count > 0 ? (
          <Link to="/feeds" search={{ state: there[0] ?? first }} aria-label={`${word}: ${number}`}>
            {number}
          </Link>
        ) : (
          number
        )}
      </span>
      {there.length > 1 && (
        <span className={styles.termParts}>
          {there.map((part) => (
            <Link key={part} to="/feeds" search={{ state: part }}>
              {t(part as "applied", { count: format.number(sum?.[part] ?? 0) })}
            </Link>
          ))}
        </span>
      )}
    </div>
  );
}
