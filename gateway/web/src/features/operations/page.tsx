/** Operations: does every service work, what waits, what is late, what was set aside. */
import { Button } from "@mantine/core";
import {
  IconAlertTriangleFilled,
  IconCheck,
  IconChevronDown,
  IconExclamationCircle,
} from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Fragment } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import { Card, Page } from "@/ui/page";
import { Loading, NoAccess } from "@/ui/states";
import { useHomeZone, useWhen } from "@/ui/when";
import { figuresOf, megabytes } from "./figures";
import { SERVICES, type Service, type Status, useStatuses } from "./hooks";
import styles from "./operations.module.css";
import { useProblem } from "./problem";
import { ServiceDetail } from "./service-detail";
import { NearlyAll, TradeCard } from "./trade";
import { timesOf } from "./trade-figures";

type Asked = ReturnType<typeof useStatuses>[number];

export function OperationsPage() {
  const t = useTranslations("operations");
  const search = useSearch({ from: "/shell/operations" });
  const asked = useStatuses();
  const isHidden = asked.every(({ error }) => error instanceof Failure && error.isHidden);
  if (isHidden) return <NoAccess />;
  if (asked.every(({ isPending }) => isPending)) return <Loading shape="page" />;
  return (
    <Page title={t("title")} beside={<Verdict asked={asked} />}>
      <TradeCard statuses={statusesOf(asked)} />
      <Card>
        <table className={styles.services} aria-label={t("list.label")}>
          <thead>
            <tr>
              <th scope="col">{t("list.service")}</th>
              <th scope="col" className={styles.number}>
                {t("list.outbox")}
              </th>
              <th scope="col" className={styles.number}>
                {t("list.lag")}
              </th>
              <th scope="col" className={styles.number}>
                {t("list.timers")}
              </th>
              <th scope="col" className={styles.number}>
                {t("list.slow")}
              </th>
              <th scope="col">{t("list.state")}</th>
            </tr>
          </thead>
          <tbody>
            {SERVICES.map((service, at) => {
              const one = asked[at] as Asked;
              const isOpen = search.service === service;
              return (
                <Fragment key={service}>
                  <Row service={service} asked={one} isOpen={isOpen} />
                  {isOpen && one.data && (
                    <tr>
                      <td colSpan={6} className={styles.detailCell} id={`service-${service}`}>
                        <ServiceDetail service={service} status={one.data} />
                      </td>
                    </tr>
                  )}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </Card>
    </Page>
  );
}

/** What each service says; one that does not answer now says nothing, whatever it said before. */
const statusesOf = (asked: Asked[]) =>
  Object.fromEntries(
    SERVICES.map((service, at) => [service, asked[at]?.error ? undefined : asked[at]?.data]),
  ) as Partial<Record<Service, Status | undefined>>;

function Verdict({ asked }: { asked: Asked[] }) {
  const t = useTranslations("operations");
  const when = useWhen();
  const zone = useHomeZone();
  const silent = asked.filter(({ error }) => error).length;
  const concerned = asked.filter(({ data }) => (data?.concerns.length ?? 0) > 0).length;
  const times = asked.map(({ data }) => data?.asOfTime ?? "").filter(Boolean);
  const oldest = times.sort()[0];
  const time = oldest && t("asOf", { time: when.time(new Date(oldest), zone) });
  if (silent + concerned === 0) {
    return (
      <p className={styles.well} role="status">
        <IconCheck size={16} stroke={1.9} aria-hidden="true" /> {t("well")}
        <span className={styles.second}>{time}</span>
      </p>
    );
  }
  return (
    <p className={styles.unwell} role="status">
      <IconAlertTriangleFilled size={16} aria-hidden="true" />
      {silent > 0 ? t("silent", { count: silent }) : t("concerned", { count: concerned })}
      <span className={styles.second}>{time}</span>
    </p>
  );
}

function Row({ service, asked, isOpen }: { service: Service; asked: Asked; isOpen: boolean }) {
  const t = useTranslations("operations");
  const go = useNavigate({ from: "/operations" });
  const problem = useProblem();
  const { data, error } = asked;
  const toggle = () =>
    void go({
      search: { service: isOpen ? undefined : service },
      replace: true,
      resetScroll: false,
    });
  return (
    <tr className={styles.row} data-is-open={isOpen} onClick={toggle}>
      <th scope="row">
        <button
          type="button"
          className={styles.rowButton}
          aria-expanded={isOpen}
          aria-controls={isOpen && data ? `service-${service}` : undefined}
        >
          <IconChevronDown
            size={16}
            stroke={1.9}
            className={styles.chevron}
            data-is-open={isOpen}
            aria-hidden="true"
          />
          {t(`names.${service}`)}
        </button>
        <span className={styles.second}>{t(`about.${service}`)}</span>
        {isOpen && data && <About status={data} />}
      </th>
      {data && !error ? (
        <Figures status={data} />
      ) : (
        <td colSpan={5}>
          {error && (
            <span className={styles.gone} role="alert">
              <IconAlertTriangleFilled size={16} aria-hidden="true" />
              {t("list.failed", { reason: problem(error) })}
              <Button size="compact-xs" variant="subtle" onClick={() => void asked.refetch()}>
                {t("list.retry")}
              </Button>
            </span>
          )}
        </td>
      )}
    </tr>
  );
}

function About({ status }: { status: Status }) {
  const t = useTranslations("operations");
  const size = t("size", { megabytes: megabytes(status.databaseBytes) });
  const schema = `${status.schemaRevision} + ${status.chassisRevision}`;
  return (
    <span className={styles.second}>
      {t("list.version", { version: status.version, schema, size })}
    </span>
  );
}

function Figures({ status }: { status: Status }) {
  const t = useTranslations("operations");
  const format = useFormatter();
  const { waiting } = figuresOf(status);
  const [concern] = status.concerns;
  return (
    <>
      <td className={styles.number}>{format.number(status.outbox.waitingCount)}</td>
      <td className={styles.number}>
        {waiting === null ? t("consumers.unknown") : format.number(waiting)}
      </td>
      <td className={styles.number}>{format.number(status.timers.lateCount)}</td>
      <td className={styles.number}>
        <NearlyAll times={timesOf(status, "carehub_rpc_seconds")} />
      </td>
      <td>
        {concern ? (
          <span className={styles.word}>
            <IconExclamationCircle size={16} stroke={1.9} aria-hidden="true" />
            {t(`concern.${concern}`)}
          </span>
        ) : (
          <span className={styles.alive}>
            <IconCheck size={16} stroke={1.9} aria-hidden="true" /> {t("state.well")}
          </span>
        )}
      </td>
    </>
  );
}
