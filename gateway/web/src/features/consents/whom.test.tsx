import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { IntlProvider } from "use-intl";
import { expect, test } from "vitest";
import { meQuery } from "@/api/queries";
import en from "@/i18n/en";
import { answer, PagedApi } from "@/testing/paged";
import { useConsentWords } from "./use-words";
import { useReaders } from "./whom";

const PAT = "01900000-0000-7000-8000-000000000001";
const DRIVERS = { id: "r1", serviceId: "drivers", serviceName: "Ridge Drivers" };
const PANTRY = { id: "r2", serviceId: "pantry", serviceName: "Food for All" };

function shown<T>(hook: () => T) {
  const api = new PagedApi();
  api.list("/v1/referrals", "referrals", [DRIVERS, { ...DRIVERS, id: "r3" }, PANTRY], 1);
  api.list("/v1/directory/organizations", "organizations", [], 1);
  answer(api);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const permissions = ["referrals.read", "directory.read"];
  queries.setQueryData(meQuery.queryKey, { permissions, facilityIds: [] } as never);
  const wrapper = ({ children }: { children: ReactNode }) => (
    <IntlProvider locale="en" messages={en} timeZone="UTC">
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </IntlProvider>
  );
  return renderHook(hook, { wrapper }).result;
}

test("who was asked to help can be forbidden to be told anything, and nothing can be permitted them", async () => {
  const both = () => ({ deny: useReaders(PAT, false), permit: useReaders(PAT, true) });
  const result = shown(both);
  const labels = () => result.current.deny.flatMap(({ items }) => items.map(({ label }) => label));
  await waitFor(() =>
    expect(labels()).toEqual([
      "Food for All (a partner’s service)",
      "Ridge Drivers (a partner’s service)",
    ]),
  );
  expect(result.current.permit).toEqual([]);
});

test("a service that is forbidden is called by its name", async () => {
  const result = shown(() => useConsentWords(PAT));
  await waitFor(() => expect(result.current("").nameOf("drivers")).toBe("Ridge Drivers"));
});
