/** Who could help, the best first, each with why; and who does not fit, with why not. */
import { Radio, VisuallyHidden } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconX } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import type { Match } from "@/api/client";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useHomeZone, useWhen } from "@/ui/when";
import type { Wanted } from "./asking";
import { useMatches } from "./hooks";
import styles from "./referrals.module.css";

type Service = Match["service"];

interface Props {
  wanted: Wanted;
  serviceId: string;
  choose: (serviceId: string) => void;
  /** What follows once somebody is chosen. */
  children: (fitting: Match[], service: Service) => ReactNode;
}

export function Matches({ wanted, serviceId, choose, children }: Props) {
  const t = useTranslations("referrals.page");
  const matches = useMatches(wanted);
  const head = useRef<HTMLHeadingElement>(null);
  const isThere = Boolean(matches.data);
  useEffect(() => {
    if (isThere) head.current?.focus();
  }, [isThere]);
  return (
    <>
      <section aria-labelledby="who">
        <h2 id="who" ref={head} tabIndex={-1}>
          {t("who")}
        </h2>
        <Loaded query={matches} title={t("searchFailed")}>
          {(found) => <Found found={found} serviceId={serviceId} choose={choose} />}
        </Loaded>
      </section>
      {matches.data && <Chosen found={matches.data} serviceId={serviceId} follows={children} />}
    </>
  );
}

function Chosen(props: { found: Match[]; serviceId: string; follows: Props["children"] }) {
  const { found, serviceId, follows } = props;
  const fitting = found.filter(({ fits }) => fits);
  const chosen = fitting.find(({ service }) => service.id === serviceId);
  return chosen ? follows(fitting, chosen.service) : null;
}

function Found({
  found,
  serviceId,
  choose,
}: Pick<Props, "serviceId" | "choose"> & { found: Match[] }) {
  const t = useTranslations("referrals.page");
  const fitting = found.filter(({ fits }) => fits);
  const others = found.filter(({ fits }) => !fits);
  if (found.length === 0) {
    return (
      <Card>
        <Empty title={t("nobody")}>{t("nobodyText")}</Empty>
      </Card>
    );
  }
  return (
    <Card>
      <p className={styles.count} role="status">
        {t("fits", { count: fitting.length })}
      </p>
      {fitting.length > 0 && (
        <Radio.Group label={t("choose")} value={serviceId} onChange={choose}>
          {fitting.map((match) => (
            <div key={match.service.id} className={styles.match}>
              <Radio
                value={match.service.id}
                label={<Name service={match.service} />}
                aria-describedby={`why-${match.service.id}`}
              />
              <Why match={match} />
            </div>
          ))}
        </Radio.Group>
      )}
      {others.length > 0 && (
        <details className={styles.others}>
          <summary>{t("fitsNot", { count: others.length })}</summary>
          {others.map((match) => (
            <div key={match.service.id} className={styles.match}>
              <Name service={match.service} />
              <Why match={match} />
            </div>
          ))}
        </details>
      )}
    </Card>
  );
}

function Name({ service }: { service: Service }) {
  return (
    <span className={styles.name}>
      <b>
        <bdi>{service.name}</bdi>
      </b>{" "}
      <span className={styles.small}>
        <bdi>{service.organizationName}</bdi>
      </span>
    </span>
  );
}

function Why({ match }: { match: Match }) {
  const t = useTranslations("referrals.page");
  const { service } = match;
  const phone = service.phones[0];
  return (
    <div className={styles.why} id={`why-${service.id}`}>
      <Capacity service={service} />
      <Reasons match={match} />
      {phone && (
        <a href={`tel:${phone.replace(/[^\d+]/g, "")}`} className={styles.phone}>
          {t("phone", { phone })}
        </a>
      )}
    </div>
  );
}

export function Reasons({ match: { reasons, fits } }: { match: Match }) {
  const t = useTranslations("referrals.page");
  // How it stands with its capacity is said in a line of its own, with its age.
  const told = reasons.filter(({ code }) => code !== "CAPACITY");
  return (
    <ul className={styles.reasons}>
      {told.map(({ code, isFor, text }) => (
        <li key={code} data-is-for={isFor}>
          <Sign isFor={isFor} fits={fits} />
          <VisuallyHidden>{t(isFor ? "for" : "against")}</VisuallyHidden>{" "}
          <span lang="en">{text}</span>
        </li>
      ))}
    </ul>
  );
}

function Sign({ isFor, fits }: { isFor: boolean; fits: boolean }) {
  const Icon = isFor ? IconCheck : fits ? IconAlertTriangle : IconX;
  return <Icon size={16} stroke={1.9} aria-hidden="true" />;
}

export function Capacity({ service: { capacity } }: { service: Service }) {
  const t = useTranslations("referrals.page.capacity");
  const when = useWhen();
  const zone = useHomeZone();
  const said = capacity?.updateTime ? when.moment(new Date(capacity.updateTime), zone) : "";
  const status = said && capacity ? capacity.status : "STATUS_UNSPECIFIED";
  if (said && status === "STATUS_UNSPECIFIED") return <span>{t("old", { when: said })}</span>;
  return <span>{t(status, { when: said })}</span>;
}
