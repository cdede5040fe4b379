/** The sign of the product. */
import styles from "./shell.module.css";

export function Mark() {
  return (
    <span className={styles.mark}>
      <svg width="22" height="22" viewBox="0 0 24 24" fill="none" aria-hidden="true">
        <circle
          cx="12"
          cy="12"
          r="9"
          stroke="var(--action)"
          strokeWidth="4"
          strokeDasharray="46 11"
          transform="rotate(-60 12 12)"
        />
        <circle cx="12" cy="12" r="3.4" fill="var(--action)" />
      </svg>
      CareHub
    </span>
  );
}
