/** Keeps what is on the screen as it is in the hub: hears the stream, and asks again for what it touches. */
import type { QueryClient } from "@tanstack/react-query";
import { gathered, isTouched, NOTHING_WAITS, type Waiting } from "./changes";
import { session } from "./session";
import { SILENT_MS, type Told } from "./stream/line";
import { openStream } from "./stream/open";

/** A burst is asked for once, and a busy region once a second. */
const BURST_MS = 100;
const ASK_EVERY_MS = 1_000;
/** An answer that takes longer holds up no others. */
const PATIENCE_MS = 8_000;
const LOOK_MS = 5_000;

export class Live {
  private startedAt = Date.now();
  private heardAt = Date.now();
  private silentSince: number | null = null;
  private waiting: Waiting = NOTHING_WAITS;
  private askedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAsking = false;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly queries: QueryClient,
    private readonly open = openStream,
  ) {}

  /** Hear the stream until the returned function is called. */
  start(): () => void {
    this.startedAt = this.heardAt = Date.now();
    const open = () => this.open((told) => this.hear(told));
    let stream = open();
    const look = setInterval(() => this.look(), LOOK_MS);
    const heard: [string, (event: Event) => void][] = [
      ["online", () => stream.again()],
      ["pagehide", () => stream.close()],
      [
        "pageshow",
        (event) => {
          if (!(event as PageTransitionEvent).persisted) return;
          stream = open(); // a page that a browser kept and shows again: it has missed what happened
          this.take([{ kind: "resync" }]);
        },
      ],
    ];
    for (const [name, listener] of heard) addEventListener(name, listener);
    return () => {
      for (const [name, listener] of heard) removeEventListener(name, listener);
      clearInterval(look);
      clearTimeout(this.timer);
      this.timer = undefined;
      this.waiting = NOTHING_WAITS;
      stream.close();
    };
  }

  /** When the hub was heard last, if that is too long ago; null while it is live. */
  readonly since = (): number | null => this.silentSince;

  readonly subscribe = (tell: () => void): (() => void) => {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  };

  hear(told: Told): void {
    if (told.kind === "over") {
      session.end("over");
      return;
    }
    this.heardAt = Date.now();
    this.look();
    // What was asked before the stream was open may have changed since.
    if (told.kind === "open" && told.at > this.startedAt) this.take([{ kind: "resync" }]);
    if (told.kind === "frames") this.take(told.frames);
  }

  private look(): void {
    const since = Date.now() - this.heardAt > SILENT_MS ? this.heardAt : null;
    if (since === this.silentSince) return;
    this.silentSince = since;
    for (const tell of this.listeners) tell();
  }

  private take(frames: Parameters<typeof gathered>[1]): void {
    this.waiting = gathered(this.waiting, frames);
    if (this.timer || this.isAsking) return;
    const wait = Math.max(BURST_MS, this.askedAt + ASK_EVERY_MS - Date.now());
    this.timer = setTimeout(() => void this.ask(), wait);
  }

  /** Ask again for what is touched and on the screen; the rest is asked when it is looked at. */
  private async ask(): Promise<void> {
    this.timer = undefined;
    const { waiting } = this;
    this.waiting = NOTHING_WAITS;
    this.askedAt = Date.now();
    this.isAsking = true;
    const asked = this.queries.invalidateQueries({
      predicate: ({ queryKey }) => isTouched(waiting, queryKey),
      refetchType: document.hidden ? "none" : "active",
    });
    await Promise.race([asked, new Promise((late) => setTimeout(late, PATIENCE_MS))]);
    this.isAsking = false;
    if (this.waiting !== NOTHING_WAITS) this.take([]);
  }
}
