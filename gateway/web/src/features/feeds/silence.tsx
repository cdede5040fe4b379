/** A feed that is silent: since when, what is normal, who was told, and a while in which the alarm does not sound. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { IconAlertTriangleFilled, IconBellOff } from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { Feed } from "@/api/client";
import { useMay } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { DAY } from "@/ui/moments";
import { useToasts } from "@/ui/toasts";
import { useNow, useWhen, useZone } from "@/ui/when";
import { isMuted, secondsOf } from "./accounts";
import { useMute } from "./hooks";
import styles from "./list.module.css";
import { Problem, useProblem } from "./words";

export function Silence({ feed }: { feed: Feed }) {
  const t = useTranslations("feeds.silence");
  const when = useWhen();
  const now = useNow();
  const zone = useZone(feed.facilityId);
  const last = feed.lastMessageTime ? new Date(feed.lastMessageTime) : undefined;
  const isOld = last && now.getTime() - last.getTime() > DAY;
  const b = (chunks: ReactNode) => <strong>{chunks}</strong>;
  const gap = when.span(secondsOf(feed.silenceAfter) * 1000);
  const quiet = isMuted(feed, now);
  const Icon = quiet ? IconBellOff : IconAlertTriangleFilled;
  return (
    <div className={styles.silence} data-is-muted={quiet}>
      <Icon size={16} aria-hidden="true" />
      <div className={styles.silenceText}>
        <p>
          {last
            ? t.rich("since", {
                time: isOld ? when.moment(last, zone) : when.time(last, zone),
                gap,
                b,
              })
            : t.rich("never", { gap, b })}
        </p>
        {quiet ? <Muted feed={feed} zone={zone} /> : <Told feed={feed} zone={zone} />}
        <p className={styles.second}>{t("text")}</p>
      </div>
      <MuteButton feed={feed} quiet={quiet} />
    </div>
  );
}

function Told({ feed, zone }: { feed: Feed; zone: string }) {
  const t = useTranslations("feeds.silence");
  const format = useFormatter();
  const when = useWhen();
  const sent = feed.silenceNotices.filter(({ time }) => time);
  const waiting = feed.silenceNotices.filter(({ time }) => !time);
  if (!feed.alarmTime) return <p>{t("notYet")}</p>;
  if (feed.silenceNotices.length === 0) return <p>{t("nobody")}</p>;
  const names = (told: typeof sent) => format.list(told.map(({ staffName }) => staffName));
  const [first] = sent.map(({ time }) => time ?? "").sort();
  return (
    <>
      {first && (
        <p>{t("told", { names: names(sent), time: when.moment(new Date(first), zone) })}</p>
      )}
      {waiting.length > 0 && <p>{t("waiting", { names: names(waiting) })}</p>}
    </>
  );
}

function Muted({ feed, zone }: { feed: Feed; zone: string }) {
  const t = useTranslations("feeds.silence");
  const when = useWhen();
  const { untilTime, staffName, reason } = feed.mute;
  const until = untilTime ? when.moment(new Date(untilTime), zone) : "";
  return (
    <p>{t.rich("muted", { until, name: staffName, reason, i: (chunks) => <bdi>{chunks}</bdi> })}</p>
  );
}

function MuteButton({ feed, quiet }: { feed: Feed; quiet: boolean }) {
  const t = useTranslations("feeds.mute");
  const may = useMay("feeds.write");
  const [isAsking, ask] = useState(false);
  const mute = useMute(feed);
  const { say } = useToasts();
  if (!may) return null;
  const sound = () =>
    mute.mutate(
      { hours: 0, reason: "" },
      { onSuccess: ({ name }) => say({ text: t("sounds", { name }) }) },
    );
  return (
    <div className={styles.silenceActions}>
      <Button
        size="xs"
        variant="default"
        loading={mute.isPending}
        onClick={quiet ? sound : () => ask(true)}
      >
        {quiet ? t("end") : t("begin")}
      </Button>
      {isAsking && <MuteDialog feed={feed} close={() => ask(false)} />}
    </div>
  );
}

const HOURS = [1, 4, 12, 24, 72, 168];

function MuteDialog({ feed, close }: { feed: Feed; close: () => void }) {
  const t = useTranslations("feeds.mute");
  const mute = useMute(feed);
  const problem = useProblem();
  const { say } = useToasts();
  const [hours, setHours] = useState(1);
  const [reason, setReason] = useState("");
  const [isMissing, miss] = useState(false);
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!reason.trim()) {
      miss(true);
      document.getElementById("mute-reason")?.focus();
      return;
    }
    mute.mutate(
      { hours, reason },
      {
        onSuccess: ({ name }) => {
          say({ text: t("done", { name, hours }) });
          close();
        },
      },
    );
  };
  return (
    <Dialog close={close} title={t("title", { name: feed.name })} closeLabel={t("cancel")}>
      <p className={styles.dialogText}>{t("text")}</p>
      <form className={styles.muteForm} onSubmit={send} noValidate>
        <NativeSelect
          label={t("long")}
          value={String(hours)}
          onChange={(event) => setHours(Number(event.currentTarget.value))}
          data={HOURS.map((value) => ({
            value: String(value),
            label: t("hours", { hours: value }),
          }))}
        />
        <TextInput
          id="mute-reason"
          label={t("reason")}
          description={t("reasonHint")}
          value={reason}
          maxLength={500}
          error={isMissing && !reason.trim() ? t("reasonMissing") : undefined}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {mute.error && <Problem>{t("failed", { reason: problem(mute.error) })}</Problem>}
        <div className={styles.dialogActions}>
          <Button type="submit" loading={mute.isPending}>
            {t("yes", { hours })}
          </Button>
          <Button variant="default" onClick={close}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
