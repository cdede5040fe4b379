import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Live } from "./live";
import { SILENT_MS, type Told } from "./stream/line";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const aTask = (id: string): Told => ({
  kind: "frames",
  frames: [{ kind: "task", id, patientId: "p1" }],
});

/** A screen that looks at a worklist and at feeds. */
function aScreen() {
  const queries = new QueryClient();
  const asked = { worklist: 0, feeds: 0 };
  const look = (queryKey: string[], name: keyof typeof asked) =>
    new QueryObserver(queries, {
      queryKey,
      queryFn: async () => {
        asked[name] += 1;
        return asked[name];
      },
      staleTime: 60_000,
    }).subscribe(() => undefined);
  look(["tasks", "worklist"], "worklist");
  look(["feeds"], "feeds");
  let hear: (told: Told) => void = () => undefined;
  const stream = { again: vi.fn(), close: vi.fn() };
  const live = new Live(queries, (listener) => {
    hear = listener;
    return stream;
  });
  const stop = live.start();
  return { live, asked, stop, stream, hear: (told: Told) => hear(told) };
}

describe("live", () => {
  test("a change is asked for at once, and only where it is shown", async () => {
    const { asked, hear, stop } = aScreen();
    await vi.advanceTimersByTimeAsync(2_000);
    hear(aTask("t1"));
    await vi.advanceTimersByTimeAsync(150);
    expect(asked).toEqual({ worklist: 2, feeds: 1 });
    stop();
  });

  test("a busy region is asked for once a second, and the last change is not forgotten", async () => {
    const { asked, hear, stop } = aScreen();
    for (let at = 0; at < 30; at += 1) {
      hear(aTask(`t${at}`));
      await vi.advanceTimersByTimeAsync(100);
    }
    const before = asked.worklist;
    expect(before).toBeLessThanOrEqual(5);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(asked.worklist).toBe(before + 1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.worklist).toBe(before + 1);
    stop();
  });

  test("after a gap everything is asked; not when the stream was open before the page", async () => {
    const { asked, hear, stop } = aScreen();
    await vi.advanceTimersByTimeAsync(5_000);
    hear({ kind: "open", at: Date.now() - 60_000 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toEqual({ worklist: 1, feeds: 1 });
    hear({ kind: "open", at: Date.now() });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toEqual({ worklist: 2, feeds: 2 });
    stop();
  });

  test("is not live after thirty silent seconds, since it was heard last; a beat is enough", async () => {
    const { live, hear, stop } = aScreen();
    const heardAt = Date.now();
    await vi.advanceTimersByTimeAsync(SILENT_MS - 1_000);
    expect(live.since()).toBeNull();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(live.since()).toBe(heardAt);
    hear({ kind: "beat" });
    expect(live.since()).toBeNull();
    stop();
  });

  test("a page that comes back from the browser's memory asks everything", async () => {
    const { asked, stop, stream } = aScreen();
    await vi.advanceTimersByTimeAsync(5_000);
    dispatchEvent(new Event("pagehide"));
    expect(stream.close).toHaveBeenCalledOnce();
    dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toEqual({ worklist: 2, feeds: 2 });
    stop();
  });

  test("tries anew when the network is back, and closes what it opened", () => {
    const { stop, stream } = aScreen();
    dispatchEvent(new Event("online"));
    expect(stream.again).toHaveBeenCalledOnce();
    stop();
    expect(stream.close).toHaveBeenCalledOnce();
  });
});
