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
  later: (change: Later) => void;
  say: (said: Said) => void;
  /** The key of the change that waits or is being sent. */
  waitingFor: string;
}

type Shown = { kind: "later"; change: Later } | { kind: "said"; said: Said } | null;

const Context = createContext<Toasts>({
  later: () => undefined,
  say: () => undefined,
  waitingFor: "",
});
export const useToasts = () => useContext(Context);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, show] = useState<Shown>(null);
  const [waitingFor, waitFor] = useState("");
  const waiting = useRef<Later | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const expire = useCallback((then: () => void) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(then, SHOWN_MS);
  }, []);

  const say = useCallback(
    (said: Said) => {
      show({ kind: "said", said });
      expire(() => show(null));
    },
    [expire],
  );

  const flush = useCallback(() => {
    const change = waiting.current;
    if (!change) return;
    waiting.current = null;
    clearTimeout(timer.current);
    show(null);
    change
      .send()
      .then(() => say({ text: change.saved }), change.failed)
      .finally(() => waitFor((key) => (key === change.key ? "" : key)));
  }, [say]);

  const later = useCallback(
    (change: Later) => {
      flush();
      waiting.current = change;
      waitFor(change.key);
      show({ kind: "later", change });
      expire(flush);
    },
    [flush, expire],
  );

  const undo = useCallback(() => {
    clearTimeout(timer.current);
    if (waiting.current) {
      waiting.current.undone?.();
      waiting.current = null;
      waitFor("");
    } else if (shown?.kind === "said") {
      shown.said.undo?.();
    }
    show(null);
  }, [shown]);

  // Whoever closes the window has not undone it.
  useEffect(() => {
    window.addEventListener("pagehide", flush);
    return () => window.removeEventListener("pagehide", flush);
  }, [flush]);

  const value = useMemo(() => ({ later, say, waitingFor }), [later, say, waitingFor]);
  return (
    <Context.Provider value={value}>
      {children}
      <div className={styles.place} aria-live="polite">
        {shown && <Toast shown={shown} undo={undo} flush={flush} close={() => show(null)} />}
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
