/** One message: what became of it and why; as it came, for those who may read it. */
import { Button } from "@mantine/core";
import { IconLock, IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import type { Feed, FeedMessage } from "@/api/client";
import { useMay } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import { stateKey } from "./accounts";
import { Fact } from "./feed-detail";
import { messageQuery, useReplay } from "./hooks";
import styles from "./messages.module.css";
import { Problem, useProblem, useReason } from "./words";

interface Props {
  messageId: string;
  /** What the lists say of it, for those who may not read it. */
  listed?: FeedMessage;
  feeds: Feed[];
  close: () => void;
  tryIt: (raw: string, feedId: string) => void;
}

export function MessageDialog({ messageId, listed, feeds, close, tryIt }: Props) {
  const t = useTranslations("feeds.message");
  const mayRead = useMay("messages.read");
  const query = useQuery({ ...messageQuery(messageId), enabled: mayRead });
  const shown = mayRead ? query : { data: listed, error: null, refetch: () => undefined };
  return (
    <Dialog close={close} size="lg" title={t("title")} closeLabel={t("close")}>
      {!mayRead && !listed ? (
        <Hidden />
      ) : (
        <Loaded query={shown} shape="card">
          {(message) => (
            <>
              <Facts message={message} feed={feeds.find(({ id }) => id === message.feedId)} />
              {mayRead ? <Raw message={message} tryIt={tryIt} /> : <Hidden />}
            </>
          )}
        </Loaded>
      )}
    </Dialog>
  );
}

function Hidden() {
  const t = useTranslations("feeds.message");
  return (
    <p className={styles.rawHidden}>
      <IconLock size={16} stroke={1.9} aria-hidden="true" />
      <span>{t("rawHidden")}</span>
    </p>
  );
}

function Facts({ message, feed }: { message: FeedMessage; feed?: Feed }) {
  const t = useTranslations("feeds");
  const when = useWhen();
  const zone = useZone(message.facilityId);
  const words = useReason()(message.reason, message.explanation);
  const mayOpen = useMay("patients.read");
  const key = stateKey(message.state);
  const moment = (at?: string) => at && when.moment(new Date(at), zone);
  return (
    <>
      <p className={styles.messageState}>
        <strong>{key && t(`states.${key}`)}</strong>
        {message.reason && <span>{words.what}</span>}
        {words.fix && <span>{words.fix}</span>}
        {message.explanation && message.explanation !== words.what && (
          <span className={styles.said} lang="en">
            {message.explanation}
          </span>
        )}
      </p>
      {message.isControlIdReused && <p className={styles.second}>{t("message.reused")}</p>}
      <dl className={styles.facts}>
        <Fact word={t("message.event")}>
          <bdi>{message.eventType}</bdi>
        </Fact>
        <Fact word={t("message.feed")}>
          <bdi>{feed?.name}</bdi>
        </Fact>
        <Fact word={t("message.control")}>
          <bdi>{message.controlId}</bdi>
        </Fact>
        <Fact word={t("message.received")}>{moment(message.receiveTime)}</Fact>
        {message.messageTime && <Fact word={t("message.made")}>{moment(message.messageTime)}</Fact>}
      </dl>
      <div className={styles.dialogActions}>
        <ReplayOne message={message} />
        {mayOpen && message.patientId && (
          <Button
            renderRoot={(props) => (
              <Link
                to="/patients/$patientId"
                params={{ patientId: message.patientId }}
                {...props}
              />
            )}
            variant="default"
            size="xs"
          >
            {t("message.patient")}
          </Button>
        )}
      </div>
    </>
  );
}

function ReplayOne({ message }: { message: FeedMessage }) {
  const t = useTranslations("feeds.message");
  const may = useMay("feeds.write");
  const replay = useReplay();
  const problem = useProblem();
  if (!may || message.state === "STATE_PENDING") return null;
  const key = replay.data && stateKey(replay.data.state);
  const explanation = replay.data?.explanation ?? "";
  return (
    <>
      <Button
        size="xs"
        variant="default"
        loading={replay.isPending}
        leftSection={<IconRefresh size={16} stroke={1.9} aria-hidden="true" />}
        onClick={() => replay.mutate(message.id)}
      >
        {t("replay")}
      </Button>
      <span role="status" className={styles.second}>
        {key === "pending" && t("replayPending")}
        {key === "quarantined" && t("replayAgain", { explanation })}
        {key === "ignored" && t("replayIgnored", { explanation })}
      </span>
      {replay.error && <Problem>{t("replayFailed", { reason: problem(replay.error) })}</Problem>}
    </>
  );
}

function Raw({ message, tryIt }: { message: FeedMessage; tryIt: Props["tryIt"] }) {
  const t = useTranslations("feeds.message");
  if (!message.raw) return null;
  const segments = message.raw.split(/[\r\n]+/).filter(Boolean);
  return (
    <div>
      <h3 id="raw">{t("raw")}</h3>
      <p className={styles.second}>{t("rawAudited")}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <pre className={styles.raw} dir="ltr" tabIndex={0} role="region" aria-labelledby="raw">
        {segments.join("\n")}
      </pre>
      <Button
        size="xs"
        variant="default"
        onClick={() => tryIt(segments.join("\n"), message.feedId)}
      >
        {t("try")}
      </Button>
    </div>
  );
}
