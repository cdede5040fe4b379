import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hubNow, onHubTime } from "./hub-time";

const HERE = new Date("2026-11-28T12:00:00Z");

function answered(told: string | null) {
  const headers = new Headers(told ? { "X-Hub-Time": told } : {});
  void onHubTime.onResponse?.({ response: new Response(null, { headers }) } as never);
}

beforeEach(() => {
  vi.useFakeTimers({ now: HERE });
});

afterEach(() => {
  answered(HERE.toISOString());
  vi.useRealTimers();
});

test("the hub's clock counts where ours is another, and goes on with ours", () => {
  answered("2027-02-14T00:05:00.000+00:00");
  expect(hubNow().toISOString()).toBe("2027-02-14T00:05:00.000Z");
  vi.advanceTimersByTime(60_000);
  expect(hubNow().toISOString()).toBe("2027-02-14T00:06:00.000Z");
});

test("the way of an answer is no difference, and an answer that says nothing changes nothing", () => {
  answered("2026-11-28T11:59:57.000+00:00");
  expect(hubNow()).toEqual(HERE);
  answered("2026-11-29T12:00:00.000+00:00");
  answered(null);
  answered("soon");
  expect(hubNow().toISOString()).toBe("2026-11-29T12:00:00.000Z");
});
