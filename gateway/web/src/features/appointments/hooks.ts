/** What the screens of appointments ask and change. */
import { type UseQueryResult, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useTranslations } from "use-intl";
import { type Appointment, api, Failure, read, type Schedule, type Slot } from "@/api/client";
import { every, MOST, shownOf, useWhole, type Whole, whole } from "@/api/pages";
import { useLiveMs } from "@/ui/live";
import { momentIn } from "@/ui/moments";
import { partsOf, shifted } from "./days";

export const WINDOW_DAYS = 14;

/** The appointments of some days of a facility, each day by itself, as they are on its calendar. */
export function useDays(facilityId: string, days: string[]) {
  const refetchInterval = useLiveMs();
  return useQueries({
    queries: days.map((day) => ({
      queryKey: ["appointments", "day", facilityId, day],
      queryFn: whole<Appointment>(async (paging, signal) => {
        const { year, month, day: date } = partsOf(day);
        const query = {
          facilityId,
          "date.year": year,
          "date.month": month,
          "date.day": date,
          ...paging,
        };
        const page = await read(api.GET("/v1/appointments", { params: { query }, signal }));
        return { rows: page.appointments as Appointment[], next: page.nextPageToken };
      }),
      refetchInterval,
      enabled: Boolean(facilityId),
    })),
    combine: eachShown,
  });
}

const eachShown = (days: UseQueryResult<Whole<Appointment>>[]) => days.map(shownOf);

/** All of a patient that the caller may see, the latest first. */
export function usePatientAppointments(patientId: string, enabled = true) {
  return useWhole({
    queryKey: ["appointments", "patient", patientId],
    queryFn: whole<Appointment>(async (paging, signal) => {
      const query = { patientId, ...paging };
      const page = await read(api.GET("/v1/appointments", { params: { query }, signal }));
      return { rows: page.appointments as Appointment[], next: page.nextPageToken };
    }),
    refetchInterval: useLiveMs(),
    enabled: enabled && Boolean(patientId),
  });
}

export function useAppointment(appointmentId: string) {
  return useQuery({
    queryKey: ["appointments", "one", appointmentId],
    queryFn: ({ signal }) => {
      const params = { path: { appointmentId } };
      const url = "/v1/appointments/{appointmentId}";
      return read(api.GET(url, { params, signal })) as Promise<Appointment>;
    },
    refetchInterval: useLiveMs(),
    enabled: Boolean(appointmentId),
  });
}

export function useSchedules(facilityId: string) {
  return useQuery({
    queryKey: ["schedules", facilityId],
    queryFn: every<Schedule>(async (paging, signal) => {
      const query = { facilityId, ...paging };
      const page = await read(api.GET("/v1/schedules", { params: { query }, signal }));
      return { rows: page.schedules as Schedule[], next: page.nextPageToken };
    }),
    staleTime: 60_000,
    enabled: Boolean(facilityId),
  });
}

export type Purpose = Appointment["purpose"];

export interface Sought {
  facilityId: string;
  scheduleId: string;
  purpose: Purpose;
  /** The first day that is looked at. */
  from: string;
  zone: string;
}

/** What is free in two weeks; asked anew each time, as times are taken. */
export function useFreeSlots({ facilityId, scheduleId, purpose, from, zone }: Sought) {
  return useQuery({
    queryKey: ["appointments", "slots", facilityId, scheduleId, purpose, from, zone],
    queryFn: async ({ signal }) => {
      const [start, end] = [from, shifted(from, WINDOW_DAYS)];
      const query = {
        facilityId,
        scheduleId: scheduleId || undefined,
        purpose,
        startTime: momentIn(zone, `${start}T00:00`).toISOString(),
        endTime: momentIn(zone, `${end}T00:00`).toISOString(),
        pageSize: MOST,
      };
      const page = await read(api.GET("/v1/slots", { params: { query }, signal }));
      return { slots: page.slots as Slot[], hasMore: Boolean(page.nextPageToken) };
    },
    enabled: Boolean(facilityId && from),
  });
}

/** Why something was not done, as a sentence. */
export function useRefusalWords(): (error: unknown) => string {
  const t = useTranslations("appointments.errors");
  return useCallback(
    (error) => {
      const failure = error instanceof Failure ? error : new Failure(0);
      const key = failure.reason as Parameters<typeof t>[0];
      if (failure.status === 0) return t("NO_ANSWER", { code: "" });
      return t.has(key) ? t(key, { code: "" }) : t("other", { code: failure.code });
    },
    [t],
  );
}

const URLS = {
  checkIn: "/v1/appointments/{appointmentId}:checkIn",
  complete: "/v1/appointments/{appointmentId}:complete",
  miss: "/v1/appointments/{appointmentId}:miss",
} as const;
export type Noted = keyof typeof URLS;

/** The changes, each with what the hub made of it; everything that shows appointments is asked again. */
export function useAppointmentChanges() {
  const client = useQueryClient();
  return useCallback(
    async (of: Appointment, doing: Noted | { by: "BY_PATIENT" | "BY_CLINIC" }) => {
      const params = { path: { appointmentId: of.id } };
      const body = { etag: of.etag };
      // Whoever closes the window has not undone it: it is sent all the same.
      const keepalive = true;
      try {
        if (typeof doing === "string") {
          return await read(api.POST(URLS[doing], { params, body, keepalive }));
        }
        const url = "/v1/appointments/{appointmentId}:cancel";
        return await read(api.POST(url, { params, body: { ...body, by: doing.by }, keepalive }));
      } finally {
        void client.invalidateQueries({ queryKey: ["appointments"] });
      }
    },
    [client],
  );
}

interface Wanted {
  patientId: string;
  slot: Slot;
  purpose: Purpose;
  replaces: Appointment | undefined;
}

/** Books a time, once however often the button is pressed. */
export function useBooking() {
  const client = useQueryClient();
  const words = useRefusalWords();
  const [isBusy, be] = useState(false);
  const [error, show] = useState("");
  const book = useCallback(
    async ({ patientId, slot, purpose, replaces }: Wanted, requestId: string) => {
      be(true);
      show("");
      const { scheduleId, startTime = "" } = slot;
      const time = { scheduleId, startTime, requestId };
      try {
        if (!replaces) {
          return await read(
            api.POST("/v1/appointments", { body: { ...time, patientId, purpose } }),
          );
        }
        const params = { path: { appointmentId: replaces.id } };
        const url = "/v1/appointments/{appointmentId}:rebook";
        return await read(api.POST(url, { params, body: { ...time, etag: replaces.etag } }));
      } catch (reason) {
        show(words(reason));
        return undefined;
      } finally {
        be(false);
        void client.invalidateQueries({ queryKey: ["appointments"] });
      }
    },
    [client, words],
  );
  return { isBusy, error, book };
}
