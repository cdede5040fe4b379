/** Paste a message: what each segment says, what is wrong with it, and what CareHub would do. Nothing is stored. */
import { Button, NativeSelect, Textarea, VisuallyHidden } from "@mantine/core";
import { IconAlertTriangleFilled, IconCheck, IconCopy, IconInfoCircle } from "@tabler/icons-react";
import type { KeyboardEvent, ReactNode } from "react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Feed } from "@/api/client";
import { Cap } from "@/ui/keys";
import { Card } from "@/ui/page";
import { useToasts } from "@/ui/toasts";
import { isSetAside, stateKey } from "./accounts";
import { examples } from "./examples";
import { useTry } from "./hooks";
import styles from "./try.module.css";
import { Problem, useProblem } from "./words";

export interface Draft {
  text: string;
  feedId: string;
}

interface Props {
  feeds: Feed[];
  draft: Draft;
  write: (draft: Draft) => void;
}

export function TryMessage({ feeds, draft, write }: Props) {
  const t = useTranslations("feeds.try");
  const asked = useTry();
  const problem = useProblem();
  const [isEmpty, setEmpty] = useState(false);
  const explain = () => {
    setEmpty(!draft.text.trim());
    if (draft.text.trim()) asked.mutate({ message: draft.text, feedId: draft.feedId });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) explain();
  };
  const { text, feedId } = draft;
  const isStale = asked.variables?.message !== text || asked.variables.feedId !== feedId;
  return (
    <Card className={styles.try}>
      <section aria-labelledby="try">
        <header className={styles.cardHead}>
          <h2 id="try">{t("title")}</h2>
          <span className={styles.tag}>{t("nothing")}</span>
        </header>
        <div className={styles.tryForm}>
          <Textarea
            label={t("label")}
            description={t("hint")}
            rows={7}
            value={text}
            onChange={(event) => write({ ...draft, text: event.currentTarget.value })}
            onKeyDown={onKey}
            error={isEmpty && !text.trim() && t("empty")}
            spellCheck={false}
            autoComplete="off"
            dir="ltr"
            wrap="off"
            classNames={{ input: styles.paste }}
          />
          <div className={styles.tryOptions}>
            <NativeSelect
              size="xs"
              label={t("as")}
              value={feedId}
              onChange={(event) => write({ ...draft, feedId: event.currentTarget.value })}
              data={[
                { value: "", label: t("asFound") },
                ...feeds.map(({ id, name }) => ({ value: id, label: name })),
              ]}
            />
            <Examples
              feeds={feeds}
              feedId={feedId}
              choose={(found) => write({ ...draft, text: found })}
            />
          </div>
          <Button onClick={explain} loading={asked.isPending} aria-keyshortcuts="Control+Enter">
            {t("explain")}&ensp;<Cap>Ctrl</Cap>&thinsp;<Cap>Enter</Cap>
          </Button>
          {asked.error && <Problem>{t("failed", { reason: problem(asked.error) })}</Problem>}
        </div>
        {asked.data && (
          <>
            {isStale && <p className={styles.stale}>{t("stale")}</p>}
            <Explanation answer={asked.data} feeds={feeds} />
          </>
        )}
      </section>
    </Card>
  );
}

function Examples(props: { feeds: Feed[]; feedId: string; choose: (text: string) => void }) {
  const { feeds, feedId, choose } = props;
  const t = useTranslations("feeds.try");
  const feed = feeds.find(({ id }) => id === feedId) ?? feeds[0];
  const found = examples(feed?.sendingFacility ?? "MERCY");
  const keys = Object.keys(found) as (keyof typeof found)[];
  return (
    <NativeSelect
      size="xs"
      label={t("example")}
      value=""
      onChange={(event) => choose(found[event.currentTarget.value as keyof typeof found] ?? "")}
      data={[
        { value: "", label: "–" },
        ...keys.map((value) => ({ value, label: t(`examples.${value}`) })),
      ]}
    />
  );
}

type Answer = NonNullable<ReturnType<typeof useTry>["data"]>;

function Explanation({ answer, feeds }: { answer: Answer; feeds: Feed[] }) {
  const t = useTranslations("feeds.try");
  const { say } = useToasts();
  const feed = feeds.find(({ id }) => id === answer.feedId);
  const copy = async () => {
    const lines = answer.segments.flatMap(({ segment, readings, problems }) =>
      [...problems.map((each) => `! ${each}`), ...readings].map((each) => `${segment}: ${each}`),
    );
    await navigator.clipboard.writeText([...lines, "", ...answer.effects].join("\n"));
    say({ text: t("copied") });
  };
  return (
    <div aria-live="polite">
      <p className={styles.readAs}>{feed ? t("readAs", { feed: feed.name }) : t("noFeed")}</p>
      <VisuallyHidden component="h3">{t("segments")}</VisuallyHidden>
      <ul className={styles.segments} lang="en">
        {answer.segments.map((one) => (
          <Segment key={`${one.line} ${one.segment}`} segment={one} />
        ))}
      </ul>
      <Would answer={answer} />
      <footer className={styles.tryFoot}>
        <span>{t("same")}</span>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconCopy size={16} stroke={1.9} aria-hidden="true" />}
          onClick={() => void copy()}
        >
          {t("copy")}
        </Button>
      </footer>
    </div>
  );
}

function Segment({ segment }: { segment: Answer["segments"][number] }) {
  const t = useTranslations("feeds.try");
  const { problems, readings } = segment;
  const isUnread =
    problems.length === 0 && readings.length === 1 && /not read/.test(readings[0] ?? "");
  return (
    <li className={styles.segment} data-is-wrong={problems.length > 0}>
      <span className={styles.segmentName}>
        {segment.segment}
        {segment.line === 0 && <span className={styles.second}>{t("missing")}</span>}
      </span>
      <div>
        {problems.map((each) => (
          <p key={each} className={styles.wrong}>
            <IconAlertTriangleFilled size={16} aria-hidden="true" />
            <strong>{each}</strong>
          </p>
        ))}
        {readings.length > 0 && (
          <p className={styles.reading}>
            {problems.length === 0 &&
              (isUnread ? (
                <IconInfoCircle size={16} stroke={1.9} aria-hidden="true" />
              ) : (
                <IconCheck size={16} stroke={1.9} aria-hidden="true" />
              ))}
            <span>
              {readings.map((each) => (
                <bdi key={each}>{each}</bdi>
              ))}
            </span>
          </p>
        )}
      </div>
    </li>
  );
}

function Would({ answer }: { answer: Answer }) {
  const t = useTranslations("feeds");
  const b = (chunks: ReactNode) => <strong>{chunks}</strong>;
  const key = stateKey(answer.state);
  const isWrong = !key || isSetAside(key);
  return (
    <div className={styles.would}>
      <h3>{t("try.would")}</h3>
      <ol>
        <li>
          {t.rich("try.answer", { code: answer.code, b })}
          {key && (
            <>
              {" · "}
              <strong data-is-wrong={isWrong}>{t(`states.${key}`)}</strong>
            </>
          )}
        </li>
        {answer.effects.map((effect) => (
          <li key={effect} lang="en">
            {effect.charAt(0).toUpperCase() + effect.slice(1)}
          </li>
        ))}
      </ol>
    </div>
  );
}
