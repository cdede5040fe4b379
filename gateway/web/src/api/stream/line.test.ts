import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backoff, holdLine, SILENT_MS, type Told } from "./line";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A hub that answers each connection with what the test says. */
function aHub() {
  const open: { say: (text: string) => void; end: () => void; signal?: AbortSignal }[] = [];
  const answers: (number | "no network")[] = [];
  const connect = async (_: unknown, { signal }: RequestInit = {}) => {
    const answer = answers.shift() ?? 200;
    if (answer === "no network") throw new TypeError("Failed to fetch");
    if (answer !== 200) return new Response(null, { status: answer });
    const text = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const { enqueue, close, error } = {
          enqueue: (piece: string) => controller.enqueue(text.encode(piece)),
          close: () => controller.close(),
          error: () => controller.error(new DOMException("", "AbortError")),
        };
        signal?.addEventListener("abort", error);
        open.push({ say: enqueue, end: close, signal: signal ?? undefined });
      },
    });
    return new Response(body);
  };
  const told: Told[] = [];
  const kinds = () => told.map(({ kind }) => kind);
  const hold = () =>
    holdLine({ tell: (one) => told.push(one), fetch: connect as typeof fetch, random: () => 1 });
  return { open, answers, told, kinds, hold };
}

const soon = () => vi.advanceTimersByTimeAsync(0);
const HELLO = "retry: 3000\nid: 1\n\n";
const TASK = 'event: task\ndata: {"id":"t1","patientId":"p1"}\n\n';

describe("a line", () => {
  test("tells that it is open, what it hears, and that it is not silent", async () => {
    const hub = aHub();
    const line = hub.hold();
    await soon();
    hub.open[0]?.say(HELLO);
    await soon();
    hub.open[0]?.say(TASK);
    await soon();
    expect(hub.kinds()).toEqual(["open", "beat", "frames"]);
    expect(line.openAt).toBeGreaterThan(0);
    line.close();
  });

  test("comes back when the stream ends, and says again that it is open", async () => {
    const hub = aHub();
    const line = hub.hold();
    await soon();
    hub.open[0]?.say(HELLO);
    await soon();
    hub.open[0]?.end();
    await soon();
    expect(line.openAt).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    hub.open[1]?.say(HELLO);
    await soon();
    expect(hub.kinds()).toEqual(["open", "beat", "open", "beat"]);
    line.close();
  });

  test("gives up a connection that is silent, and takes a new one", async () => {
    const hub = aHub();
    const line = hub.hold();
    await soon();
    hub.open[0]?.say(HELLO);
    await vi.advanceTimersByTimeAsync(SILENT_MS + 6_000);
    expect(hub.open[0]?.signal?.aborted).toBe(true);
    expect(hub.open).toHaveLength(2);
    line.close();
  });

  test("waits longer and longer without a network, and tries at once when asked to", async () => {
    const hub = aHub();
    hub.answers.push("no network", 503, "no network");
    const line = hub.hold();
    await vi.advanceTimersByTimeAsync(1_000 + 2_000);
    expect(hub.answers).toEqual([]);
    expect(hub.open).toHaveLength(0);
    line.again();
    await soon();
    expect(hub.open).toHaveLength(1);
    line.close();
  });

  test("says that nobody is signed in, and rests until somebody is", async () => {
    const hub = aHub();
    hub.answers.push(401);
    const line = hub.hold();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(hub.kinds()).toEqual(["over"]);
    expect(hub.open).toHaveLength(0);
    line.again();
    await soon();
    expect(hub.open).toHaveLength(1);
    line.close();
  });

  test("is closed for good", async () => {
    const hub = aHub();
    const line = hub.hold();
    await soon();
    line.close();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(hub.open).toHaveLength(1);
    expect(hub.open[0]?.signal?.aborted).toBe(true);
  });
});

test("tries become rare, and never all at once", () => {
  expect([0, 1, 2, 9].map((tries) => backoff(tries, 1))).toEqual([1_000, 2_000, 4_000, 30_000]);
  expect(backoff(2, 0)).toBe(2_000);
});
