/** Feeds: does everything add up, who is silent, what was set aside, and what would become of a message. */
import { Button } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Feed, FeedMessage } from "@/api/client";
import { Page } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { FeedList } from "./feed-list";
import styles from "./feeds.module.css";
import { useFeeds } from "./hooks";
import { MessageDialog } from "./message-dialog";
import { Messages } from "./messages";
import { Refusals } from "./refusals";
import { SetAside } from "./set-aside";
import { SumLine } from "./sum";
import { type Draft, TryMessage } from "./try-message";

export function FeedsPage() {
  const t = useTranslations("feeds");
  const query = useFeeds();
  return (
    <Page
      title={t("title")}
      actions={
        <Button
          component="a"
          href="#try"
          variant="default"
          size="xs"
          className={styles.tryLink}
          leftSection={<IconPlugConnected size={16} stroke={1.9} aria-hidden="true" />}
        >
          {t("tryLink")}
        </Button>
      }
    >
      <Loaded query={query} title={t("failed")}>
        {(feeds) => <Feeds feeds={feeds} />}
      </Loaded>
    </Page>
  );
}

function Feeds({ feeds }: { feeds: Feed[] }) {
  const search = useSearch({ from: "/shell/feeds" });
  const go = useNavigate({ from: "/feeds" });
  const [draft, write] = useState<Draft>({ text: "", feedId: "" });
  const listed = useListed(search.message);
  const close = () =>
    void go({ search: (old) => ({ ...old, message: undefined }), resetScroll: false });
  const tryIt = (text: string, feedId: string) => {
    write({ text, feedId });
    close();
    document.getElementById("try")?.scrollIntoView();
  };
  return (
    <>
      <SumLine feeds={feeds} />
      <div className={styles.columns}>
        <div className={styles.main}>
          <FeedList feeds={feeds} openId={search.feed} />
          {search.state ? (
            <Messages feeds={feeds} feedId={search.feed} state={search.state} />
          ) : (
            <SetAside feeds={feeds} feedId={search.feed} />
          )}
          <Refusals feeds={feeds} />
        </div>
        <TryMessage feeds={feeds} draft={draft} write={write} />
      </div>
      {search.message && (
        <MessageDialog
          messageId={search.message}
          listed={listed}
          feeds={feeds}
          close={close}
          tryIt={tryIt}
        />
      )}
    </>
  );
}

/** What the lists that are loaded already say of a message. */
function useListed(messageId?: string): FeedMessage | undefined {
  const queries = useQueryClient();
  if (!messageId) return undefined;
  type Listed = { messages?: FeedMessage[]; pages?: { messages: FeedMessage[] }[] } | undefined;
  return queries
    .getQueriesData<Listed>({ queryKey: ["messages"] })
    .flatMap(([, data]) => [
      data?.messages ?? [],
      ...(data?.pages ?? []).map((page) => page.messages),
    ])
    .flat()
    .find(({ id }) => id === messageId);
}
