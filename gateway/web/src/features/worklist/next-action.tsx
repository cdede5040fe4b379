/** The blue box: what to do now, the number to call, what to know first, and what happened. */
import { Button, Menu, Textarea } from "@mantine/core";
import { IconChevronDown, IconPhone } from "@tabler/icons-react";
import { useRef } from "react";
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { useMe } from "@/api/queries";
import { phoneWords } from "@/features/patients/person";
import { Cap, useKeys } from "@/ui/keys";
import { type Doing, useRefusalWords } from "./doing";
import { useDraft } from "./drafts";
import { KnowFirst } from "./know-first";
import { isCall, isContact, type Outcome, outcomesOf, wordsFor } from "./outcomes";
import styles from "./pane.module.css";

export function useOutcomeWords(): (task: Task, outcome: Outcome) => string {
  const t = useTranslations("worklist.outcomes");
  return (task, outcome) => {
    const names = wordsFor(task, outcome);
    const known = names.find((name) => t.has(name as Parameters<typeof t>[0]));
    return known ? t(known as Parameters<typeof t>[0]) : (names.at(-1) ?? "").replaceAll("_", " ");
  };
}

interface NextProps {
  task: Task;
  phone: string;
  /** All tasks of the loop. */
  loop: Task[];
  doing: Doing;
}

export function NextAction({ task, phone, loop, doing }: NextProps) {
  const t = useTranslations("worklist");
  const isOpen = task.state === "STATE_OPEN";
  return (
    <section className={styles.next} data-is-open={isOpen}>
      <p className={styles.nextLabel}>{t("next")}</p>
      <h3 className={styles.nextTitle} lang="en">
        {task.title}
      </h3>
      {task.description && (
        <p className={styles.how} lang="en">
          {task.description}
        </p>
      )}
      {isCall(task) && <Phone phone={phone} />}
      {task.declineReason && (
        <p className={styles.how}>
          {t.rich("declinedBefore", { reason: task.declineReason, b: bold })}
        </p>
      )}
      {isOpen && <WhoHasIt owner={task.owner} />}
      <KnowFirst tasks={loop.length ? loop : [task]} />
      {isOpen && <Happened task={task} doing={doing} />}
    </section>
  );
}

/** Whose it is, if somebody else has taken it: before their work is done twice. */
function WhoHasIt({ owner }: { owner: Task["owner"] }) {
  const t = useTranslations("worklist");
  const me = useMe().staffMember.id;
  if (!owner?.staffId || owner.staffId === me) return null;
  return <p className={styles.how}>{t.rich("hasIt", { who: owner.displayName, b: bold })}</p>;
}

const bold = (chunks: React.ReactNode) => <b>{chunks}</b>;

function Phone({ phone }: { phone: string }) {
  const t = useTranslations("worklist");
  if (!phone) return <p className={styles.how}>{t("noPhone")}</p>;
  const shown = phoneWords(phone);
  return (
    <Button
      component="a"
      href={`tel:${phone}`}
      size="md"
      className={styles.phone}
      leftSection={<IconPhone size={18} stroke={1.9} />}
      aria-label={t("call", { phone: shown })}
    >
      <bdi>{shown}</bdi>
    </Button>
  );
}

function Happened({ task, doing }: { task: Task; doing: Doing }) {
  const t = useTranslations("worklist");
  const words = useOutcomeWords();
  const [note, write] = useDraft(task.id, "note");
  const others = useRef<HTMLButtonElement>(null);
  const { main, others: rest } = outcomesOf(task);
  const say = (outcome: Outcome) => doing.say(task, outcome, words(task, outcome), note);
  const isOff = !doing.may(task) || doing.isWaiting(task);
  const keys = main.map((outcome, index) => [String(index + 1), () => say(outcome)] as const);
  const last =
    rest.length > 0 && ([String(main.length + 1), () => others.current?.click()] as const);
  useKeys(isOff ? {} : Object.fromEntries(last ? [...keys, last] : keys));
  return (
    <>
      <p className={styles.happened} id="what-happened">
        {t("happened")}
      </p>
      <div className={styles.outcomes}>
        {main.map((outcome, index) => (
          <Button
            key={words(task, outcome)}
            variant="default"
            size="xs"
            fz="md"
            disabled={isOff}
            aria-keyshortcuts={String(index + 1)}
            rightSection={<Cap>{index + 1}</Cap>}
            onClick={() => say(outcome)}
          >
            {words(task, outcome)}
          </Button>
        ))}
        {rest.length > 0 && (
          <Menu position="bottom-end" shadow="md" keepMounted={false}>
            <Menu.Target>
              <Button
                ref={others}
                variant="default"
                size="xs"
                fz="md"
                disabled={isOff}
                aria-keyshortcuts={String(main.length + 1)}
                rightSection={<IconChevronDown size={16} stroke={1.9} />}
              >
                {t("otherEnding")}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {rest.map((outcome) => (
                <Menu.Item key={words(task, outcome)} onClick={() => say(outcome)}>
                  {words(task, outcome)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      <Textarea
        label={t("note")}
        value={note}
        onChange={(event) => write(event.currentTarget.value)}
        disabled={isOff}
        maxLength={2000}
        rows={2}
        className={styles.note}
      />
      <p className={styles.does}>
        <WillDo task={task} main={main} />
      </p>
      <NotSaved task={task} doing={doing} />
    </>
  );
}

/** What pressing will do, before it is pressed. */
function WillDo({ task, main }: { task: Task; main: Outcome[] }) {
  const t = useTranslations("worklist");
  const words = useOutcomeWords();
  const first = main[0] ? words(task, main[0]) : "";
  if (isContact(task)) {
    const attempt = task.attempts.length + 1;
    return t.rich("does.contact", { reached: first, attempt, b: bold });
  }
  return main.length === 1 ? t.rich("does.one", { first, b: bold }) : t("does.many");
}

/** An error stays at the thing that failed. */
function NotSaved({ task, doing }: { task: Task; doing: Doing }) {
  const t = useTranslations("worklist.errors");
  const refusal = useRefusalWords();
  const failure = doing.failureOf(task);
  if (!failure) return null;
  return (
    <div role="alert" className={styles.notSaved}>
      <b>{t("title")}</b>
      <p>{refusal(failure)}</p>
      <Button variant="default" size="compact-sm" onClick={() => doing.forgive(task)}>
        {t("close")}
      </Button>
    </div>
  );
}
