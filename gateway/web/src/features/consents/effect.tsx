/** What a consent would change, for whom: to be read before it is signed, or withdrawn. */
import { IconArrowsLeftRight, IconInfoCircle, IconLock, IconLockOpen } from "@tabler/icons-react";
import { useId } from "react";
import { useFormatter, useTranslations } from "use-intl";
import styles from "./consents.module.css";
import { obstacleOf, told } from "./effects";
import type { Effect, Preview, Rows } from "./hooks";
import { type Means, namesOf, rowsOf } from "./words";

interface Props {
  preview: Preview;
  means: Means;
  /** What to think of it where it changes nothing. */
  ifNothing?: string;
}

export function EffectOf({ preview, means, ifNothing }: Props) {
  const t = useTranslations("consents.effect");
  const { changing, unchanged } = told(preview);
  return (
    <div className={styles.effects}>
      {changing.length === 0 && (
        <div className={styles.nothing}>
          <IconArrowsLeftRight size={18} stroke={1.9} aria-hidden="true" />
          <div>
            <p className={styles.sentence}>{t("nothing")}</p>
            {ifNothing && <p className={styles.small}>{ifNothing}</p>}
          </div>
        </div>
      )}
      {changing.map((effect) => (
        <ForOne key={effect.granteeId} effect={effect} means={means} />
      ))}
      {changing.length > 0 && unchanged.length > 0 && (
        <p className={styles.small}>{t("unchanged", { names: namesOf(unchanged, means) })}</p>
      )}
      {preview.remarks.length > 0 && <Remarks remarks={preview.remarks} />}
    </div>
  );
}

function ForOne({ effect, means }: { effect: Effect; means: Means }) {
  const t = useTranslations("consents.effect");
  const id = useId();
  const reasons = useReasons(effect.reasons);
  return (
    <section className={styles.effect} aria-labelledby={id}>
      <h3 id={id}>
        <bdi>{namesOf([effect.granteeId], means)}</bdi>
      </h3>
      <Change kind="opened" rows={effect.opened} means={means} />
      <Change kind="closed" rows={effect.closed} means={means} />
      {reasons && <p className={styles.small}>{t("why", { reasons })}</p>}
    </section>
  );
}

interface ChangeProps {
  kind: "opened" | "closed";
  rows: readonly Rows[];
  means: Means;
}

function Change({ kind, rows, means }: ChangeProps) {
  const t = useTranslations("consents.effect");
  if (rows.length === 0) return null;
  const Icon = kind === "opened" ? IconLockOpen : IconLock;
  return (
    <div className={styles.turn} data-kind={kind}>
      <p className={styles.verdict}>
        <Icon size={16} stroke={1.9} aria-hidden="true" /> {t(kind)}
      </p>
      <ul className={styles.rows}>
        {rows.map((each) => {
          const words = rowsOf(each, means);
          return <li key={words}>{words}</li>;
        })}
      </ul>
    </div>
  );
}

function useReasons(reasons: readonly string[]): string {
  const t = useTranslations("access.reasons");
  const format = useFormatter();
  return format.list(
    reasons.map((reason) => {
      const known = reason as "TREATED";
      return t.has(known) ? t(known) : reason;
    }),
  );
}

function Remarks({ remarks }: { remarks: readonly string[] }) {
  const t = useTranslations("consents.effect");
  const obstacles = useTranslations("access.lines.obstacle");
  return (
    <div className={styles.remarks}>
      <IconInfoCircle size={18} stroke={1.9} aria-hidden="true" />
      <div>
        <h3>{t("remarks")}</h3>
        <ul>
          {remarks.map((remark) => {
            const obstacle = obstacleOf(remark);
            return <li key={remark}>{obstacle ? obstacles(obstacle) : remark}</li>;
          })}
        </ul>
      </div>
    </div>
  );
}
