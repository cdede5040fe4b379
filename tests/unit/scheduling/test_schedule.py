"""Slots follow from hours by the facility's clock, also on the days on which it is moved."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libs.chassis.errors import InvalidArgument
from services.scheduling.domain.schedule import Purpose, Schedule, Taken, WeeklyHours, free

ZONES = (
    "America/Chicago", "America/Denver", "America/Phoenix", "America/St_Johns", "Europe/Berlin",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Auckland", "America/Havana", "UTC",
)  # fmt: skip
FIVE = timedelta(minutes=5)


def schedule(*hours, minutes=30, **fields):
    fields = {"start_on": date(2026, 1, 1)} | fields
    return Schedule(
        id=UUID(int=1), facility_id=UUID(int=2), practitioner="Ada Quill", hours=hours, slot_minutes=minutes, **fields
    )  # fmt: skip


def hours(weekday, opens, closes):
    return WeeklyHours(
        weekday=weekday, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes)
    )


def local(slots, zone):
    return [f"{slot.start_at.astimezone(ZoneInfo(zone)):%a %H:%M}" for slot in slots]


def instant(text, zone="America/Chicago"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_a_morning_in_slots():
    found = schedule(hours(1, "08:30", "10:15")).slots(
        ZoneInfo("America/Chicago"), instant("2026-09-07T00:00"), instant("2026-09-14T00:00")
    )
    assert local(found, "America/Chicago") == ["Mon 08:30", "Mon 09:00", "Mon 09:30"]


def test_only_from_its_first_day_to_its_last_and_not_on_closed_ones():
    every_day = [hours(day, "09:00", "09:30") for day in range(1, 8)]
    found = schedule(
        *every_day,
        start_on=date(2026, 9, 8),
        end_on=date(2026, 9, 11),
        closed_on=(date(2026, 9, 10),),
    ).slots(ZoneInfo("America/Chicago"), instant("2026-09-01T00:00"), instant("2026-10-01T00:00"))
    assert local(found, "America/Chicago") == ["Tue 09:00", "Wed 09:00", "Fri 09:00"]


def test_what_the_clocks_skip_is_offered_by_nobody_and_what_they_repeat_once():
    nights = schedule(hours(7, "00:30", "04:30"), minutes=60)
    spring = nights.slots(
        ZoneInfo("America/Chicago"), instant("2026-03-08T00:00"), instant("2026-03-09T00:00")
    )
    assert local(spring, "America/Chicago") == ["Sun 00:30", "Sun 01:30", "Sun 03:30"]
    autumn = nights.slots(
        ZoneInfo("America/Chicago"), instant("2026-11-01T00:00"), instant("2026-11-02T00:00")
    )
    assert local(autumn, "America/Chicago") == ["Sun 00:30", "Sun 01:30", "Sun 02:30", "Sun 03:30"]


@given(
    zone=st.sampled_from(ZONES),
    on=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    opens=st.integers(0, 280),
    length=st.integers(1, 96),
    room=st.integers(0, 120),
)
@example(zone="America/Chicago", on=date(2026, 3, 8), opens=0, length=12, room=48)
@example(zone="America/Chicago", on=date(2026, 11, 1), opens=0, length=6, room=48)
@example(zone="Australia/Lord_Howe", on=date(2026, 10, 4), opens=0, length=3, room=48)
@example(zone="America/Havana", on=date(2026, 3, 8), opens=0, length=6, room=24)
def test_slots_are_those_that_a_wall_clock_shows(zone, on, opens, length, room):
    """The oracle walks through the day in steps of five minutes and reads the clock on the wall."""
    closes = min(opens + length + room, 287)
    if opens + length > closes:
        return
    minutes = length * 5
    clock = [time(*divmod(step * 5, 60)) for step in (opens, closes)]
    one = schedule(
        WeeklyHours(weekday=on.isoweekday(), opens=clock[0], closes=clock[1]), minutes=minutes,
        start_on=date(2024, 1, 1),
    )  # fmt: skip
    place = ZoneInfo(zone)
    midnight = datetime(on.year, on.month, on.day, tzinfo=place).astimezone(UTC)
    expected, step = [], midnight - timedelta(hours=2)
    while step < midnight + timedelta(hours=28):
        wall = step.astimezone(place)
        since_open = wall.hour * 60 + wall.minute - opens * 5
        if (
            wall.date() == on
            and not wall.fold
            and since_open >= 0
            and since_open % minutes == 0
            and since_open + minutes <= (closes - opens) * 5
        ):
            expected.append(step)
        step += FIVE
    found = list(one.slots(place, midnight - timedelta(days=1), midnight + timedelta(days=2)))
    found = [slot for slot in found if slot.start_at.astimezone(place).date() == on]
    assert [slot.start_at for slot in found] == expected
    assert all(slot.end_at - slot.start_at == timedelta(minutes=minutes) for slot in found)
    assert all(a.end_at <= b.start_at for a, b in zip(found, found[1:], strict=False))
    assert all(one.slot_at(slot.start_at, place) == slot for slot in found)
    assert all(one.slot_at(slot.start_at + timedelta(seconds=1), place) is None for slot in found)


@given(
    busy=st.sets(st.integers(0, 47), max_size=20),
    shift=st.sampled_from([0, 7, 15]),
)
def test_free_is_what_overlaps_nothing_that_is_taken(busy, shift):
    one = schedule(*(hours(day, "00:00", "23:55") for day in range(1, 8)))
    start = instant("2026-09-07T00:00", "UTC")
    slots = list(one.slots(ZoneInfo("UTC"), start, start + timedelta(days=1)))
    taken = [
        Taken(
            schedule_id=one.id,
            start_at=start + timedelta(minutes=30 * n + shift),
            end_at=start + timedelta(minutes=30 * n + shift + 30),
        )
        for n in busy
    ]
    expected = [
        slot
        for slot in slots
        if not any(t.start_at < slot.end_at and slot.start_at < t.end_at for t in taken)
    ]
    assert list(free(iter(slots), taken)) == expected


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"practitioner": " "}, "schedule.practitioner"),
        ({"slot_minutes": 4}, "schedule.slot_minutes"),
        ({"slot_minutes": 481}, "schedule.slot_minutes"),
        ({"end_on": date(2025, 12, 31)}, "schedule.end_date"),
        ({"hours": ()}, "schedule.hours"),
        ({"hours": (hours(8, "08:00", "12:00"),)}, "schedule.hours"),
        ({"hours": (hours(1, "08:00", "08:20"),)}, "schedule.hours"),
        (
            {"hours": (hours(1, "08:00", "12:00"), hours(1, "11:59", "14:00"))},
            "schedule.hours",
        ),
    ],
)
def test_what_cannot_be_a_schedule(wrong, field):
    fields = {
        "id": UUID(int=1), "facility_id": UUID(int=2), "practitioner": "Ada Quill", "slot_minutes": 30,
        "hours": (hours(1, "08:00", "12:00"),), "start_on": date(2026, 1, 1),
    }  # fmt: skip
    Schedule(**fields).checked()
    with pytest.raises(InvalidArgument) as refused:
        Schedule(**{**fields, **wrong}).checked()
    assert refused.value.violations[0][0] == field


def test_a_slot_for_follow_ups_is_for_nothing_else():
    one = schedule(hours(1, "08:30", "10:15"), purposes=(Purpose.FOLLOW_UP,))
    assert one.is_for(Purpose.FOLLOW_UP)
    assert one.is_for(Purpose.UNSPECIFIED)
    assert not one.is_for(Purpose.ROUTINE)
