/** Every feed with its rate, its silence and its state; one of them open. */
import {
  IconBellOff,
  IconCheck,
  IconChevronDown,
  IconExclamationCircle,
  IconPlayerPauseFilled,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { Fragment, type ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { Feed } from "@/api/client";
import { useFacilities } from "@/api/queries";
import { DAY } from "@/ui/moments";
import { Card } from "@/ui/page";
import { Empty } from "@/ui/states";
import { useNow, useWhen, useZone } from "@/ui/when";
import { isMuted, sumOf } from "./accounts";
import { FeedDetail } from "./feed-detail";
import { Hours } from "./hours";
import styles from "./list.module.css";
import { Silence } from "./silence";

const COLUMNS = 5;

export function FeedList({ feeds, openId }: { feeds: Feed[]; openId?: string }) {
  const t = useTranslations("feeds.list");
  const now = useNow();
  if (feeds.length === 0) {
    return (
      <Card>
        <Empty title={t("emptyTitle")}>
          <p>{t("emptyText")}</p>
        </Empty>
      </Card>
    );
  }
  const loudness = (feed: Feed) => (feed.isSilent ? (isMuted(feed, now) ? 1 : 2) : 0);
  const loudest = [...feeds].sort((left, right) => loudness(right) - loudness(left));
  return (
    <Card>
      <table className={styles.feeds} aria-label={t("label")}>
        <thead>
          <tr>
            <th scope="col">{t("feed")}</th>
            <th scope="col" className={styles.bars}>
              {t("day")}
            </th>
            <th scope="col" className={styles.wide}>
              {t("lastHour")}
            </th>
            <th scope="col" className={styles.wide}>
              {t("stored")}
            </th>
            <th scope="col">{t("state")}</th>
          </tr>
        </thead>
        <tbody>
          {loudest.map((feed) => (
            <Fragment key={feed.id}>
              <Row feed={feed} isOpen={feed.id === openId} />
              {feed.isSilent && (
                <tr>
                  <td colSpan={COLUMNS} className={styles.silenceCell}>
                    <Silence feed={feed} />
                  </td>
                </tr>
              )}
              {feed.id === openId && (
                <tr>
                  <td colSpan={COLUMNS} className={styles.detailCell} id={`feed-${feed.id}`}>
                    <FeedDetail feed={feed} />
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function Row({ feed, isOpen }: { feed: Feed; isOpen: boolean }) {
  const t = useTranslations("feeds.list");
  const format = useFormatter();
  const facility = useFacilities().get(feed.facilityId);
  const go = useNavigate();
  const toggle = () =>
    void go({
      to: "/feeds",
      search: (old) => ({ ...old, feed: isOpen ? undefined : feed.id }),
      replace: true,
      resetScroll: false,
    });
  const hour = format.number(Number(feed.messagesLastHour));
  const stored = format.number(Number(feed.accounts.received));
  return (
    <tr className={styles.feedRow} data-is-open={isOpen} onClick={toggle}>
      <th scope="row">
        <button
          type="button"
          className={styles.rowButton}
          aria-expanded={isOpen}
          aria-controls={isOpen ? `feed-${feed.id}` : undefined}
        >
          <IconChevronDown
            size={16}
            stroke={1.9}
            className={styles.chevron}
            data-is-open={isOpen}
            aria-hidden="true"
          />
          <bdi>{feed.name}</bdi>
        </button>
        <span className={styles.second}>
          <bdi>{facility?.name}</bdi>
        </span>
        <span className={styles.small}>{t("small", { hour, stored })}</span>
        <span className={styles.small}>
          <Hours feed={feed} />
        </span>
      </th>
      <td className={styles.bars}>
        <Hours feed={feed} />
      </td>
      <td className={styles.wide}>{hour}</td>
      <td className={styles.wide}>{stored}</td>
      <td>
        <FeedState feed={feed} />
      </td>
    </tr>
  );
}

function FeedState({ feed }: { feed: Feed }) {
  const t = useTranslations("feeds.state");
  const when = useWhen();
  const now = useNow();
  const zone = useZone(feed.facilityId);
  const last = feed.lastMessageTime ? new Date(feed.lastMessageTime) : undefined;
  const gap = last ? Math.max(0, now.getTime() - last.getTime()) : 0;
  return (
    <>
      <StateWord feed={feed} span={last ? when.span(gap) : ""} />
      <span className={styles.second}>
        {!last && t("never")}
        {last &&
          (gap < DAY
            ? t("last", { time: when.moment(last, zone), span: when.span(gap) })
            : t("lastDay", { time: when.moment(last, zone) }))}
      </span>
    </>
  );
}

function StateWord({ feed, span }: { feed: Feed; span: string }) {
  const t = useTranslations("feeds.state");
  const format = useFormatter();
  const now = useNow();
  const { setAside } = sumOf([feed]);
  const quiet = (chunks: ReactNode) => <span className={styles.span}>{chunks}</span>;
  if (feed.state === "STATE_PAUSED") {
    return (
      <span className={styles.word} data-tone="paused">
        <IconPlayerPauseFilled size={14} aria-hidden="true" /> {t("paused")}
      </span>
    );
  }
  if (feed.isSilent) {
    return (
      <span className={styles.word} data-tone={isMuted(feed, now) ? "paused" : "late"}>
        <IconBellOff size={16} stroke={1.9} aria-hidden="true" />
        <span>{span ? t.rich("silent", { span, q: quiet }) : t("silentNever")}</span>
      </span>
    );
  }
  if (setAside > 0) {
    return (
      <span className={styles.word} data-tone="soon">
        <IconExclamationCircle size={16} stroke={1.9} aria-hidden="true" />
        {t("setAside", { count: format.number(setAside) })}
      </span>
    );
  }
  return (
    <span className={styles.word}>
      <IconCheck size={16} stroke={1.9} aria-hidden="true" /> {t("working")}
    </span>
  );
}
