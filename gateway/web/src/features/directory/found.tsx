/** Who was found: those who fit, the best first; and those who do not, with why not. */
import { useTranslations } from "use-intl";
import type { Match } from "@/api/client";
import { Capacity } from "@/features/referrals/matches";
import { RowButton } from "@/ui/list-and-detail";
import { Card } from "@/ui/page";
import { Empty } from "@/ui/states";
import styles from "./directory.module.css";
import { useAreaWords, useLanguageWords } from "./words";

interface Props {
  found: Match[];
  chosenId: string;
  open: (serviceId: string) => void;
}

export function Found({ found, chosenId, open }: Props) {
  const t = useTranslations("directory");
  const fitting = found.filter(({ fits }) => fits);
  const others = found.filter(({ fits }) => !fits);
  if (found.length === 0) {
    return (
      <Card>
        <Empty title={t("nobody")}>{t("nobodyText")}</Empty>
      </Card>
    );
  }
  // Those who do not fit are folded away: with nobody chosen the first of all is the first that shows, or the first inside.
  const tabStop = found.some(({ service }) => service.id === chosenId)
    ? chosenId
    : [...fitting, ...others][0]?.service.id;
  const rows = (matches: Match[]) => (
    <ul className={styles.list}>
      {matches.map((match) => (
        <Row
          key={match.service.id}
          match={match}
          isChosen={match.service.id === chosenId}
          isTabStop={match.service.id === tabStop}
          open={() => open(match.service.id)}
        />
      ))}
    </ul>
  );
  return (
    <Card>
      <p className={styles.count} role="status">
        {t("fits", { count: fitting.length })}
      </p>
      {fitting.length > 0 && rows(fitting)}
      {others.length > 0 && (
        <details className={styles.others}>
          <summary>{t("fitsNot", { count: others.length })}</summary>
          {rows(others)}
        </details>
      )}
    </Card>
  );
}

interface RowProps {
  match: Match;
  isChosen: boolean;
  isTabStop: boolean;
  open: () => void;
}

function Row({ match: { service, fits, reasons }, isChosen, isTabStop, open }: RowProps) {
  const t = useTranslations("directory");
  const areaOf = useAreaWords();
  const languagesOf = useLanguageWords();
  const against = reasons.filter(({ isFor }) => !isFor);
  return (
    <li>
      <RowButton className={styles.row} isChosen={isChosen} isTabStop={isTabStop} onClick={open}>
        <span className={styles.who}>
          <bdi className={styles.name}>{service.name}</bdi>{" "}
          <bdi className={styles.small}>{service.organizationName}</bdi>
        </span>{" "}
        <span className={styles.small}>
          <Capacity service={service} />
        </span>{" "}
        <span className={styles.small}>{areaOf(service)}</span>{" "}
        <span className={styles.small}>{languagesOf(service)}</span>
        {!fits && against.length > 0 && (
          <span className={styles.against}>
            {t("because")} <span lang="en">{against.map(({ text }) => text).join(" ")}</span>
          </span>
        )}
      </RowButton>
    </li>
  );
}
