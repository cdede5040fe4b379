/** One feed, open: its sender, its accounts, what was not stored, and the switch. */
import { Button } from "@mantine/core";
import { IconPlayerPause, IconPlugConnected } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Failure, type Feed } from "@/api/client";
import { useFacilities, useMay } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import { useWhen } from "@/ui/when";
import { STATE_KEYS, secondsOf, sumOf } from "./accounts";
import { useChangeFeed } from "./hooks";
import styles from "./list.module.css";
import { Problem, useProblem } from "./words";

export function FeedDetail({ feed }: { feed: Feed }) {
  const t = useTranslations("feeds.detail");
  const facility = useFacilities().get(feed.facilityId);
  const when = useWhen();
  const { sendingFacility, sendingApplication, quirks } = feed;
  const classes = Object.entries(quirks.patientClasses);
  const sender = sendingApplication
    ? t("senderWith", { facility: sendingFacility, application: sendingApplication })
    : sendingFacility;
  const gap = when.span(secondsOf(feed.silenceAfter) * 1000);
  return (
    <div className={styles.detail}>
      <Accounts feed={feed} />
      <dl className={styles.facts}>
        <Fact word={t("sender")}>
          <bdi>{sender}</bdi>
        </Fact>
        <Fact word={t("facility")}>
          <bdi>{facility?.name}</bdi>
        </Fact>
        <Fact word={t("gap")}>{t("gapText", { gap })}</Fact>
        <Fact word={t("zone")}>
          <bdi>{quirks.timeZone || facility?.timeZone}</bdi>
        </Fact>
        {classes.length > 0 && (
          <Fact word={t("classes")}>
            <bdi>{classes.map(([from, to]) => `${from} → ${to}`).join(", ")}</bdi>
          </Fact>
        )}
      </dl>
      <PauseSwitch feed={feed} />
    </div>
  );
}

export function Fact({ word, children }: { word: string; children: ReactNode }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Accounts({ feed }: { feed: Feed }) {
  const t = useTranslations("feeds");
  const format = useFormatter();
  const sum = sumOf([feed]);
  return (
    <div className={styles.accounts}>
      <h2>{t("detail.accounts")}</h2>
      <ul>
        {STATE_KEYS.map((key) => (
          <li key={key}>
            <Link to="/feeds" search={{ feed: feed.id, state: key }} resetScroll={false}>
              {t(`states.${key}`)}
            </Link>
            <span>{format.number(sum[key])}</span>
          </li>
        ))}
      </ul>
      <p className={styles.second}>{t("detail.outside")}</p>
      <ul>
        <li>{t("detail.duplicates", { count: sum.duplicates })}</li>
        <li>{t("detail.refused", { count: sum.refused })}</li>
      </ul>
    </div>
  );
}

function PauseSwitch({ feed }: { feed: Feed }) {
  const t = useTranslations("feeds.detail");
  const may = useMay("feeds.write");
  const [isAsking, ask] = useState(false);
  const problem = useProblem();
  const { say } = useToasts();
  const change = useChangeFeed("state");
  if (!may) return null;
  const isPaused = feed.state === "STATE_PAUSED";
  const turn = () => {
    ask(false);
    change.mutate(
      { ...feed, state: isPaused ? "STATE_ACTIVE" : "STATE_PAUSED" },
      {
        onSuccess: ({ name }) =>
          say({ text: isPaused ? t("resumed", { name }) : t("paused", { name }) }),
      },
    );
  };
  const isStale = change.error instanceof Failure && [409, 412].includes(change.error.status);
  return (
    <div className={styles.detailActions}>
      {isPaused ? (
        <Button
          variant="default"
          size="xs"
          loading={change.isPending}
          leftSection={<IconPlugConnected size={16} stroke={1.9} aria-hidden="true" />}
          onClick={turn}
        >
          {t("resume")}
        </Button>
      ) : (
        <Button
          variant="default"
          size="xs"
          loading={change.isPending}
          leftSection={<IconPlayerPause size={16} stroke={1.9} aria-hidden="true" />}
          onClick={() => ask(true)}
        >
          {t("pause")}
        </Button>
      )}
      {change.error && (
        <Problem>{isStale ? t("stale") : t("failed", { reason: problem(change.error) })}</Problem>
      )}
      {isAsking && (
        <Dialog
          close={() => ask(false)}
          title={t("pauseTitle", { name: feed.name })}
          closeLabel={t("pauseNo")}
        >
          <p className={styles.dialogText}>{t("pauseText")}</p>
          <div className={styles.dialogActions}>
            <Button color="red" variant="outline" className={styles.danger} onClick={turn}>
              {t("pauseYes")}
            </Button>
            <Button variant="default" onClick={() => ask(false)}>
              {t("pauseNo")}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
