/** One step, whole: who, by when, what counts, what never does, who hears of it. And what ends the loop. */
import { Button } from "@mantine/core";
import { IconArrowBackUp, IconArrowBigUpLinesFilled, IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Card } from "@/ui/page";
import { inOrder, rungOrder } from "./layout";
import { distinct, type Shape, type Step } from "./parse";
import styles from "./protocols.module.css";
import { useWords } from "./words";

export function StepCard({ step, openText }: { step: Step; openText: () => void }) {
  const t = useTranslations("protocols.step");
  const words = useWords();
  return (
    <Card className={styles.step}>
      <section aria-labelledby="step">
        <header className={styles.stepHead}>
          <h2 id="step">{step.title}</h2>
          {!step.isRequired && <span className={styles.tag}>{t("optional")}</span>}
          <Button variant="subtle" size="compact-sm" className={styles.end} onClick={openText}>
            {t("inText")}
          </Button>
        </header>
        {step.description && <p className={styles.second}>{step.description}</p>}
        <div className={styles.stepFacts}>
          <dl>
            <Fact word={t("who")}>{words.role(step.role)}</Fact>
            <Fact word={t("deadline")} lines={words.deadlines(step)} />
            {step.start && <Fact word={t("start")}>{words.start(step.start)}</Fact>}
            {step.when && <Fact word={t("only")}>{words.condition(step.when)}</Fact>}
            <Ladder step={step} />
            <Fact word={t("source")}>{step.source}</Fact>
          </dl>
          <dl>
            <Fact word={t("done")} lines={step.doneWhen} isStrong />
            <Fact word={t("also")} lines={step.alsoCounts} />
            <Fact word={t("never")} lines={step.neverCounts} />
            {step.shownBy && <Fact word={t("shown")}>{step.shownBy}</Fact>}
            {step.attempts && (
              <Fact word={t("attempts")}>
                {t("attemptsText", {
                  needed: step.attempts.needed,
                  hours: step.attempts.hoursApart,
                })}
              </Fact>
            )}
            <Fact
              word={t("outcomes")}
              lines={step.outcomes.map(({ title, completes }) =>
                completes ? title : t("goesOn", { title }),
              )}
            />
          </dl>
        </div>
      </section>
    </Card>
  );
}

function Ladder({ step }: { step: Step }) {
  const t = useTranslations("protocols.rung");
  const { longRung } = useWords();
  if (step.rungs.length === 0) return null;
  return (
    <div>
      <dt>{t("label")}</dt>
      <dd>
        {[...step.rungs].sort(rungOrder).map((rung) => (
          <p key={longRung(rung)} className={styles.rung}>
            <IconArrowBigUpLinesFilled size={14} aria-hidden="true" />
            <span>{longRung(rung)}</span>
          </p>
        ))}
      </dd>
    </div>
  );
}

interface FactProps {
  word: string;
  lines?: string[];
  isStrong?: boolean;
  children?: ReactNode;
}

function Fact({ word, lines, isStrong, children }: FactProps) {
  if (lines && lines.length === 0) return null;
  return (
    <div>
      <dt>{word}</dt>
      <dd data-is-strong={isStrong}>
        {children}
        {lines?.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </dd>
    </div>
  );
}

export function Endings({ shape }: { shape: Shape }) {
  const t = useTranslations("protocols.endings");
  const endings = distinct(shape.endings);
  if (endings.length === 0) return null;
  return (
    <section aria-labelledby="endings">
      <h2 id="endings" className={styles.endingsTitle}>
        {t("title")}
      </h2>
      <ul className={styles.endings}>
        {endings.map(({ kind, description, source }) => (
          <li key={description}>
            <strong>
              {kind === "cancels" ? (
                <IconArrowBackUp size={16} stroke={1.9} aria-hidden="true" />
              ) : (
                <IconCheck size={16} stroke={1.9} aria-hidden="true" />
              )}
              {t(kind)}
            </strong>
            <p>{description}</p>
            <p className={styles.small}>{source}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface OrderProps {
  shape: Shape;
  picked: string;
  pick: (key: string) => void;
}

/** The same as the picture, one after the other: for a phone, and for people who listen. */
export function InOrder({ shape, picked, pick }: OrderProps) {
  const t = useTranslations("protocols");
  const { deadlines, role } = useWords();
  return (
    <Card>
      <section aria-labelledby="order">
        <header className={styles.cardHead}>
          <h2 id="order">{t("order.title")}</h2>
          <span className={styles.tag}>{t("order.tag")}</span>
        </header>
        <ol>
          {inOrder(shape.steps).map((step) => (
            <li key={step.key}>
              <button
                type="button"
                className={styles.orderStep}
                aria-pressed={step.key === picked}
                onClick={() => pick(step.key)}
              >
                <span className={styles.orderTitle}>{step.title}</span>
                <span className={styles.small}>{role(step.role)}</span>
                {deadlines(step).map((words) => (
                  <span key={words} className={styles.orderWhen}>
                    {words}
                  </span>
                ))}
              </button>
            </li>
          ))}
        </ol>
      </section>
    </Card>
  );
}

/** What holds for all of it: how days count, which dates it shows, where its rules come from. */
export function Rules({ shape }: { shape: Shape }) {
  const t = useTranslations("protocols");
  const { deadline } = useWords();
  return (
    <Card>
      <div className={styles.note}>
        <h2>{t("order.counting")}</h2>
        <p>{t("order.countingText")}</p>
        <h2>{t("dates.title")}</h2>
        {shape.keyDates.map(({ key, title, deadline: ends }) => (
          <p key={key}>
            <strong>{title}</strong> {ends && deadline(ends)}
          </p>
        ))}
        <h2>{t("sources")}</h2>
        {shape.sources.map((source) => (
          <p key={source}>{source}</p>
        ))}
      </div>
    </Card>
  );
}
