/** What time it is at the hub: a telephone's clock may be wrong, and a demo's is moved. Every answer says it. */
import type { Middleware } from "openapi-fetch";

/** An answer is under way for a moment; what is less than this apart is the same time. */
const SAME_MS = 5_000;

let aheadMs = 0;

export const hubNow = () => new Date(Date.now() + aheadMs);

export const onHubTime: Middleware = {
  onResponse({ response }) {
    const told = Date.parse(response.headers.get("X-Hub-Time") ?? "");
    if (Number.isNaN(told)) return;
    const ahead = told - Date.now();
    aheadMs = Math.abs(ahead) < SAME_MS ? 0 : ahead;
  },
};
