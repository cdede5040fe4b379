import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { IntlProvider } from "use-intl";
import { expect, test } from "vitest";
import type { Reconciliation } from "@/api/client";
import en from "@/i18n/en";
import { answer, PagedApi } from "@/testing/paged";
import { type Line, useDecide, useNewestReconciliation } from "./hooks";

const PATIENT = "0198c000-0000-7000-8000-000000000001";
const LINES = ["a", "b", "c"].map((id) => ({ id }) as Line);

/** A reconciliation that refuses what was decided on an older version, as the service does. */
class Kept extends PagedApi {
  readonly decided: string[] = [];
  refused = 0;

  override readonly fetch = async (request: Request): Promise<Response> => {
    if (request.method !== "POST") return Response.json({ reconciliations: [this.now()] });
    const { etag } = (await request.json()) as { etag: string };
    const [, line = ""] = /lines\/(.+):decide/.exec(request.url) ?? [];
    if (etag !== this.now().etag) {
      this.refused += 1;
      return Response.json({ reason: "STALE_ETAG" }, { status: 409 });
    }
    this.decided.push(line);
    return Response.json(this.now());
  };

  now() {
    const found = { id: "one", patientId: PATIENT, lines: LINES, etag: `v${this.decided.length}` };
    return found as Partial<Reconciliation> as Reconciliation;
  }
}

test("what is decided before the last answer came counts on that answer", async () => {
  const api = new Kept();
  answer(api);
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <IntlProvider locale="en" messages={en}>
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    </IntlProvider>
  );
  const newest = renderHook(() => useNewestReconciliation(PATIENT), { wrapper });
  await waitFor(() => expect(newest.result.current.data?.newest?.etag).toBe("v0"));
  const { result } = renderHook(() => useDecide(api.now()), { wrapper });
  for (const line of LINES) result.current(line, "DECISION_CONTINUE");
  await waitFor(() => expect(api.decided).toEqual(["a", "b", "c"]));
  await waitFor(() => expect(newest.result.current.data?.newest?.etag).toBe("v3"));
  expect(api.refused).toBe(0);
});
