/** One toast at a time, bottom left, for ten seconds: what you did, and the way back. */
import { IconCheck, IconHourglass, IconX } from "@tabler/icons-react";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useTranslations } from "use-intl";
import { Cap, useKeys } from "./keys";
import styles from "./toasts.module.css";

const SHOWN_MS = 10_000;

/** A change that is sent when its time to undo is over: until then nobody else has seen it. */
export interface Later {
  /** What it is about, such as a task's id: lists hide or mark it while it waits. */
  key: string;
  /** "Saving in a moment: Reached, …" Nothing is saved yet, and the words do not say so. */
  waiting: string;
  /** "Saved. Reached, …" */
  saved: string;
  send: () => Promise<unknown>;
  undone?: () => void;
  failed: (error: unknown) => void;
}

/** A change that has happened, and what takes it back, if anything does. */
export interface Said {
  text: string;
  undo?: () => void;
}

interface Toasts {
  /** Do it in ten seconds, unless it is undone. What waited until now is sent. */
  later: (change: Later) => void;
  /** Say what has happened. What waited until now is sent: there is one way back, and it is the newest. */
  say: (said: Said) => void;
  /** Send what waits. False if that, or what was on its way, was not saved. */
  settle: () => Promise<boolean>;
  /** Whether the change of this key waits or is being sent. */
  isWaiting: (key: string) => boolean;
}

type Shown = { kind: "later"; change: Later } | { kind: "said"; said: Said } | null;

const Context = createContext<Toasts>({
  later: () => undefined,
  say: () => undefined,
  settle: () => Promise.resolve(true),
  isWaiting: () => false,
});
export const useToasts = () => useContext(Context);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, show] = useState<Shown>(null);
  const [waiting, wait] = useState<readonly Later[]>([]);
  // What is on the screen now, which is the change that waits for its time if one does; and what is on its way.
  const now = useRef<Shown>(null);
  const sending = useRef(new Set<Promise<boolean>>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const put = useCallback((next: Shown, over: () => void) => {
    clearTimeout(timer.current);
    now.current = next;
    show(next);
    if (next) timer.current = setTimeout(over, SHOWN_MS);
  }, []);
  const close = useCallback(() => put(null, () => undefined), [put]);

  const flush = useCallback(() => {
    if (now.current?.kind !== "later") return;
    const { change } = now.current;
    close();
    const sent = change.send().then(
      () => {
        // Whoever has done something else since is told of that.
        if (!now.current) put({ kind: "said", said: { text: change.saved } }, close);
        return true;
      },
      (error: unknown) => {
        change.failed(error);
        return false;
      },
    );
    sending.current.add(sent);
    void sent.finally(() => {
      sending.current.delete(sent);
      wait((all) => all.filter((each) => each !== change));
    });
  }, [close, put]);

  const say = useCallback(
    (said: Said) => {
      flush();
      put({ kind: "said", said }, close);
    },
    [close, flush, put],
  );

  const later = useCallback(
    (change: Later) => {
      flush();
      wait((all) => [...all, change]);
      put({ kind: "later", change }, flush);
    },
    [flush, put],
  );

  const settle = useCallback(async () => {
    flush();
    return (await Promise.all(sending.current)).every(Boolean);
  }, [flush]);

  const undo = useCallback(() => {
    const last = now.current;
    close();
    if (last?.kind === "later") {
      last.change.undone?.();
      wait((all) => all.filter((each) => each !== last.change));
    }
    if (last?.kind === "said") last.said.undo?.();
  }, [close]);

  // Whoever closes the window has not undone it.
  useEffect(() => {
    window.addEventListener("pagehide", flush);
    return () => window.removeEventListener("pagehide", flush);
  }, [flush]);

  const value = useMemo(() => {
    const isWaiting = (key: string) => waiting.some((each) => each.key === key);
    return { later, say, settle, isWaiting };
  }, [later, say, settle, waiting]);
  return (
    <Context.Provider value={value}>
      {children}
      <div className={styles.place} aria-live="polite">
        {shown && <Toast shown={shown} undo={undo} flush={flush} close={close} />}
      </div>
    </Context.Provider>
  );
}

function Toast(props: {
  shown: NonNullable<Shown>;
  undo: () => void;
  flush: () => void;
  close: () => void;
}) {
  const { shown, undo, flush, close } = props;
  const t = useTranslations("shell.toast");
  const isLater = shown.kind === "later";
  const canUndo = isLater || Boolean(shown.said.undo);
  useKeys({ z: canUndo && undo });
  const Icon = isLater ? IconHourglass : IconCheck;
  return (
    <div className={styles.toast}>
      <Icon size={18} stroke={1.9} aria-hidden="true" />
      <span className={styles.text}>{isLater ? shown.change.waiting : shown.said.text}</span>
      {canUndo && (
        <button type="button" className={styles.undo} aria-keyshortcuts="z" onClick={undo}>
          {t("undo")} <Cap>Z</Cap>
        </button>
      )}
      {isLater ? (
        <button type="button" className={styles.undo} onClick={flush}>
          {t("now")}
        </button>
      ) : (
        <button type="button" className={styles.close} aria-label={t("close")} onClick={close}>
          <IconX size={16} stroke={1.9} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}
