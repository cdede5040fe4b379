/** One medicine: as before, as after, what differs, and the four choices. */
import { Button, VisuallyHidden } from "@mantine/core";
import { IconArrowRight, IconCheck, IconHelpCircle, IconPlus, IconX } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import type { Reconciliation } from "@/api/client";
import { useWhen, useZone } from "@/ui/when";
import styles from "./careplans.module.css";
import type { Line } from "./hooks";
import { CHOICES, type Choice, nameOfLine } from "./lines";
import { useRoleWords } from "./roles";

interface Props {
  line: Line;
  found: Reconciliation;
  isChosen: boolean;
  choose: () => void;
  decide: ((decision: Choice) => void) | undefined;
  answer: (() => void) | undefined;
}

export function LineRow({ line, found, isChosen, choose, decide, answer }: Props) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isChosen) row.current?.scrollIntoView?.({ block: "nearest" });
  }, [isChosen]);
  return (
    <div ref={row} className={styles.line} data-is-chosen={isChosen}>
      <Side medicine={line.before} differing={line.differing} />
      <Between line={line} />
      <Side medicine={line.after} differing={line.differing} />
      <Choices line={line} choose={choose} decide={decide} />
      <Asked line={line} found={found} answer={answer} />
    </div>
  );
}

function Between({ line: { before, after } }: { line: Line }) {
  const Sign = before && after ? IconArrowRight : after ? IconPlus : IconX;
  return <Sign size={16} stroke={1.9} className={styles.between} aria-hidden="true" />;
}

function Side({ medicine, differing }: { medicine: Line["before"]; differing: string[] }) {
  const t = useTranslations("careplans.medicines");
  if (!medicine) return <p className={styles.absent}>— {t("absent")}</p>;
  return (
    <div className={styles.medicine}>
      <p className={styles.name}>
        <Part text={medicine.name} differs={differing.includes("name")} />
      </p>
      <p>
        <Part text={medicine.dose} differs={differing.includes("dose")} />{" "}
        <Part text={medicine.frequency} differs={differing.includes("frequency")} />
      </p>
    </div>
  );
}

/** What differs is underlined and tinted, and said to people who listen. */
function Part({ text, differs }: { text: string; differs: boolean }) {
  const t = useTranslations("careplans.medicines");
  if (!differs) return <bdi>{text}</bdi>;
  return (
    <mark className={styles.differs}>
      <bdi>{text || "?"}</bdi>
      <VisuallyHidden> ({t("differs")})</VisuallyHidden>
    </mark>
  );
}

function Choices({ line, choose, decide }: Pick<Props, "line" | "choose" | "decide">) {
  const t = useTranslations("careplans.medicines");
  return (
    <div
      role="group"
      className={styles.choices}
      aria-label={t("choose", { name: nameOfLine(line) })}
    >
      {CHOICES.map((choice, index) => (
        <button
          key={choice}
          type="button"
          aria-pressed={line.decision === choice}
          aria-keyshortcuts={String(index + 1)}
          disabled={!decide}
          onFocus={choose}
          onClick={() => decide?.(choice)}
        >
          {line.decision === choice && <Chosen choice={choice} />}
          {t(`choices.${choice}`)}
        </button>
      ))}
    </div>
  );
}

function Chosen({ choice }: { choice: Choice }) {
  const Sign = choice === "DECISION_ASK" ? IconHelpCircle : IconCheck;
  return <Sign size={14} stroke={2.2} aria-hidden="true" />;
}

function Asked({ line, found, answer }: Pick<Props, "line" | "found" | "answer">) {
  const t = useTranslations("careplans.medicines");
  const when = useWhen();
  const zone = useZone(found.facilityId);
  const roleOf = useRoleWords();
  if (line.decision !== "DECISION_ASK") return null;
  const decision = CHOICES.find((choice) => choice === line.answerDecision);
  const day = when.moment(new Date(line.askDueTime ?? ""), zone);
  return (
    <p className={styles.asked}>
      <IconHelpCircle size={16} stroke={1.9} aria-hidden="true" />
      <span>
        {decision
          ? t("answered", { decision: t(`choices.${decision}`), answer: line.answer })
          : t("asked", { role: roleOf(line.askRole), day, note: line.note })}
      </span>
      {!decision && answer && (
        <Button variant="subtle" size="compact-xs" onClick={answer}>
          {t("answer")}
        </Button>
      )}
    </p>
  );
}
