import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inTrace } from "./trace";

function asked(): string[] {
  const request = new Request("https://hub.example/v1/me");
  void inTrace.onRequest?.({ request } as never);
  return (request.headers.get("traceparent") ?? "").split("-");
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  vi.advanceTimersByTime(10_000);
});

afterEach(() => {
  vi.useRealTimers();
});

test("a request names a trace and a click of its own, and leaves it to the hub to keep it", () => {
  const [version, trace, click, flags] = asked();
  expect(version).toBe("00");
  expect(trace).toMatch(/^[0-9a-f]{32}$/);
  expect(click).toMatch(/^[0-9a-f]{16}$/);
  expect(flags).toBe("00");
});

test("what one action asks for is one trace, and what comes later another", () => {
  const [, first, click] = asked();
  vi.advanceTimersByTime(50);
  const [, second, other] = asked();
  vi.advanceTimersByTime(5_000);
  const [, later] = asked();
  expect(second).toBe(first);
  expect(other).not.toBe(click);
  expect(later).not.toBe(first);
});
