import { readdirSync, readFileSync } from "node:fs";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { IntlProvider } from "use-intl";
import { describe, expect, test } from "vitest";
import { useDays, usePatientAppointments, useSchedules } from "@/features/appointments/hooks";
import { useCareTeam, usePlans } from "@/features/careplans/hooks";
import { useTime } from "@/features/claims/hooks";
import { consentsQuery, usePartners, useProxies } from "@/features/consents/hooks";
import { useUnreviewed } from "@/features/emergency/hooks";
import { useFeeds } from "@/features/feeds/hooks";
import { useMeasures } from "@/features/measures/hooks";
import { useMessages, useThreads } from "@/features/messaging/hooks";
import { usePatientLoops, usePatientTasks } from "@/features/patients/hooks";
import { useProtocols } from "@/features/protocols/hooks";
import { useReferrals } from "@/features/referrals/hooks";
import { useAllStaff, useAllTeams } from "@/features/staff/hooks";
import { useLoopTasks } from "@/features/worklist/hooks";
import en from "@/i18n/en";
import { answer, PagedApi, rowsOf } from "@/testing/paged";
import { every, useWhole, whole } from "./pages";
import { meQuery, useFacilities, useOrganizations, useStaff, useTeams } from "./queries";

const PAT = "01900000-0000-7000-8000-000000000001";
const PERMISSIONS = ["staff.read", "consents.read", "directory.read"];

function shown<T>(hook: () => T, api: PagedApi) {
  answer(api);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  queries.setQueryData(meQuery.queryKey, { permissions: PERMISSIONS, facilityIds: [] } as never);
  const wrapper = ({ children }: { children: ReactNode }) => (
    <IntlProvider locale="en" messages={en} timeZone="UTC">
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </IntlProvider>
  );
  return renderHook(hook, { wrapper }).result;
}

type Rows = readonly unknown[] | undefined;
/** Each list that is read to its end: what it is, how it is asked for, where, and in which field it comes. */
const LISTS: [name: string, hook: () => Rows, path: string, field: string][] = [
  ["referrals", () => useReferrals(PAT, true).data, "/v1/referrals", "referrals"],
  ["appointments", () => usePatientAppointments(PAT).data, "/v1/appointments", "appointments"],
  ["a day", () => useDays("mercy", ["2026-09-09"])[0]?.data, "/v1/appointments", "appointments"],
  ["schedules", () => useSchedules("mercy").data, "/v1/schedules", "schedules"],
  ["threads", () => useThreads(PAT).data, "/v1/threads", "threads"],
  ["messages", () => useMessages(PAT).data, `/v1/contacts/${PAT}/messages`, "messages"],
  ["plans", () => usePlans(PAT).data, "/v1/carePlans", "carePlans"],
  ["the care team", () => useCareTeam(PAT, true).data, "/v1/care-team", "members"],
  ["minutes", () => useTime(PAT).data?.entries, "/v1/timeEntries", "entries"],
  ["consents", () => useWhole(consentsQuery(PAT)).data, "/v1/consents", "consents"],
  ["those who act", () => useProxies(PAT), "/v1/proxies", "proxies"],
  ["partners", () => usePartners(), "/v1/directory/organizations", "organizations"],
  ["emergencies", () => useUnreviewed().data, "/v1/break-glass", "breakGlasses"],
  ["feeds", () => useFeeds().data, "/v1/feeds", "feeds"],
  ["measures", () => useMeasures().data, "/v1/measures", "measures"],
  ["loops", () => usePatientLoops(PAT).data, "/v1/loops", "loops"],
  ["tasks", () => usePatientTasks(PAT).data, "/v1/tasks", "tasks"],
  ["steps", () => useLoopTasks({ loopId: "1", patientId: PAT }).data, "/v1/tasks", "tasks"],
  ["protocols", () => useProtocols().data, "/v1/protocols", "protocols"],
  ["staff", () => useStaff(), "/v1/staff", "staff"],
  ["all staff", () => useAllStaff().data, "/v1/staff", "staff"],
  ["teams", () => useTeams(), "/v1/teams", "teams"],
  ["all teams", () => useAllTeams().data, "/v1/teams", "teams"],
  ["facilities", () => [...useFacilities().values()], "/v1/facilities", "facilities"],
  ["organizations", () => [...useOrganizations().values()], "/v1/organizations", "organizations"],
];

describe("a list that is read whole", () => {
  test("a server that always says the same is not asked for ever", async () => {
    let asked = 0;
    const again = every(async () => {
      if (++asked > 100) throw new Error("for ever");
      return { rows: [{ id: "1" }], next: "again" };
    });
    const signal = new AbortController().signal;
    await expect(again({ signal })).rejects.toThrow("does not go on");
  });

  test.each(LISTS)("%s: what stands on the last page is there", async (_, hook, path, field) => {
    const api = new PagedApi();
    const rows = rowsOf(7).map((row) => ({ ...row, key: row.id }));
    api.list(path, field, rows, 3);
    const result = shown(hook, api);
    await waitFor(() => expect(result.current).toHaveLength(7));
    expect(result.current?.at(-1)).toMatchObject({ id: "row-6" });
    expect(api.asked).toHaveLength(3);
  });

  test("says so where it is longer than is read of one patient", async () => {
    const api = new PagedApi();
    api.list("/v1/referrals", "referrals", rowsOf(21), 1);
    const result = shown(() => useReferrals(PAT, true), api);
    await waitFor(() => expect(result.current.data).toHaveLength(20));
    expect(result.current.isCut).toBe(true);
    api.list("/v1/referrals", "referrals", rowsOf(20), 1);
    await result.current.refetch();
    await waitFor(() => expect(result.current.isCut).toBe(false));
  });

  test("has a row once that moves to a later page while the pages are read", async () => {
    const pages = [
      { rows: [{ id: "a", at: 1 }, { id: "b", at: 1 }], next: "2" }, // biome-ignore format: a page a line
      { rows: [{ id: "a", at: 2 }, { id: "c", at: 1 }], next: "" }, // biome-ignore format: a page a line
    ];
    const queryFn = whole(async () => pages.shift() ?? { rows: [], next: "" });
    const result = shown(() => useWhole({ queryKey: ["moving"], queryFn }), new PagedApi());
    await waitFor(() =>
      expect(result.current.data).toEqual([
        { id: "a", at: 2 },
        { id: "b", at: 1 },
        { id: "c", at: 1 },
      ]),
    );
  });
});

/** The scores of the newest stay are asked for, which are two; and of medicines a stay has two lists at most. */
const FEW = ["/v1/risks", "/v1/medicineLists"];

test("whoever asks for a list looks whether it goes on", () => {
  const contract = JSON.parse(readFileSync("../api/openapi.json", "utf8"));
  const paged = Object.entries<{ get?: { parameters?: { name: string }[] } }>(contract.paths)
    .filter(([, { get }]) => get?.parameters?.some(({ name }) => name === "pageToken"))
    .map(([path]) => path);
  expect(paged).toContain("/v1/referrals");
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !/\.(test|gen)\./.test(file))
    .map((file): [string, string] => [file, readFileSync(`src/${file}`, "utf8")]);
  const asked = sources.flatMap(([file, text]) =>
    [...text.matchAll(/(?:api\.GET\(\s*|url = )"(\/v1\/[^"]*)"/g)]
      .filter(([, path = ""]) => paged.includes(path) && !FEW.includes(path))
      .map(({ index, 1: path }) => ({
        file,
        path,
        before: text.slice(Math.max(0, index - 150), index),
        after: text.slice(index, index + 500),
      })),
  );
  expect(asked.length).toBeGreaterThan(20);
  // Whoever wants the newest alone asks for one.
  const asksForOne = /pageSize: 1\b/;
  const silent = asked.filter(
    ({ before, after }) => !asksForOne.test(before) && !after.includes("nextPageToken"),
  );
  expect(silent.map(({ file, path }) => `${file}: ${path}`)).toEqual([]);
});
