/** A row of choices of which one holds. */
import styles from "./chips.module.css";

interface ChipsProps<K extends string> {
  label: string;
  options: readonly { key: K; label: string }[];
  chosen: K;
  choose: (key: K) => void;
}

export function Chips<K extends string>({ label, options, chosen, choose }: ChipsProps<K>) {
  return (
    <div className={styles.chips} role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.key}
          type="button"
          aria-pressed={option.key === chosen}
          onClick={() => choose(option.key)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
