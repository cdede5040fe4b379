/** Events that a consumer could not handle: replayed once the cause is mended, or discarded with a reason. */
import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { useMay } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { ShowMore } from "@/ui/show-more";
import { Loaded } from "@/ui/states";
import { useToasts } from "@/ui/toasts";
import { useHomeZone, useWhen } from "@/ui/when";
import { type Parked, type Service, useDecide, useParked } from "./hooks";
import styles from "./operations.module.css";
import { useProblem } from "./problem";

export function ParkedList({ service }: { service: Service }) {
  const t = useTranslations("operations.parked");
  const query = useParked(service);
  return (
    <section>
      <h2 className={styles.small}>{t("title")}</h2>
      <p className={styles.second}>{t("text")}</p>
      <Loaded query={query} shape="card">
        {({ pages }) => {
          const parked = pages.flatMap((page) => page.parked);
          return (
            <>
              {parked.length === 0 && <p className={styles.nothing}>{t("empty")}</p>}
              <ul className={styles.parked}>
                {parked.map((event) => (
                  <Event key={event.id} event={event} service={service} />
                ))}
              </ul>
              <ShowMore query={query}>{t("more")}</ShowMore>
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function Event({ event, service }: { event: Parked; service: Service }) {
  const t = useTranslations("operations.parked");
  const may = useMay("operations.write");
  const when = useWhen();
  const zone = useHomeZone();
  const { say } = useToasts();
  const problem = useProblem();
  const decide = useDecide();
  const [isAsking, ask] = useState(false);
  const parkedId = event.id;
  const send = (reason?: string) => {
    ask(false);
    const text = reason === undefined ? t("replayed") : t("discarded");
    // The event goes away once it is decided upon, and a callback of `mutate` with it.
    decide.mutateAsync({ service, parkedId, reason }).then(
      () => say({ text }),
      () => undefined, // shown from decide.error
    );
  };
  const time = event.parkedTime ? when.moment(new Date(event.parkedTime), zone) : "";
  const kind = event.event.split(".").at(-1) ?? event.event;
  return (
    <li>
      <div className={styles.eventWords} lang="en">
        <strong>
          <bdi>{event.reason}</bdi>
        </strong>
        <span>{event.message}</span>
      </div>
      <span className={styles.second}>
        <bdi>{event.consumer}</bdi> ·{" "}
        <bdi>{t("event", { event: kind, version: event.version })}</bdi> · <bdi>{event.key}</bdi> ·{" "}
        {t("tried", { count: event.attempts, time })}
      </span>
      {may && (
        <div className={styles.eventActions}>
          <Button size="xs" variant="default" loading={decide.isPending} onClick={() => send()}>
            {t("replay")}
          </Button>
          <Button size="xs" variant="subtle" onClick={() => ask(true)}>
            {t("discard")}
          </Button>
        </div>
      )}
      {decide.error && (
        <p role="alert" className={styles.gone}>
          {t("failed", { reason: problem(decide.error) })}
        </p>
      )}
      {isAsking && <Discard event={event} yes={send} no={() => ask(false)} />}
    </li>
  );
}

interface DiscardProps {
  event: Parked;
  yes: (reason: string) => void;
  no: () => void;
}

function Discard({ event, yes, no }: DiscardProps) {
  const t = useTranslations("operations.parked");
  const [reason, setReason] = useState("");
  const [isMissing, setMissing] = useState(false);
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    setMissing(!reason.trim());
    if (reason.trim()) yes(reason.trim());
  };
  return (
    <Dialog title={t("confirm")} close={no} closeLabel={t("no")}>
      <form className={styles.form} onSubmit={submit} noValidate>
        <p>{t("confirmText", { consumer: event.consumer })}</p>
        <TextInput
          label={t("reason")}
          value={reason}
          maxLength={200}
          onChange={(typed) => setReason(typed.currentTarget.value)}
          error={isMissing && !reason.trim() && t("needed")}
          autoComplete="off"
          data-autofocus
        />
        <div className={styles.eventActions}>
          <Button type="submit" variant="outline" className={styles.danger}>
            {t("yes")}
          </Button>
          <Button variant="default" onClick={no}>
            {t("no")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
