/** What was answered with AE or AR, of one feed or of senders that no feed knows. */
import { NativeSelect } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Feed } from "@/api/client";
import { Card } from "@/ui/page";
import { ShowMore } from "@/ui/show-more";
import { Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import { useRefusals } from "./hooks";
import styles from "./messages.module.css";
import { useReason } from "./words";

export function Refusals({ feeds }: { feeds: Feed[] }) {
  const t = useTranslations("feeds.refusals");
  const [isOpen, open] = useState(false);
  return (
    <Card>
      <details className={styles.refusals} onToggle={(event) => open(event.currentTarget.open)}>
        <summary>
          <h2>{t("title")}</h2>
          <span className={styles.beside}>{t("text")}</span>
        </summary>
        {isOpen && <List feeds={feeds} />}
      </details>
    </Card>
  );
}

function List({ feeds }: { feeds: Feed[] }) {
  const t = useTranslations("feeds.refusals");
  const [feedId, choose] = useState("");
  const query = useRefusals(feedId);
  const when = useWhen();
  const zone = useZone(feeds.find(({ id }) => id === feedId)?.facilityId ?? "");
  const data = [
    { value: "", label: t("unknown") },
    ...feeds.map(({ id, name }) => ({ value: id, label: name })),
  ];
  return (
    <>
      <div className={styles.refusalsOf}>
        <NativeSelect
          size="xs"
          label={t("of")}
          value={feedId}
          onChange={(event) => choose(event.currentTarget.value)}
          data={data}
        />
      </div>
      <Loaded query={query} shape="card">
        {({ pages }) =>
          pages[0]?.refusals.length === 0 ? (
            <p className={styles.foot}>
              {t("empty")} {!feedId && t("hidden")}
            </p>
          ) : (
            <ul className={styles.messages}>
              {pages
                .flatMap(({ refusals }) => refusals)
                .map((refusal) => (
                  <li key={refusal.id} className={styles.message}>
                    <span className={styles.groupTime}>
                      {refusal.time && when.moment(new Date(refusal.time), zone)}
                    </span>
                    <div className={styles.groupFeed}>
                      <span>
                        <strong>{refusal.code}</strong> {refusal.errorCode || ""}
                      </span>
                      <span className={styles.second}>
                        {refusal.peer
                          ? t("row", { bytes: Number(refusal.sizeBytes), peer: refusal.peer })
                          : t("noPeer", { bytes: Number(refusal.sizeBytes) })}
                      </span>
                    </div>
                    <Why reason={refusal.reason} explanation={refusal.explanation} />
                  </li>
                ))}
            </ul>
          )
        }
      </Loaded>
      {query.hasNextPage && (
        <footer className={styles.more}>
          <ShowMore query={query}>{t("more")}</ShowMore>
        </footer>
      )}
    </>
  );
}

function Why({ reason, explanation }: { reason: string; explanation: string }) {
  const words = useReason()(reason, explanation);
  return (
    <div className={styles.groupWhy}>
      <strong>{words.what}</strong>
      {words.fix && <span>{words.fix}</span>}
      {explanation && explanation !== words.what && (
        <span className={styles.said} lang="en">
          {explanation}
        </span>
      )}
    </div>
  );
}
