/** What the network does for people: loops, messages in and out, and how fast; in the same numbers as the metrics. */
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Card } from "@/ui/page";
import { useHomeZone, useWhen } from "@/ui/when";
import type { Service, Status } from "./hooks";
import styles from "./trade.module.css";
import { type Kind, rounded, shareOf, type Times, type Trade, tradeOf } from "./trade-figures";

type Statuses = Partial<Record<Service, Status | undefined>>;

export function TradeCard({ statuses }: { statuses: Statuses }) {
  const t = useTranslations("operations.trade");
  const trade = tradeOf(statuses);
  return (
    <Card>
      <section className={styles.trade} aria-label={t("title")}>
        <Loops trade={trade} />
        <Group title={t("toTask.title")} since={<Since status={statuses.tasking} />}>
          <Spread word={t("toTask.measured")} times={trade.toTask} />
        </Group>
        <Heard trade={trade} since={<Since status={statuses.interop} />} />
        <Letters trade={trade} since={<Since status={statuses.messaging} />} />
      </section>
    </Card>
  );
}

function Loops({ trade: { loops, broken } }: { trade: Trade }) {
  const t = useTranslations("operations.trade.loops");
  return (
    <Group title={t("title")} since={t("now")}>
      <Count word={t("open")} count={loops?.open} />
      <Count word={t("overdue")} count={loops?.overdue} />
      <Count word={t("escalated")} count={loops?.escalated} />
      <Count word={t("broken")} count={broken} isWrong={Boolean(broken)} />
    </Group>
  );
}

function Heard({ trade, since }: { trade: Trade; since: ReactNode }) {
  const t = useTranslations("operations.trade.heard");
  const word = (name: string) =>
    t.has(`kinds.${name as "accepted"}`) ? t(`kinds.${name as "accepted"}`) : name;
  return (
    <Group title={t("title")} since={since}>
      <Count word={t("silent")} count={trade.silent} isWrong={Boolean(trade.silent)} />
      <Kinds title={t("messages")} kinds={trade.heard} word={word} />
      <Spread word={t("acknowledged")} times={trade.acknowledged} />
    </Group>
  );
}

function Letters({ trade, since }: { trade: Trade; since: ReactNode }) {
  const t = useTranslations("operations.trade.letters");
  const word = (name: string) =>
    t.has(`kinds.${name as "sent"}`) ? t(`kinds.${name as "sent"}`) : name;
  return (
    <Group title={t("title")} since={since}>
      <Count word={t("planned")} count={trade.waiting?.planned} />
      <Count word={t("leaving")} count={trade.waiting?.leaving} />
      <Kinds title={t("messages")} kinds={trade.letters} word={word} />
      <Spread word={t("reminders")} times={trade.reminders} />
    </Group>
  );
}

/** Since when that was counted which is counted: an hour, or less where the processes are younger. */
export function Since({ status }: { status: Status | undefined }) {
  const t = useTranslations("operations.trade");
  const when = useWhen();
  const zone = useHomeZone();
  if (!status?.figuresSinceTime || !status.asOfTime) return null;
  const [since, asOf] = [new Date(status.figuresSinceTime), new Date(status.asOfTime)];
  const isHour = asOf.getTime() - since.getTime() >= 3_599_000;
  return isHour ? t("hour") : t("since", { time: when.time(since, zone) });
}

interface GroupProps {
  title: string;
  since?: ReactNode;
  children: ReactNode;
}

export function Group({ title, since, children }: GroupProps) {
  return (
    <section>
      <h2 className={styles.title}>
        {title} <span className={styles.since}>{since}</span>
      </h2>
      <dl className={styles.lines}>{children}</dl>
    </section>
  );
}

function Line({ word, children }: { word: ReactNode; children: ReactNode }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface CountProps {
  word: ReactNode;
  count: number | null | undefined;
  isWrong?: boolean;
}

function Count({ word, count, isWrong = false }: CountProps) {
  const t = useTranslations("operations.trade");
  const format = useFormatter();
  return (
    <Line word={word}>
      {isWrong && <IconAlertTriangleFilled size={14} aria-hidden="true" />}
      <span data-is-wrong={isWrong}>
        {typeof count === "number" ? format.number(count) : t("unknown")}
      </span>
    </Line>
  );
}

interface KindsProps {
  title: string;
  kinds: Kind[] | null;
  word: (name: string) => ReactNode;
}

export function Kinds({ title, kinds, word }: KindsProps) {
  const t = useTranslations("operations.trade");
  const format = useFormatter();
  if (!kinds?.length) return <Line word={title}>{kinds ? t("nothing") : t("unknown")}</Line>;
  const ways = (kind: Kind) =>
    kind.ways.map(({ name, count }) => {
      const way = t.has(`ways.${name as "sms"}`) ? t(`ways.${name as "sms"}`) : name;
      return t("way", { way, count });
    });
  return kinds.map((kind) => (
    <Count
      key={kind.name}
      word={
        <>
          {word(kind.name)} <span className={styles.since}>{format.list(ways(kind))}</span>
        </>
      }
      count={kind.count}
    />
  ));
}

/** What 99 in 100 of them took at most. */
export function NearlyAll({ times }: { times: Times | null }) {
  const t = useTranslations("operations.trade");
  if (!times?.count) return times ? t("nothing") : t("unknown");
  const { p99Seconds, mostSeconds } = times;
  const most = p99Seconds >= mostSeconds ? "times.more" : "times.seconds";
  return t(most, { seconds: rounded(p99Seconds) });
}

/** How long something took: half of them, nearly all of them, and how many were good enough. */
export function Spread({ word, times }: { word: string; times: Times | null }) {
  const t = useTranslations("operations.trade");
  const format = useFormatter();
  if (!times?.count) return <Line word={word}>{times ? t("nothing") : t("unknown")}</Line>;
  const { count, medianSeconds, p99Seconds, mostSeconds, withinSeconds } = times;
  const most = (value: number) =>
    t(value >= mostSeconds ? "times.more" : "times.most", { seconds: rounded(value) });
  const share = format.number(shareOf(times), { style: "percent", maximumFractionDigits: 1 });
  return (
    <>
      <Count word={word} count={count} />
      <Line word={t("times.half")}>{most(medianSeconds)}</Line>
      <Line word={t("times.nearlyAll")}>{most(p99Seconds)}</Line>
      <Line word={t("times.within", { seconds: withinSeconds })}>{share}</Line>
    </>
  );
}
