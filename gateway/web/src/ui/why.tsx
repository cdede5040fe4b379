/** A number opened to its terms. */
import styles from "./why.module.css";

interface WhyProps {
  terms: readonly { label: string; points: number; shown: string }[];
}

export function WhyTerms({ terms }: WhyProps) {
  const most = Math.max(1, ...terms.map(({ points }) => Math.abs(points)));
  return (
    <dl className={styles.terms}>
      {terms.map(({ label, points, shown }) => (
        <div key={label} className={styles.term}>
          <dt>{label}</dt>
          <dd>
            <span className={styles.bar} aria-hidden="true">
              <span
                data-is-minus={points < 0}
                style={{ inlineSize: `${(Math.abs(points) / most) * 100}%` }}
              />
            </span>
            <b>{shown}</b>
          </dd>
        </div>
      ))}
    </dl>
  );
}
