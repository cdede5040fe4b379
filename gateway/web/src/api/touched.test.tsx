import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { IntlProvider } from "use-intl";
import { expect, test } from "vitest";
import { usePatientAppointments } from "@/features/appointments/hooks";
import { useNewestReconciliation, usePlans, usePreferences } from "@/features/careplans/hooks";
import { useFeeds } from "@/features/feeds/hooks";
import { useMessages, useThreads } from "@/features/messaging/hooks";
import {
  patientQuery,
  useEncounters,
  useObservations,
  usePatientLoops,
  usePatientTasks,
} from "@/features/patients/hooks";
import { Risk } from "@/features/patients/risk";
import { useReferrals } from "@/features/referrals/hooks";
import en from "@/i18n/en";
import { answer, PagedApi } from "@/testing/paged";
import { gathered, isTouched, NOTHING_WAITS } from "./changes";
import { meQuery } from "./queries";
import { KINDS, type Kind } from "./stream/frames";

const PAT = "01900000-0000-7000-8000-000000000001";
/** What shows it of a patient, or of the network. */
const SHOWN: Record<Kind, () => unknown> = {
  task: () => usePatientTasks(PAT),
  loop: () => usePatientLoops(PAT),
  patient: () => useQuery(patientQuery(PAT)),
  encounter: () => useEncounters(PAT),
  appointment: () => usePatientAppointments(PAT),
  observation: () => useObservations(PAT),
  feed: () => useFeeds(),
  care_plan: () => usePlans(PAT),
  reconciliation: () => useNewestReconciliation(PAT),
  preferences: () => usePreferences(PAT),
  thread: () => useThreads(PAT),
  message: () => useMessages(PAT),
  referral: () => useReferrals(PAT, true),
  risk: () => Risk({ patientId: PAT }),
};

test.each(KINDS)("a change of a %s makes old what a screen shows of it", (kind) => {
  answer(new PagedApi());
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  queries.setQueryData(meQuery.queryKey, { permissions: ["risks.read"], facilityIds: [] } as never);
  const wrapper = ({ children }: { children: ReactNode }) => (
    <IntlProvider locale="en" messages={en} timeZone="UTC">
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </IntlProvider>
  );
  renderHook(SHOWN[kind], { wrapper });
  const change = { kind, id: kind === "patient" ? PAT : "1", patientId: PAT };
  const heard = gathered(NOTHING_WAITS, [change]);
  const all = queries.getQueryCache().getAll();
  const keys = all.map(({ queryKey }) => queryKey);
  expect(keys.filter(([holds]) => holds !== "me")).not.toEqual([]);
  expect(keys.filter((key) => !isTouched(heard, key))).toEqual([meQuery.queryKey]);
});
