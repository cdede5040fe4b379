/** One thread: who owes an answer and by when; opened, everything said and who has read it. */
import { Button, Textarea } from "@mantine/core";
import { IconArrowBigUpLinesFilled, IconCheck, IconChevronDown } from "@tabler/icons-react";
import { type FormEvent, useId, useState } from "react";
import { useTranslations } from "use-intl";
import { api, read, type Thread } from "@/api/client";
import { useFacilities, useMay, useMe, useStaff } from "@/api/queries";
import { Clock } from "@/ui/clock";
import { Card } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import { type Post, useChange, useThread } from "./hooks";
import styles from "./messaging.module.css";
import { Problem } from "./problem";

interface Props {
  thread: Thread;
  language: string;
}

export function ThreadCard({ thread, language }: Props) {
  const t = useTranslations("messaging.thread");
  const [isOpen, open] = useState(false);
  const id = useId();
  return (
    <Card className={styles.thread}>
      <article aria-labelledby={id} data-thread={thread.id}>
        <header className={styles.head}>
          <h3 id={id}>
            <bdi>{thread.title}</bdi>
          </h3>
          <Owed thread={thread} />
        </header>
        <Standing thread={thread} />
        <div className={styles.actions}>
          <Button
            variant="subtle"
            size="compact-sm"
            aria-expanded={isOpen}
            rightSection={
              <IconChevronDown
                size={16}
                stroke={1.9}
                aria-hidden="true"
                className={styles.chevron}
                data-is-open={isOpen}
              />
            }
            onClick={() => open(!isOpen)}
          >
            {isOpen ? t("hide") : t("show", { count: thread.unreadCount })}
          </Button>
        </div>
        {isOpen && <Said threadId={thread.id} language={language} />}
      </article>
    </Card>
  );
}

/** The clock runs while something is unanswered. */
function Owed({ thread }: { thread: Thread }) {
  const t = useTranslations("messaging.thread");
  const { state, clockTime, lastPostTime, facilityId } = thread;
  if (state === "STATE_CLOSED" || !clockTime) {
    return (
      <span className={styles.done}>
        <IconCheck size={16} stroke={2.2} aria-hidden="true" />
        {state === "STATE_CLOSED" ? t("closed") : t("answered")}
      </span>
    );
  }
  const ticking = { startTime: lastPostTime, dueTime: clockTime, state };
  return <Clock of={ticking} facilityId={facilityId} />;
}

function Standing({ thread }: { thread: Thread }) {
  const t = useTranslations("messaging.thread");
  const facilities = useFacilities();
  const when = useWhen();
  const zone = useZone(thread.facilityId);
  const nameAt = (id: string) => facilities.get(id)?.name ?? t("elsewhere");
  const name = thread.accountableName || t("somebody");
  const due = thread.clockTime ? when.moment(new Date(thread.clockTime), zone) : "";
  const isOpen = thread.state !== "STATE_CLOSED";
  const isAbroad = thread.answeringFacilityId && thread.answeringFacilityId !== thread.facilityId;
  const slots = { asks: nameAt(thread.facilityId), answers: nameAt(thread.answeringFacilityId) };
  return (
    <>
      {isOpen && (
        <p className={styles.standing}>
          {thread.state === "STATE_WAITING" && t("waiting", { name, due })}
          {thread.state === "STATE_ACCEPTED" && due && t("owes", { name, due })}
          {thread.state === "STATE_ACCEPTED" && !due && t("has", { name })}
        </p>
      )}
      {isOpen && thread.escalationLevel > 0 && (
        <p className={styles.escalated}>
          <IconArrowBigUpLinesFilled size={16} aria-hidden="true" />
          <span>{t("escalated", { count: thread.escalationLevel, name })}</span>
        </p>
      )}
      <p className={styles.small}>
        {t(`reasons.${reasonOf(thread)}`)}{" "}
        {t(`priorities.${thread.priority ?? "PRIORITY_ROUTINE"}`)}{" "}
        {isAbroad ? t("between", slots) : t("at", slots)}
        {thread.labels.includes("LABEL_WITHHELD") && ` ${t("withheld", slots)}`}
      </p>
    </>
  );
}

const REASONS = ["PEOPLE", "REPLY", "CRISIS", "UNANSWERED"] as const;
const reasonOf = ({ reason }: Thread) => REASONS.find((each) => each === reason) ?? "PEOPLE";

function Said({ threadId, language }: { threadId: string; language: string }) {
  const t = useTranslations("messaging.thread");
  const thread = useThread(threadId);
  return (
    <Loaded query={thread} title={t("failed")} shape="card">
      {(found) => (
        <>
          <ol className={styles.posts} aria-label={t("said")}>
            {found.posts.map((post) => (
              <PostRow key={post.id} post={post} language={language} />
            ))}
          </ol>
          <Doing thread={found} />
        </>
      )}
    </Loaded>
  );
}

function PostRow({ post, language }: { post: Post; language: string }) {
  const t = useTranslations("messaging.thread");
  const when = useWhen();
  const zone = useZone(post.facilityId);
  const staff = useStaff();
  const facility = useFacilities().get(post.facilityId)?.name ?? t("elsewhere");
  const at = post.time ? when.moment(new Date(post.time), zone) : "";
  const name = post.staffName || t("somebody");
  const readers = post.readByIds.map(
    (id) => staff.find((person) => person.id === id)?.displayName ?? t("somebody"),
  );
  const isPatients = Boolean(post.replyId);
  return (
    <li className={styles.post} data-is-patients={isPatients}>
      <p className={styles.small}>
        {post.staffId && t("by", { name, facility, at })}
        {!post.staffId && (isPatients ? t("byPatient", { at }) : t("byRule", { at }))}
      </p>
      <p className={styles.words} lang={isPatients ? language || undefined : undefined}>
        <bdi>{post.text}</bdi>
      </p>
      <p className={styles.small}>
        {readers.length > 0 ? t("readBy", { names: readers.join(", ") }) : t("unread")}
      </p>
    </li>
  );
}

/** What can be done, by whom: only people of the two facilities take and close. */
function Doing({ thread }: { thread: Thread }) {
  const t = useTranslations("messaging.thread");
  const { send, problem, isBusy } = useChange();
  const me = useMe();
  const mayWrite = useMay("threads.write");
  const params = { path: { threadId: thread.id } };
  const sides = [thread.facilityId, thread.answeringFacilityId];
  const mayChange = mayWrite && me.facilityIds.some((id) => sides.includes(id));
  const body = { etag: thread.etag };
  const isOpen = thread.state !== "STATE_CLOSED";
  return (
    <>
      <div className={styles.actions}>
        {thread.unreadCount > 0 && (
          <Button
            variant="default"
            size="compact-sm"
            disabled={isBusy}
            onClick={() =>
              void send(read(api.POST("/v1/threads/{threadId}:read", { params, body: {} })))
            }
          >
            {t("markRead")}
          </Button>
        )}
        {mayChange && thread.state === "STATE_WAITING" && (
          <Button
            size="compact-sm"
            disabled={isBusy}
            onClick={() =>
              void send(read(api.POST("/v1/threads/{threadId}:accept", { params, body })))
            }
          >
            {t("accept")}
          </Button>
        )}
        {mayChange && thread.state === "STATE_ACCEPTED" && (
          <Button
            variant="default"
            size="compact-sm"
            disabled={isBusy}
            onClick={() =>
              void send(read(api.POST("/v1/threads/{threadId}:close", { params, body })))
            }
          >
            {t("close")}
          </Button>
        )}
      </div>
      <Problem>{problem}</Problem>
      {mayWrite && isOpen && <PostForm threadId={thread.id} />}
      {!isOpen && <p className={styles.small}>{t("isClosed")}</p>}
    </>
  );
}

const MOST_TEXT = 4000;

function PostForm({ threadId }: { threadId: string }) {
  const t = useTranslations("messaging.thread");
  const { send, problem, isBusy } = useChange();
  const [text, write] = useState("");
  const params = { path: { threadId } };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const asked = api.POST("/v1/threads/{threadId}:post", { params, body: { text: text.trim() } });
    if (await send(read(asked))) write("");
  };
  return (
    <form onSubmit={(event) => void submit(event)} className={styles.form}>
      <Textarea
        label={t("write")}
        autosize
        minRows={2}
        maxLength={MOST_TEXT}
        value={text}
        onChange={(event) => write(event.currentTarget.value)}
      />
      <div className={styles.actions}>
        <Button type="submit" size="compact-md" disabled={isBusy || !text.trim()}>
          {t("post")}
        </Button>
      </div>
      <Problem>{problem}</Problem>
    </form>
  );
}
