/** A tab's end of the stream: through the browser's one worker, or by itself where there are no shared workers. */
import { holdLine, type Line, type Told } from "./line";
import type { Asked } from "./worker";

/** Hear the stream until it is closed. */
export function openStream(hear: (told: Told) => void): Omit<Line, "openAt"> {
  let own: Line | null = null;
  const alone = () => {
    own ??= holdLine({ tell: hear });
  };
  const worker = sharedWorker();
  if (!worker) alone();
  const ask = (asked: Asked) => worker?.port.postMessage(asked);
  if (worker) {
    worker.port.onmessage = ({ data }: MessageEvent<Told>) => hear(data);
    worker.onerror = alone; // it could not be loaded
    ask("join");
  }
  return {
    again: () => (own ? own.again() : ask("again")),
    close() {
      own?.close();
      ask("leave");
      worker?.port.close();
    },
  };
}

function sharedWorker(): SharedWorker | null {
  if (typeof SharedWorker === "undefined") return null;
  try {
    // Written in one piece, or the build does not see that it is a worker.
    return new SharedWorker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: "carehub",
    });
  } catch {
    return null; // a browser that forbids it
  }
}
