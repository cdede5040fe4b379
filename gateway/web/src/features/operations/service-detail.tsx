/** One service, open: what to do about its concerns, its consumers, timers, processes, and what it set aside. */
import { IconAlertTriangleFilled, IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { useHomeZone, useWhen } from "@/ui/when";
import { parkedOf } from "./figures";
import type { Consumer, Service, Status } from "./hooks";
import styles from "./operations.module.css";
import { ParkedList } from "./parked";
import { Group, Kinds, Since, Spread } from "./trade";
import { kindsOf, timesOf } from "./trade-figures";

export function ServiceDetail({ service, status }: { service: Service; status: Status }) {
  const t = useTranslations("operations");
  const format = useFormatter();
  const when = useWhen();
  const { outbox, timers, audit } = status;
  const span = (seconds: number) => when.span(seconds * 1000);
  return (
    <div className={styles.detail}>
      {status.concerns.map((concern) => (
        <p key={concern} className={styles.concern}>
          <IconAlertTriangleFilled size={16} aria-hidden="true" />
          <span>
            <strong>{t(`concern.${concern}`)}.</strong> {t(`todo.${concern}`)}
          </span>
        </p>
      ))}
      <div className={styles.figures}>
        <Figures title={t("outbox.title")}>
          <Figure word={t("outbox.waiting")}>
            {format.number(outbox.waitingCount)}
            {outbox.waitingCount > 0 &&
              ` · ${t("outbox.oldest", { span: span(outbox.oldestSeconds) })}`}
          </Figure>
          <Figure word={t("outbox.published")}>{format.number(outbox.publishedLastHour)}</Figure>
        </Figures>
        <Figures title={t("timers.title")}>
          <Figure word={t("timers.waiting")}>{format.number(timers.waitingCount)}</Figure>
          <Figure word={t("timers.late")}>
            {format.number(timers.lateCount)}
            {timers.lateCount > 0 &&
              ` · ${t("timers.latest", { span: span(timers.oldestLateSeconds) })}`}
          </Figure>
        </Figures>
        <Figures title={t("audit.title")}>
          <Figure word={t("audit.sealed")}>{format.number(Number(audit.sealedCount))}</Figure>
          <Figure word={t("audit.behind")}>{span(audit.oldestSeconds)}</Figure>
        </Figures>
        <Group title={t("answers.title")} since={<Since status={status} />}>
          <Kinds
            title={t("answers.answered")}
            kinds={kindsOf(status, "carehub_rpc_requests_total")}
            word={(code) => (code === "OK" ? t("answers.ok") : <bdi>{code}</bdi>)}
          />
          <Spread word={t("answers.timed")} times={timesOf(status, "carehub_rpc_seconds")} />
        </Group>
        <Group title={t("answers.refusals")} since={<Since status={status} />}>
          <Kinds
            title={t("answers.refused")}
            kinds={kindsOf(status, "carehub_refusals_total")}
            word={(reason) => <bdi>{reason}</bdi>}
          />
        </Group>
      </div>
      <Consumers consumers={status.consumers} />
      <Processes status={status} />
      <ParkedList service={service} />
    </div>
  );
}

function Figures({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className={styles.small}>{title}</h2>
      <dl>{children}</dl>
    </section>
  );
}

function Figure({ word, children }: { word: string; children: ReactNode }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Consumers({ consumers }: { consumers: Consumer[] }) {
  const t = useTranslations("operations.consumers");
  const format = useFormatter();
  const count = (value: number | undefined) =>
    typeof value === "number" ? format.number(value) : t("unknown");
  if (consumers.length === 0) return null;
  return (
    <section>
      <h2 className={styles.small}>{t("title")}</h2>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t("name")}</th>
            <th scope="col">{t("handled")}</th>
            <th scope="col">{t("waiting")}</th>
            <th scope="col">{t("inWork")}</th>
            <th scope="col">{t("parked")}</th>
          </tr>
        </thead>
        <tbody>
          {consumers.map((consumer) => (
            <tr key={consumer.name}>
              <th scope="row">
                <bdi>{consumer.name}</bdi>
              </th>
              <td>{format.number(consumer.handledLastHour)}</td>
              <td>{count(consumer.waitingCount)}</td>
              <td>{count(consumer.inWorkCount)}</td>
              <td data-is-wrong={parkedOf(consumer) > 0}>{format.number(parkedOf(consumer))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Processes({ status }: { status: Status }) {
  const t = useTranslations("operations.processes");
  const when = useWhen();
  const zone = useHomeZone();
  const moment = (at?: string) => (at ? when.moment(new Date(at), zone) : "");
  return (
    <section>
      <h2 className={styles.small}>{t("title")}</h2>
      <ul className={styles.processes}>
        {status.processes.map(({ name, role, startTime, seenTime, isAlive }) => (
          <li key={`${name} ${role}`}>
            <span className={styles.process}>
              <bdi>{name}</bdi>
            </span>
            <span>{t.has(`roles.${role as "all"}`) ? t(`roles.${role as "all"}`) : role}</span>
            <span className={styles.second}>{t("since", { time: moment(startTime) })}</span>
            {isAlive ? (
              <span className={styles.alive}>
                <IconCheck size={16} stroke={1.9} aria-hidden="true" /> {t("alive")}
              </span>
            ) : (
              <span className={styles.gone}>
                <IconAlertTriangleFilled size={14} aria-hidden="true" />{" "}
                {t("gone", { time: moment(seenTime) })}
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
