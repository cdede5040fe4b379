/** Whether the browser's session lasts. The secret is in a cookie that no script sees. */
import { useSyncExternalStore } from "react";

/** "idle": nobody touched the screen for ten minutes, and we signed out. "over": the server says so. */
export type Ended = "idle" | "over" | null;

let ended: Ended = null;
const listeners = new Set<() => void>();
const channel = new BroadcastChannel("carehub-session");

type Word = "signed-in" | "used";

function onWord(word: Word, heard: () => void): () => void {
  const listener = ({ data }: MessageEvent<Word>) => data === word && heard();
  channel.addEventListener("message", listener);
  return () => channel.removeEventListener("message", listener);
}

export const session = {
  end(why: Exclude<Ended, null>) {
    if (ended) return;
    ended = why;
    for (const tell of listeners) tell();
  },
  resume() {
    ended = null;
    for (const tell of listeners) tell();
  },
  /** A window that has just signed in tells the others. */
  tellSignedIn: () => channel.postMessage("signed-in" satisfies Word),
  onSignedIn: (heard: () => void) => onWord("signed-in", heard),
  /** Whoever uses one window has not left the others. */
  tellUsed: () => channel.postMessage("used" satisfies Word),
  onUsed: (heard: () => void) => onWord("used", heard),
  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },
};

export const useEnded = (): Ended => useSyncExternalStore(session.subscribe, () => ended);

/** End the session here and at the provider. Returns where the provider wants to see the browser, else `home`. */
export async function signOut(home = "/"): Promise<string> {
  const response = await fetch("/signout", {
    method: "POST",
    headers: { Accept: "application/json" },
  });
  const answer: unknown = response.ok ? await response.json() : {};
  const { location = home } = answer as { location?: string };
  return location;
}
