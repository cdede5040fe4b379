/** What waits for a look: grouped by reason, oldest first, replayed one by one or all alike. */
import { Button } from "@mantine/core";
import { IconInfoCircle, IconRefresh } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { Feed } from "@/api/client";
import { useMay } from "@/api/queries";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useToasts } from "@/ui/toasts";
import { useWhen, useZone } from "@/ui/when";
import { type Alike, alike, sumOf } from "./accounts";
import { useReplayAll, useSetAside } from "./hooks";
import { MapClass } from "./map-class";
import styles from "./messages.module.css";
import { Problem, useProblem, useReason } from "./words";

export function SetAside({ feeds, feedId }: { feeds: Feed[]; feedId?: string }) {
  const t = useTranslations("feeds.setAside");
  const format = useFormatter();
  const { setAside, pending } = sumOf(feeds);
  const query = useSetAside(setAside + pending);
  const byId = new Map(feeds.map((feed) => [feed.id, feed]));
  return (
    <Card>
      <Loaded query={query} shape="card">
        {({ messages, isWhole }) => {
          const wanted = messages.filter((one) => !feedId || one.feedId === feedId);
          const groups = alike(wanted).filter((group) => byId.has(group.feedId));
          if (groups.length === 0) return <Nothing feed={feedId ? byId.get(feedId) : undefined} />;
          return (
            <section aria-labelledby="set-aside">
              <Head count={wanted.length} groups={groups} feed={byId.get(feedId ?? "")} />
              <ul className={styles.groups}>
                {groups.map((group) => (
                  <Group key={group.key} group={group} feed={byId.get(group.feedId) as Feed} />
                ))}
              </ul>
              <p className={styles.foot}>
                <IconInfoCircle size={16} stroke={1.9} aria-hidden="true" />
                <span>
                  {isWhole ? t("notLost") : t("partial", { count: format.number(messages.length) })}
                </span>
              </p>
            </section>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Nothing({ feed }: { feed?: Feed }) {
  const t = useTranslations("feeds.setAside");
  if (!feed) {
    return (
      <Empty title={t("emptyTitle")}>
        <p>{t("emptyText")}</p>
      </Empty>
    );
  }
  return (
    <Empty
      title={t("emptyFeed", { feed: feed.name })}
      actions={
        <Button
          renderRoot={(props) => <Link to="/feeds" search={{}} {...props} />}
          variant="default"
        >
          {t("all")}
        </Button>
      }
    />
  );
}

function Head({ count, groups, feed }: { count: number; groups: Alike[]; feed?: Feed }) {
  const t = useTranslations("feeds.setAside");
  const when = useWhen();
  const firsts = groups.map(({ messages }) => messages[0]?.receiveTime ?? "").filter(Boolean);
  const oldest = firsts.sort()[0];
  const zone = useZone(feed?.facilityId ?? "");
  return (
    <header className={styles.cardHead}>
      <h2 id="set-aside">{t("title")}</h2>
      <span className={styles.beside}>
        {feed ? t("countOf", { count, feed: feed.name }) : t("count", { count })}
        {oldest && ` · ${t("oldest", { time: when.moment(new Date(oldest), zone) })}`}
      </span>
      {feed && (
        <Link to="/feeds" search={{}} className={styles.cardLink}>
          {t("all")}
        </Link>
      )}
    </header>
  );
}

function Group({ group, feed }: { group: Alike; feed: Feed }) {
  const t = useTranslations("feeds.setAside");
  const when = useWhen();
  const zone = useZone(feed.facilityId);
  const words = useReason()(group.reason, group.explanation);
  const may = useMay("feeds.write");
  const [isMapping, map] = useState(false);
  const oldest = group.messages[0];
  const count = group.messages.length;
  const isClass = group.reason === "PATIENT_CLASS_UNKNOWN";
  const event =
    group.events.length > 1 ? `${group.events[0]} +${group.events.length - 1}` : group.events[0];
  return (
    <li className={styles.group}>
      <span className={styles.groupTime}>
        {oldest?.receiveTime && when.moment(new Date(oldest.receiveTime), zone)}
      </span>
      <div className={styles.groupFeed}>
        <bdi>{feed.name}</bdi>
        <span className={styles.second}>{t("alike", { event: event ?? "", count })}</span>
      </div>
      <div className={styles.groupWhy}>
        <strong>{words.what}</strong>
        {words.fix && <span>{words.fix}</span>}
        {group.explanation && words.what !== group.explanation && (
          <span className={styles.said} lang="en">
            {group.explanation}
          </span>
        )}
      </div>
      <div className={styles.groupActions}>
        {may && isClass && (
          <Button size="xs" onClick={() => map(true)}>
            {t("map")}
          </Button>
        )}
        {may && <Replay group={group} />}
        <Button
          renderRoot={(props) => (
            <Link
              to="/feeds"
              search={count > 1 ? { feed: feed.id, state: group.state } : { message: oldest?.id }}
              resetScroll={false}
              {...props}
            />
          )}
          size="xs"
          variant="default"
        >
          {count > 1 ? t("openAll") : t("open")}
        </Button>
      </div>
      {isMapping && <MapClass feed={feed} oldest={oldest} close={() => map(false)} />}
    </li>
  );
}

function Replay({ group }: { group: Alike }) {
  const t = useTranslations("feeds.setAside");
  const { replayAll, progress, stop } = useReplayAll();
  const problem = useProblem();
  const { say } = useToasts();
  const count = group.messages.length;
  const start = () =>
    // The group goes away when all went through, and a callback of `mutate` with it.
    replayAll.mutateAsync(group).then(
      ({ done, through }) => {
        if (through > 0 && through === done) say({ text: t("through", { count: through }) });
      },
      () => undefined, // shown from replayAll.error
    );
  const result = replayAll.data;
  const isShort = result && result.through < result.done;
  return (
    <>
      {progress ? (
        <span className={styles.progress} role="status">
          {t("progress", { ...progress })}
          <Button size="compact-xs" variant="subtle" onClick={stop}>
            {t("stop")}
          </Button>
        </span>
      ) : (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRefresh size={16} stroke={1.9} aria-hidden="true" />}
          onClick={start}
        >
          {t("replay", { count })}
        </Button>
      )}
      {!progress && isShort && result.through === 0 && (
        <Problem>{t("none", { done: result.done })}</Problem>
      )}
      {!progress && isShort && result.through > 0 && (
        <span className={styles.second} role="status">
          {t("some", { through: result.through, done: result.done })}
        </span>
      )}
      {replayAll.error && <Problem>{t("failed", { reason: problem(replayAll.error) })}</Problem>}
    </>
  );
}
