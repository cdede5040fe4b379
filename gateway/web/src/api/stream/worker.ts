/** One stream of changes for all tabs of a browser. */
import { holdLine, type Line, type Told } from "./line";

export type Asked = "join" | "again" | "leave";

const ports = new Set<MessagePort>();
let line: Line | null = null;

function tell(told: Told): void {
  for (const port of ports) port.postMessage(told);
}

const answers: Record<Asked, (port: MessagePort) => void> = {
  join(port) {
    ports.add(port);
    if (line?.openAt) port.postMessage({ kind: "open", at: line.openAt } satisfies Told);
    if (line) line.again();
    else line = holdLine({ tell });
  },
  again: () => line?.again(),
  leave(port) {
    ports.delete(port);
    if (ports.size) return;
    line?.close();
    line = null;
  },
};

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  if (!port) return;
  port.onmessage = ({ data }: MessageEvent<Asked>) => answers[data](port);
});
