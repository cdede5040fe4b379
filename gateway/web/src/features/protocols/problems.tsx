/** What is wrong with a text, each with its line. */
import { useTranslations } from "use-intl";
import type { DryRun } from "./dry-run";
import styles from "./editor.module.css";

interface Props {
  problems: DryRun["problems"];
  goTo: (line: number) => void;
}

export function Problems({ problems, goTo }: Props) {
  const t = useTranslations("protocols.text");
  return (
    <div className={styles.checked}>
      <h2>{t("problems", { count: problems.length })}</h2>
      <ul className={styles.problems}>
        {problems.map(({ path, line, problem, help }) => (
          <li key={`${path} ${problem}`}>
            <button type="button" onClick={() => goTo(line)} disabled={line === 0}>
              <strong>{t("line", { line })}</strong> <bdi>{path}</bdi>
            </button>
            <p lang="en">
              <strong>{problem}</strong>. {help}
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}
