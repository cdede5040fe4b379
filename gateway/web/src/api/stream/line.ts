/** Holds one connection to the hub's stream of changes, whatever happens to it. Runs in a worker or in a tab. */
import { type Frame, frameReader } from "./frames";

const PATH = "/v1/stream";
/** The hub says something every fifteen seconds, if only that it is there. */
export const SILENT_MS = 30_000;
const LOOK_MS = 5_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const SIGNED_OUT = 401;

/** What a line tells: since when it is open, that it is not silent, what it heard, that nobody is signed in. */
export type Told =
  | { kind: "open"; at: number }
  | { kind: "beat" | "over" }
  | { kind: "frames"; frames: Frame[] };

export interface Line {
  /** Since when; 0 while it is not. */
  readonly openAt: number;
  /** Try now: somebody signed in, the network is back. */
  again: () => void;
  close: () => void;
}

interface Means {
  tell: (told: Told) => void;
  fetch?: typeof fetch;
  random?: () => number;
}

/** How long to wait before the next try: longer and longer, and not everybody at once. */
export function backoff(tries: number, random: number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
  return most / 2 + (most / 2) * random;
}

export function holdLine(means: Means): Line {
  const line = new Hold(means);
  void line.run();
  return line;
}

class Hold implements Line {
  openAt = 0;
  private isClosed = false;
  private tries = 0;
  private stop = new AbortController();
  private wake: () => void = () => undefined;

  constructor(private readonly means: Means) {}

  again(): void {
    this.tries = 0;
    this.wake();
  }

  close(): void {
    this.isClosed = true;
    this.stop.abort();
    this.wake();
  }

  async run(): Promise<void> {
    const { tell, random = Math.random } = this.means;
    while (!this.isClosed) {
      const isSignedIn = await this.listen();
      if (this.isClosed) return;
      if (!isSignedIn) tell({ kind: "over" });
      await this.pause(isSignedIn ? backoff(this.tries++, random()) : undefined);
    }
  }

  /** Listen until the stream ends, breaks, or is silent for too long. Returns whether somebody is signed in. */
  private async listen(): Promise<boolean> {
    const { fetch = globalThis.fetch } = this.means;
    this.stop = new AbortController();
    const watch = new Watch(this.stop);
    try {
      const response = await fetch(PATH, { signal: this.stop.signal, cache: "no-store" });
      if (response.ok && response.body) await this.hear(response.body, watch);
      return response.status !== SIGNED_OUT;
    } catch {
      return true; // no network, or the hub starts anew: the next try tells
    } finally {
      watch.end();
      this.openAt = 0;
    }
  }

  private async hear(body: ReadableStream<Uint8Array>, watch: Watch): Promise<void> {
    const { tell } = this.means;
    const reader = body.getReader();
    const framesOf = frameReader();
    const text = new TextDecoder();
    for (let got = await reader.read(); !got.done; got = await reader.read()) {
      if (this.isClosed) return;
      watch.heard();
      this.tries = 0;
      if (!this.openAt) {
        this.openAt = Date.now();
        tell({ kind: "open", at: this.openAt });
      }
      const frames = framesOf(text.decode(got.value, { stream: true }));
      tell(frames.length ? { kind: "frames", frames } : { kind: "beat" });
    }
  }

  /** For so long, or until there is a reason to try. */
  private pause(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Gives a connection up that is silent for too long, be it that the machine slept. */
class Watch {
  private heardAt = Date.now();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(stop: AbortController) {
    this.timer = setInterval(() => {
      if (Date.now() - this.heardAt > SILENT_MS) stop.abort();
    }, LOOK_MS);
  }

  heard(): void {
    this.heardAt = Date.now();
  }

  end(): void {
    clearInterval(this.timer);
  }
}
