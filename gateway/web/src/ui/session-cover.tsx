/** Signs out after ten minutes without use, and covers what is on the screen until the same person signs in over it. */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import { meQuery, useMe } from "@/api/queries";
import { session, signOut, useEnded } from "@/api/session";
import { MINUTE } from "./moments";
import styles from "./shell.module.css";

const IDLE_MS = 10 * MINUTE;
const TELL_MS = MINUTE / 3;
const ASK_MS = 2 * MINUTE;
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

export function SessionCover({ children }: { children: ReactNode }) {
  const t = useTranslations("shell.signIn");
  const ended = useEnded();
  const me = useMe();
  const queries = useQueryClient();
  useIdle(!ended);
  useEffect(() => {
    if (!ended) return;
    return session.onSignedIn(async () => {
      const now = await queries.fetchQuery({ ...meQuery, staleTime: 0 });
      if (now.staffMember.id !== me.staffMember.id) location.assign("/");
      session.resume();
      void queries.invalidateQueries();
    });
  }, [ended, me.staffMember.id, queries]);
  return (
    <>
      <div className={styles.covered} inert={Boolean(ended)} data-is-covered={Boolean(ended)}>
        {children}
      </div>
      {ended && (
        <Cover>
          <h2 id="cover-title">{t("again")}</h2>
          <p>{ended === "idle" ? t("idleText") : t("againText")}</p>
          <Button component="a" href="/signin?next=/signed-in" target="_blank" autoFocus>
            {t("button")}
          </Button>
        </Cover>
      )}
    </>
  );
}

/** Above everything, dialogs and menus too, which are outside of what it covers: the browser lets nothing else be reached. */
function Cover({ children }: { children: ReactNode }) {
  const cover = useRef<HTMLDialogElement>(null);
  const open = () => {
    if (!cover.current?.open) cover.current?.showModal();
  };
  useEffect(open, []);
  return (
    <dialog
      ref={cover}
      className={styles.cover}
      role="alertdialog"
      aria-labelledby="cover-title"
      // Escape closes nothing here: some browsers let it the second time.
      onCancel={(event) => event.preventDefault()}
      onClose={open}
    >
      {children}
    </dialog>
  );
}

/** Signs out when nobody uses any window; tells the hub while somebody does, which sees only requests. */
function useIdle(isWatching: boolean): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (!isWatching) return;
    let usedAt = Date.now();
    let toldAt = usedAt;
    let askedAt = usedAt;
    const used = () => {
      usedAt = Date.now();
      if (usedAt - toldAt < TELL_MS) return;
      toldAt = usedAt;
      session.tellUsed();
    };
    const forget = session.onUsed(() => {
      usedAt = Date.now();
    });
    const timer = setInterval(() => {
      if (Date.now() - usedAt >= IDLE_MS) {
        session.end("idle");
        void signOut().catch(() => undefined);
      } else if (Date.now() - askedAt >= ASK_MS && usedAt > askedAt) {
        askedAt = Date.now();
        void queries.invalidateQueries({ queryKey: meQuery.queryKey });
      }
    }, MINUTE / 4);
    for (const sign of SIGNS_OF_LIFE) addEventListener(sign, used, { passive: true });
    return () => {
      forget();
      clearInterval(timer);
      for (const sign of SIGNS_OF_LIFE) removeEventListener(sign, used);
    };
  }, [isWatching, queries]);
}
