"""Days as a facility counts them: the vectors of protocols.md, the holiday lists, and the clocks of fifty zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libs.calendars.calendar import calendar_for
from libs.chassis.errors import InvalidArgument

CHICAGO = calendar_for("America/Chicago", "us-federal")
ZONES = [
    "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "Africa/Lagos",
    "Africa/Nairobi", "America/Adak", "America/Anchorage", "America/Argentina/Buenos_Aires",
    "America/Asuncion", "America/Bogota", "America/Boise", "America/Caracas",
    "America/Chicago", "America/Denver", "America/Detroit", "America/Halifax",
    "America/Havana", "America/Indiana/Indianapolis", "America/Los_Angeles",
    "America/Mexico_City", "America/New_York", "America/Nuuk", "America/Phoenix",
    "America/Puerto_Rico", "America/Santiago", "America/Sao_Paulo", "America/St_Johns",
    "Antarctica/Troll", "Asia/Beirut", "Asia/Dubai", "Asia/Gaza", "Asia/Jerusalem",
    "Asia/Kathmandu", "Asia/Kolkata", "Asia/Manila", "Asia/Riyadh", "Asia/Shanghai",
    "Asia/Tehran", "Asia/Tokyo", "Atlantic/Azores", "Atlantic/Reykjavik",
    "Australia/Adelaide", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin",
    "Europe/Dublin", "Europe/London", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham",
    "Pacific/Guam", "Pacific/Honolulu", "Pacific/Kiritimati", "Pacific/Pago_Pago",
]  # fmt: skip
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 12, 31))
moments = st.integers(0, 16 * 365 * 86400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def holidays_of(year: int) -> str:
    return " ".join(f"{day:%m-%d}" for day in sorted(CHICAGO.holidays) if day.year == year)


def test_the_federal_holidays_of_2026_are_those_observed():
    assert holidays_of(2026) == "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"


def test_the_federal_holidays_of_2027_are_those_observed_and_new_year_2028_on_its_friday():
    assert (
        holidays_of(2027)
        == "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"
    )
    assert CHICAGO.holidays[date(2027, 12, 31)] == "New Year's Day"


def test_a_holiday_exists_only_from_its_year_on():
    assert date(2020, 6, 19) not in CHICAGO.holidays
    assert CHICAGO.holidays[date(2021, 6, 18)] == "Juneteenth National Independence Day"


@pytest.mark.parametrize(
    ("discharge", "contact", "visit_7", "visit_14", "period_end"),
    [
        ("2026-09-01", "2026-09-03", "2026-09-08", "2026-09-15", "2026-09-30"),
        ("2026-05-22", "2026-05-27", "2026-05-29", "2026-06-05", "2026-06-20"),
        ("2026-03-07", "2026-03-10", "2026-03-14", "2026-03-21", "2026-04-05"),
        ("2026-07-02", "2026-07-07", "2026-07-09", "2026-07-16", "2026-07-31"),
        ("2026-11-25", "2026-11-30", "2026-12-02", "2026-12-09", "2026-12-24"),
        ("2026-12-24", "2026-12-29", "2026-12-31", "2027-01-07", "2027-01-22"),
        ("2026-02-13", "2026-02-18", "2026-02-20", "2026-02-27", "2026-03-14"),
    ],
)
def test_the_vectors(discharge, contact, visit_7, visit_14, period_end):
    day = date.fromisoformat(discharge)
    counted = [
        CHICAGO.business_days_after(day, 2),
        *(CHICAGO.calendar_days_after(day, n) for n in (7, 14, 29)),
    ]
    assert [str(count.on) for count in counted] == [contact, visit_7, visit_14, period_end]


def test_a_count_names_the_days_that_do_not_count():
    count = CHICAGO.business_days_after(date(2026, 9, 4), 2)
    assert count.explanation == (
        "2 business days after 2026-09-04; "
        "2026-09-05, 2026-09-06 and 2026-09-07 (Labor Day) do not count"
    )
    one = CHICAGO.business_days_after(date(2026, 3, 7), 1)
    assert one.explanation == "1 business day after 2026-03-07; 2026-03-08 does not count"
    assert (
        CHICAGO.calendar_days_after(date(2026, 9, 4), 7).explanation
        == "7 calendar days after 2026-09-04"
    )


def test_without_holidays_only_weekends_do_not_count():
    calendar = calendar_for("Europe/Berlin", "none")
    assert calendar.business_days_after(date(2026, 12, 24), 2).on == date(2026, 12, 28)
    assert calendar_for("Europe/Berlin", "") == calendar


def test_a_day_ends_one_second_before_the_next_also_when_the_clock_changes():
    assert CHICAGO.end_of_day(date(2026, 3, 7)) == datetime(2026, 3, 8, 5, 59, 59, tzinfo=UTC)
    assert CHICAGO.end_of_day(date(2026, 3, 8)) == datetime(2026, 3, 9, 4, 59, 59, tzinfo=UTC)
    havana = calendar_for("America/Havana", "none")  # midnight is skipped in March
    assert havana.start_of_day(date(2026, 3, 8)) == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert havana.local(havana.start_of_day(date(2026, 3, 8))).hour == 1


def test_late_in_the_evening_it_is_still_that_day():
    assert CHICAGO.local_date(datetime(2026, 9, 5, 4, 59, tzinfo=UTC)) == date(2026, 9, 4)


@pytest.mark.parametrize(
    ("zone", "holidays", "reason"),
    [
        ("America/Chicgo", "none", "TIME_ZONE_UNKNOWN"),
        ("", "none", "TIME_ZONE_UNKNOWN"),
        ("../etc/passwd", "none", "TIME_ZONE_UNKNOWN"),
        ("America", "none", "TIME_ZONE_UNKNOWN"),
        ("America/Chicago", "us-fedral", "HOLIDAY_CALENDAR_UNKNOWN"),
        ("America/Chicago", "../us-federal", "HOLIDAY_CALENDAR_UNKNOWN"),
    ],
)
def test_what_nobody_knows_is_refused(zone, holidays, reason):
    with pytest.raises(InvalidArgument) as error:
        calendar_for(zone, holidays)
    assert error.value.reason == reason


def test_nobody_counts_backward():
    with pytest.raises(ValueError, match="forward"):
        CHICAGO.business_days_after(date(2026, 9, 4), -1)


@example(day=date(2030, 3, 30), zone="America/Nuuk")
@given(day=days, zone=st.sampled_from(ZONES))
def test_days_follow_one_another_without_gap_or_overlap(day, zone):
    calendar = calendar_for(zone, "us-federal")
    start, end = calendar.start_of_day(day), calendar.end_of_day(day)
    assert calendar.local_date(start) == calendar.local_date(end) == day
    assert calendar.start_of_day(day + timedelta(days=1)) == end + timedelta(seconds=1)
    assert timedelta(hours=22) < end - start < timedelta(hours=26)
    last, after = (at.astimezone(ZoneInfo(zone)) for at in (end, end + timedelta(seconds=1)))
    is_jump = (
        last.utcoffset() != after.utcoffset()
    )  # in Nuuk the clock jumps from 23:00 to midnight
    assert is_jump or f"{last:%H:%M:%S}" == "23:59:59"


@given(at=moments, zone=st.sampled_from(ZONES))
def test_every_moment_lies_within_its_own_day(at, zone):
    calendar = calendar_for(zone, "none")
    day = calendar.local_date(at)
    assert calendar.start_of_day(day) <= at < calendar.end_of_day(day) + timedelta(seconds=1)


@given(day=days, n=st.integers(1, 40))
def test_business_days_land_on_business_days_and_each_one_counts(day, n):
    on = CHICAGO.business_days_after(day, n).on
    assert CHICAGO.is_business_day(on)
    between = (day + timedelta(days=i) for i in range(1, (on - day).days + 1))
    assert sum(map(CHICAGO.is_business_day, between)) == n


@given(first=days, second=days, n=st.integers(0, 20), more=st.integers(0, 20))
def test_counting_later_or_longer_never_ends_earlier(first, second, n, more):
    early, late = sorted((first, second))
    assert (
        CHICAGO.business_days_after(early, n).on <= CHICAGO.business_days_after(late, n + more).on
    )
    assert CHICAGO.calendar_days_after(early, n).on <= CHICAGO.business_days_after(early, n).on
