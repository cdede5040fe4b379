/** One trace for what one action asks of the hub: from the click to the last service that hears of it. */
import type { Middleware } from "openapi-fetch";

/** What a click sets off it asks for at once; what comes later has another cause. */
const ACTION_MS = 100;

let traceId = "";
let begunAt = Number.NEGATIVE_INFINITY;

function hex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (value) => value.toString(16).padStart(2, "0")).join("");
}

function traceOf(now: number): string {
  if (now - begunAt > ACTION_MS) traceId = hex(16);
  begunAt = now;
  return traceId;
}

/** Whether the trace is kept the hub decides: 00 says that nobody here keeps it. */
export const inTrace: Middleware = {
  onRequest({ request }) {
    request.headers.set("traceparent", `00-${traceOf(performance.now())}-${hex(8)}-00`);
    return request;
  },
};
