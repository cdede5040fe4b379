import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { IntlProvider } from "use-intl";
import { expect, test, vi } from "vitest";
import type { Patient, Referral } from "@/api/client";
import { meQuery } from "@/api/queries";
import en from "@/i18n/en";
import es from "@/i18n/es";
import { answer, PagedApi } from "@/testing/paged";
import { ToastProvider } from "@/ui/toasts";
import { NowProvider } from "@/ui/when";
import { Help } from "./help";

vi.mock("@tanstack/react-router", () => ({ Link: "a" }));

const PAT = "01900000-0000-7000-8000-000000000001";

const referral = (id: string, more: Partial<Referral>) =>
  ({
    id,
    need: "food-insecurity",
    state: "STATE_COMPLETED",
    stateReason: "",
    serviceName: "Pantry",
    facilityId: "mercy",
    details: {},
    createTime: "2026-09-08T12:00:00Z",
    endTime: "2026-09-08T13:00:00Z",
    ...more,
  }) as Referral;

function helpOf(referrals: Referral[], size: number, locale: "en" | "es" = "en") {
  const api = new PagedApi();
  api.list("/v1/referrals", "referrals", referrals, size);
  answer(api);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  queries.setDefaultOptions({ queries: { staleTime: Number.POSITIVE_INFINITY } });
  const me = { permissions: ["referrals.read"], facilityIds: [], staffMember: { id: "me" } };
  queries.setQueryData(meQuery.queryKey, me as never);
  queries.setQueryData(["facilities"], []);
  const patient = { id: PAT, facilityIds: [] as string[] } as Patient;
  render(
    <MantineProvider env="test">
      <IntlProvider locale={locale} messages={locale === "en" ? en : es} timeZone="UTC">
        <QueryClientProvider client={queries}>
          <NowProvider now={new Date("2026-09-09T12:00:00Z")}>
            <ToastProvider>
              <Help patient={patient} />
            </ToastProvider>
          </NowProvider>
        </QueryClientProvider>
      </IntlProvider>
    </MantineProvider>,
  );
}

const ended = (count: number) =>
  Array.from({ length: count }, (_, at) => referral(`done-${at}`, {}));

test("a referral that is open is shown, on whichever page the API has it", async () => {
  const open = referral("open", { state: "STATE_ACCEPTED", need: "transportation-insecurity" });
  helpOf([...ended(6), open], 3);
  expect(await screen.findByRole("article", { name: "A ride" })).toBeTruthy();
  expect(screen.getByRole("button", { name: /6/ })).toBeTruthy();
  expect(screen.queryByText(en.shell.states.cut)).toBeNull();
});

test.each([
  ["en", en.shell.states.cut],
  ["es", es.shell.states.cut],
] as const)("a list that is longer than is read says so: %s", async (locale, words) => {
  helpOf(ended(21), 1, locale);
  expect(await screen.findByText(words)).toBeTruthy();
});
