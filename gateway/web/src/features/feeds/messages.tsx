/** The messages of one state, of one feed or of all: newest first, 50 at a time. */
import { Button, NativeSelect } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { Feed, FeedMessage } from "@/api/client";
import { useKeys } from "@/ui/keys";
import { Card } from "@/ui/page";
import { ShowMore } from "@/ui/show-more";
import { Empty, Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import { isSetAside, STATE_KEYS, type StateKey, stateKey, sumOf } from "./accounts";
import { useMessages } from "./hooks";
import styles from "./messages.module.css";
import { useReason } from "./words";

interface Props {
  feeds: Feed[];
  feedId?: string;
  state: StateKey;
}

export function Messages({ feeds, feedId, state }: Props) {
  const t = useTranslations("feeds");
  const format = useFormatter();
  const query = useMessages({ feedId, state });
  const total = sumOf(feeds.filter(({ id }) => !feedId || id === feedId))[state];
  return (
    <Card>
      <section aria-labelledby="messages">
        <Head feeds={feeds} feedId={feedId} state={state} />
        <Loaded query={query} title={t("messages.failed")}>
          {({ pages }) => {
            const messages = pages.flatMap((page) => page.messages);
            if (messages.length === 0) {
              return (
                <Empty title={t("messages.empty")}>
                  <p>{t("messages.emptyText")}</p>
                </Empty>
              );
            }
            const counts = {
              shown: format.number(messages.length),
              total: format.number(Math.max(total, messages.length)),
            };
            return (
              <>
                <ul className={styles.messages}>
                  {messages.map((message) => (
                    <Row
                      key={message.id}
                      message={message}
                      feed={feeds.find(({ id }) => id === message.feedId)}
                    />
                  ))}
                </ul>
                <footer className={styles.more}>
                  <ShowMore query={query}>{t("messages.more")}</ShowMore>
                  <span className={styles.second}>{t("messages.shown", counts)}</span>
                </footer>
              </>
            );
          }}
        </Loaded>
      </section>
    </Card>
  );
}

function Head({ feeds, feedId, state }: Props) {
  const t = useTranslations("feeds");
  const go = useNavigate();
  const show = (search: { feed?: string; state?: StateKey }) =>
    void go({ to: "/feeds", search, replace: true, resetScroll: false });
  // Whoever asked for it by a number above sees it.
  const head = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: anew for each choice
  useEffect(() => head.current?.scrollIntoView({ block: "nearest" }), [state, feedId]);
  const close = () => show({ feed: feedId });
  useKeys({ Escape: close });
  return (
    <header ref={head} className={styles.cardHead}>
      <h2 id="messages">{t("messages.title")}</h2>
      <NativeSelect
        size="xs"
        aria-label={t("messages.state")}
        value={state}
        onChange={(event) => show({ feed: feedId, state: event.currentTarget.value as StateKey })}
        data={STATE_KEYS.map((value) => ({ value, label: t(`states.${value}`) }))}
      />
      <NativeSelect
        size="xs"
        aria-label={t("messages.feed")}
        value={feedId ?? ""}
        onChange={(event) => show({ feed: event.currentTarget.value || undefined, state })}
        data={[
          { value: "", label: t("messages.allFeeds") },
          ...feeds.map(({ id, name }) => ({ value: id, label: name })),
        ]}
      />
      <Button
        size="xs"
        variant="subtle"
        className={styles.cardLink}
        aria-keyshortcuts="Escape"
        leftSection={<IconX size={16} stroke={1.9} aria-hidden="true" />}
        onClick={close}
      >
        {t("messages.close")}
      </Button>
    </header>
  );
}

function Row({ message, feed }: { message: FeedMessage; feed?: Feed }) {
  const t = useTranslations("feeds");
  const when = useWhen();
  const zone = useZone(message.facilityId);
  const words = useReason()(message.reason, message.explanation);
  const key = stateKey(message.state);
  const event = message.eventType.replace("^", " ");
  return (
    <li className={styles.message} data-is-aside={isSetAside(key)}>
      <span className={styles.groupTime}>
        {message.receiveTime && when.moment(new Date(message.receiveTime), zone)}
      </span>
      <div className={styles.groupFeed}>
        <Link
          to="/feeds"
          search={(old) => ({ ...old, message: message.id })}
          resetScroll={false}
          className={styles.rowLink}
          aria-label={t("messages.open", { event, control: message.controlId })}
        >
          <bdi>{event}</bdi>
        </Link>
        <span className={styles.second}>
          <bdi>{feed?.name}</bdi> · <bdi>{message.controlId}</bdi>
        </span>
      </div>
      <div className={styles.groupWhy}>
        <strong>{key && t(`states.${key}`)}</strong>
        {message.reason && <span>{words.what}</span>}
      </div>
    </li>
  );
}
