/** The appointments of a facility: its week by its own clock, the chosen day as a list, and one of them at the side. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconPlus } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Appointment } from "@/api/client";
import { useFacilities, useMay, useMe } from "@/api/queries";
import { SearchBox } from "@/features/patients/search-box";
import { Dialog } from "@/ui/dialog";
import { useKeys } from "@/ui/keys";
import { ListAndDetail } from "@/ui/list-and-detail";
import { word } from "@/ui/moments";
import { Page } from "@/ui/page";
import { Loaded, NoAccess } from "@/ui/states";
import { useNow, useWhen, useZone } from "@/ui/when";
import styles from "./appointments.module.css";
import { dayAt, isDay, partsOf, shifted, weekOf } from "./days";
import { useDays } from "./hooks";
import { DayList } from "./list";
import { Pane } from "./pane";
import { countsOf } from "./standing";

export function AppointmentsPage() {
  const may = useMay("appointments.read");
  const mine = useMe().facilityIds;
  const search = useSearch({ from: "/shell/appointments" });
  const facilityId = mine.find((id) => id === search.facility) ?? mine[0];
  return may && facilityId ? <OfFacility facilityId={facilityId} /> : <NoAccess />;
}

function OfFacility({ facilityId }: { facilityId: string }) {
  const t = useTranslations("appointments");
  const search = useSearch({ from: "/shell/appointments" });
  const go = useNavigate({ from: "/appointments" });
  const zone = useZone(facilityId);
  const now = useNow();
  const today = dayAt(zone, now);
  const day = isDay(search.day) ? search.day : today;
  const week = weekOf(day);
  const days = useDays(facilityId, week);
  const chosenDay = days[week.indexOf(day)];
  const change = (to: typeof search) =>
    void go({ search: (old) => ({ ...old, appointment: undefined, ...to }), replace: true });
  const open = (appointment: string | undefined) => change({ appointment });
  const chosen = chosenDay?.data?.find(({ id }) => id === search.appointment);
  useKeys({ Escape: () => open(undefined) });
  return (
    <Page title={t("title")} actions={<Book facilityId={facilityId} />}>
      <Where facilityId={facilityId} choose={(facility) => change({ facility })} />
      <Week
        week={week}
        day={day}
        today={today}
        loaded={days.map(({ data }) => data)}
        choose={(to) => change({ day: to === today ? undefined : to })}
      />
      <ListAndDetail
        detail={chosen && <Pane key={chosen.id} of={chosen} close={() => open(undefined)} />}
      >
        <section aria-labelledby="day" className={styles.day}>
          <DayHead day={day} today={today} />
          {chosenDay && (
            <Loaded query={chosenDay} title={t("failed")}>
              {(found) => <DayList appointments={found} chosenId={chosen?.id ?? ""} open={open} />}
            </Loaded>
          )}
        </section>
      </ListAndDetail>
    </Page>
  );
}

/** Whose day it is, and by which clock. */
function Where({ facilityId, choose }: { facilityId: string; choose: (id: string) => void }) {
  const t = useTranslations("appointments");
  const mine = useMe().facilityIds;
  const facilities = useFacilities();
  const when = useWhen();
  const now = useNow();
  const zone = useZone(facilityId);
  const name = facilities.get(facilityId)?.name ?? "";
  return (
    <div className={styles.where}>
      {mine.length > 1 && (
        <NativeSelect
          size="xs"
          aria-label={t("facility")}
          value={facilityId}
          onChange={(event) => choose(event.currentTarget.value)}
          data={mine.map((id) => ({ value: id, label: facilities.get(id)?.name ?? "" }))}
        />
      )}
      <p className={styles.small}>{t("clock", { name, now: when.full(now, zone) })}</p>
    </div>
  );
}

interface WeekProps {
  week: string[];
  day: string;
  today: string;
  loaded: (Appointment[] | undefined)[];
  choose: (day: string) => void;
}

/** The day that is shown, and one to go to. While somebody types it is theirs. */
function DayField({ day, choose }: { day: string; choose: (day: string) => void }) {
  const t = useTranslations("appointments.week");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const shown = field.current;
    if (shown && document.activeElement !== shown) shown.value = day;
  }, [day]);
  return (
    <TextInput
      ref={field}
      type="date"
      size="xs"
      aria-label={t("goTo")}
      defaultValue={day}
      // On the way to 2027 a year is 2, 20 and 202.
      onChange={({ currentTarget: { value } }) => value >= "1900" && isDay(value) && choose(value)}
    />
  );
}

function Week({ week, day, today, loaded, choose }: WeekProps) {
  const t = useTranslations("appointments.week");
  return (
    <nav className={styles.week} aria-label={t("label")}>
      <div className={styles.weekHead}>
        <Button
          size="xs"
          variant="default"
          aria-label={t("before")}
          onClick={() => choose(shifted(day, -7))}
        >
          <IconChevronLeft size={16} stroke={1.9} aria-hidden="true" className={styles.mirrored} />
        </Button>
        <Button size="xs" variant="default" disabled={day === today} onClick={() => choose(today)}>
          {t("today")}
        </Button>
        <Button
          size="xs"
          variant="default"
          aria-label={t("after")}
          onClick={() => choose(shifted(day, 7))}
        >
          <IconChevronRight size={16} stroke={1.9} aria-hidden="true" className={styles.mirrored} />
        </Button>
        <DayField day={day} choose={choose} />
      </div>
      <ul className={styles.days}>
        {week.map((each, index) => (
          <DayButton
            key={each}
            day={each}
            isHere={each === day}
            isToday={each === today}
            appointments={loaded[index]}
            choose={() => choose(each)}
          />
        ))}
      </ul>
    </nav>
  );
}

interface DayButtonProps {
  day: string;
  isHere: boolean;
  isToday: boolean;
  appointments: Appointment[] | undefined;
  choose: () => void;
}

function DayButton({ day, isHere, isToday, appointments, choose }: DayButtonProps) {
  const t = useTranslations("appointments.week");
  const locale = useLocale();
  const parts = partsOf(day);
  const { agreed, missed } = countsOf(appointments ?? []);
  return (
    <li>
      <button
        type="button"
        className={styles.dayButton}
        aria-current={isHere ? "date" : undefined}
        data-is-today={isToday}
        onClick={choose}
      >
        <span className={styles.weekday}>{word(locale, parts, "weekday")}</span> <b>{parts.day}</b>{" "}
        <span className={styles.dayCount}>
          {appointments ? t("agreed", { count: agreed }) : "…"}
        </span>{" "}
        {missed > 0 && <span className={styles.dayMissed}>{t("missed", { count: missed })}</span>}
      </button>
    </li>
  );
}

function DayHead({ day, today }: { day: string; today: string }) {
  const t = useTranslations("appointments.week");
  const when = useWhen();
  const words = when.date(partsOf(day), "UTC");
  return <h2 id="day">{day === today ? t("todayIs", { day: words }) : words}</h2>;
}

/** Whom for is asked first: a time is free for somebody. */
function Book({ facilityId }: { facilityId: string }) {
  const t = useTranslations("appointments.book");
  const mayBook = useMay("appointments.write");
  const mayFind = useMay("patients.read");
  const go = useNavigate();
  const [isFinding, find] = useState(false);
  if (!mayBook || !mayFind) return null;
  return (
    <>
      <Button
        leftSection={<IconPlus size={16} stroke={1.9} aria-hidden="true" />}
        onClick={() => find(true)}
      >
        {t("open")}
      </Button>
      {isFinding && (
        <Dialog
          title={t("whom")}
          close={() => find(false)}
          closeLabel={t("close")}
          size="lg"
          isAtTop
        >
          <SearchBox
            choose={({ id }) =>
              void go({
                to: "/patients/$patientId/book",
                params: { patientId: id },
                search: { facility: facilityId, back: "day" },
              })
            }
          />
        </Dialog>
      )}
    </>
  );
}
