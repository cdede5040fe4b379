/** Single-letter keys: off while somebody types, and for those who switch them off (WCAG 2.1.4). */
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { kept } from "./kept";
import styles from "./keys.module.css";

type Handler = (event: KeyboardEvent) => void;
export type KeyMap = Record<string, Handler | undefined | false>;

interface Switch {
  isOn: boolean;
  turn: (isOn: boolean) => void;
}

const Keys = createContext<Switch>({ isOn: true, turn: () => undefined });
export const useKeySwitch = () => useContext(Keys);

export function KeysProvider({ children }: { children: ReactNode }) {
  const [isOn, setOn] = useState(() => kept.get("keys") !== "off");
  useEffect(() => {
    window.addEventListener("keydown", noteDialog, { capture: true });
    return () => window.removeEventListener("keydown", noteDialog, { capture: true });
  }, []);
  const value = useMemo(() => {
    const turn = (on: boolean) => {
      kept.set("keys", on ? "" : "off");
      setOn(on);
    };
    return { isOn, turn };
  }, [isOn]);
  return <Keys.Provider value={value}>{children}</Keys.Provider>;
}

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return Boolean(
    element?.closest?.(
      "input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]",
    ),
  );
}

/** Keys that were pressed in a dialog or a menu. The one that closes it is not the page's, though nothing is open when the page hears of it. */
const ofDialogs = new WeakSet<KeyboardEvent>();

function noteDialog(event: KeyboardEvent): void {
  if (document.querySelector('[role="dialog"],[role="menu"]')) ofDialogs.add(event);
}

const ALWAYS = new Set(["Escape", "Enter", "ArrowDown", "ArrowUp"]);
const SEQUENCE_MS = 1000;

/** Say what keys do, such as `{ j: next, "g w": toWorklist, Enter: open }`. The newest handlers are used. */
export function useKeys(map: KeyMap): void {
  const { isOn } = useKeySwitch();
  const latest = useRef(map);
  latest.current = map;
  const isOnNow = useRef(isOn);
  isOnNow.current = isOn;
  useEffect(() => {
    let first = "";
    let firstAt = 0;
    const handlerOf = (key: string): Handler | undefined => {
      const isSecond = Date.now() - firstAt < SEQUENCE_MS;
      const found = (isSecond && latest.current[`${first} ${key}`]) || latest.current[key];
      first = key;
      firstAt = found ? 0 : Date.now();
      return found || undefined;
    };
    const onKey = (event: KeyboardEvent) => {
      if (!isOurs(event) || !(isOnNow.current || ALWAYS.has(event.key))) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const handler = handlerOf(key);
      if (!handler) return;
      event.preventDefault();
      handler(event);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

function isOurs(event: KeyboardEvent): boolean {
  const hasModifier = event.ctrlKey || event.metaKey || event.altKey;
  return (
    !event.defaultPrevented && !hasModifier && !isTyping(event.target) && !ofDialogs.has(event)
  );
}

/** A key cap beside a word. People who listen hear `aria-keyshortcuts` of the control instead. */
export function Cap({ children }: { children: ReactNode }) {
  const { isOn } = useKeySwitch();
  if (!isOn) return null;
  return (
    <span className={styles.cap} aria-hidden="true">
      {children}
    </span>
  );
}

/** What is said of keys: nothing where there are none. */
export function OfKeys({ children }: { children: ReactNode }) {
  return <span className={styles.ofKeys}>{children}</span>;
}
