"""Twenty calendars: a discharge at a local time, and the last moment of each clock that starts with it.

Each line was counted by hand from a wall calendar.
"""

from datetime import timedelta

import pytest

from libs.calendars.calendar import calendar_for
from tests.unit.tasking.record import at, planned, stay

SCENARIOS = [
    # discharge, zone, holidays: contact due, visit at high risk, visit, last of the thirty days
    ("2026-09-01 11:00", "America/Chicago", "us-federal", "09-03 09-08 09-15 09-30"),  # a plain Tuesday
    ("2026-09-04 17:40", "America/Chicago", "us-federal", "09-09 09-11 09-18 10-03"),  # Friday before Labor Day
    ("2026-09-08 17:40", "America/Chicago", "us-federal", "09-10 09-15 09-22 10-07"),  # Tuesday after it
    ("2026-09-07 09:00", "America/Chicago", "us-federal", "09-09 09-14 09-21 10-06"),  # on the holiday itself
    ("2026-05-22 15:00", "America/New_York", "us-federal", "05-27 05-29 06-05 06-20"),  # Memorial Day weekend
    ("2026-03-07 23:30", "America/New_York", "us-federal", "03-10 03-14 03-21 04-05"),  # the clock springs that night
    ("2026-03-08 01:59", "America/New_York", "us-federal", "03-10 03-15 03-22 04-06"),  # a minute before it does
    ("2026-10-31 22:00", "America/Los_Angeles", "us-federal", "11-03 11-07 11-14 11-29"),  # it falls back that night
    ("2026-11-01 01:30", "America/Denver", "us-federal", "11-03 11-08 11-15 11-30"),  # in the hour that comes twice
    ("2026-03-07 23:30", "America/Phoenix", "us-federal", "03-10 03-14 03-21 04-05"),  # no summer time
    ("2026-07-02 10:00", "America/Chicago", "us-federal", "07-07 07-09 07-16 07-31"),  # the 4th kept on Friday
    ("2026-11-25 16:00", "America/Chicago", "us-federal", "11-30 12-02 12-09 12-24"),  # before Thanksgiving
    ("2026-12-24 12:00", "America/Chicago", "us-federal", "12-29 12-31 01-07 01-22"),  # over the year's end
    ("2026-02-13 18:00", "America/Anchorage", "us-federal", "02-18 02-20 02-27 03-14"),  # Washington's Birthday
    ("2027-07-02 09:00", "America/Chicago", "us-federal", "07-07 07-09 07-16 07-31"),  # the 4th kept on Monday
    ("2027-12-30 20:00", "America/Chicago", "us-federal", "01-04 01-06 01-13 01-28"),  # New Year 2028 kept on the 31st
    ("2028-02-25 10:00", "America/Chicago", "us-federal", "02-29 03-03 03-10 03-25"),  # a leap day counts
    ("2026-09-04 23:59", "Pacific/Honolulu", "us-federal", "09-09 09-11 09-18 10-03"),  # already Saturday in UTC
    ("2026-09-04 00:01", "Pacific/Guam", "us-federal", "09-09 09-11 09-18 10-03"),  # still Thursday in UTC
    ("2026-09-04 17:40", "America/Chicago", "none", "09-08 09-11 09-18 10-03"),  # a facility that knows no holidays
]  # fmt: skip


@pytest.mark.parametrize(("discharged", "zone", "holidays", "due"), SCENARIOS)
def test_the_clocks_end_where_a_wall_calendar_says(discharged, zone, holidays, due):
    discharged_at = at(discharged, zone)
    calendar = calendar_for(zone, holidays)
    encounter = stay(discharged=discharged, diagnoses=("I50.9",), discharged_at=discharged_at,
                     admitted_at=discharged_at - timedelta(days=3))  # fmt: skip
    plan = planned(encounter, calendar=calendar)
    assert [f"{each.on:%m-%d}" for each in plan.key_dates] == due.split()
    for each in plan.key_dates:
        assert f"{calendar.local(each.at):%Y-%m-%d %H:%M:%S}" == f"{each.on} 23:59:59"
    by_key = {each.key: each for each in plan.steps}
    contact, visit_7, _, end = plan.key_dates
    assert (by_key["contact"].due_at, by_key["visit"].due_at) == (contact.at, visit_7.at)
    assert by_key["close"].due_at == end.at
    home = by_key["home_visit"]
    assert home.due_at - discharged_at == timedelta(hours=72)
    assert home.start_at - discharged_at == timedelta(hours=48)


def test_there_are_twenty():
    assert len(SCENARIOS) == 20
