/** The results of one panel, a line for each: value, unit, what is usual, and in words how it stands out. */
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Observation } from "@/api/client";
import { isCritical, isTakenBack, standingOf } from "./results";
import styles from "./timeline.module.css";

const ORDINARY = "STATE_FINAL";

export function ResultLines({ observations }: { observations: readonly Observation[] }) {
  return observations.map((each) => <ResultLine key={each.id} observation={each} />);
}

function ResultLine({ observation }: { observation: Observation }) {
  const t = useTranslations("patients.results");
  const { name, value, unit, referenceRange, note, state } = observation;
  const standing = standingOf(observation);
  const said = isTakenBack(observation)
    ? []
    : [
        standing && t(`standing.${standing}`),
        referenceRange && t("usual", { range: referenceRange }),
        note && t("note", { note }),
      ];
  const words = [...said, state === ORDINARY ? "" : t(`states.${state}`)].filter(Boolean);
  const shown = isTakenBack(observation) ? "" : [value, unit].filter(Boolean).join(" ");
  return (
    <span className={styles.result} data-is-critical={isCritical(observation)}>
      {isCritical(observation) && (
        <IconAlertTriangleFilled size={14} className={styles.alarm} aria-hidden="true" />
      )}
      <bdi>{shown ? t("value", { name, value: shown }) : name}</bdi>
      {words.length > 0 && <span> · {words.join(" · ")}</span>}
    </span>
  );
}
