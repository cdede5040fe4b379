"""Who fits, who does not, and in which words."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from libs.calendars.calendar import calendar_for
from services.referrals.domain.directory import CapacityStatus, Hours, Service
from services.referrals.domain.matching import Wanted, match, ranked

CHICAGO = calendar_for("America/Chicago", "us-federal")
NOW = datetime(2026, 9, 8, 14, tzinfo=UTC)  # a Tuesday, 9:00 in Chicago
RIDES = Service(
    id=UUID(int=1), organization_id=UUID(int=2), name="Rides", status="active", needs=("transportation-insecurity",),
    postal_codes=("62701",), languages=("en", "es"), hours=(Hours(days=("TU",), opens_at="08:00", closes_at="12:00"),),
    drivers=2, assured_on=date(2026, 8, 1), body={},
)  # fmt: skip
WANTED = Wanted(
    need="transportation-insecurity",
    postal_code="62701",
    start_at=NOW,
    end_at=NOW + timedelta(hours=2),
    language="es",
)


def matched(service=RIDES, taken=0, **wanted):
    return match(service, replace(WANTED, **wanted), taken, CHICAGO, NOW)


def test_everything_that_fits_is_said():
    found = matched()
    assert found.fits
    assert {r.code for r in found.reasons if r.is_for} == {"DRIVERS", "AREA", "HOURS", "LANGUAGE"}


@pytest.mark.parametrize(
    ("service", "wanted", "code"),
    [
        ({}, {"need": "stress"}, "NEED"),
        ({"status": "temporarily closed"}, {}, "STATUS"),
        ({}, {"postal_code": "99999"}, "AREA"),
        ({"counties": ("Sample County",), "postal_codes": ()}, {"county": "Other"}, "AREA"),
        ({}, {"start_at": NOW + timedelta(days=1), "end_at": NOW + timedelta(days=1)}, "HOURS"),
        ({}, {"end_at": NOW + timedelta(hours=4)}, "HOURS"),
        ({}, {"needs_wheelchair": True}, "WHEELCHAIR"),
        ({"minimum_age": 60}, {"age": 50}, "AGE"),
        ({"maximum_age": 60}, {"age": 70}, "AGE"),
        ({"assured_on": date(2025, 9, 1)}, {}, "ASSURED"),
    ],
)
def test_what_rules_a_service_out_is_said_first(service, wanted, code):
    found = matched(replace(RIDES, **service), **wanted)
    assert not found.fits
    assert found.reasons[0].code == code


@pytest.mark.parametrize(
    ("begins", "ends", "fits"),
    [
        ("2026-09-08 17:59", "2026-09-08 20:00", False),
        ("2026-09-08 18:00", "2026-09-08 20:00", True),
        ("2026-09-08 23:00", "2026-09-09 01:00", True),
        ("2026-09-09 06:00", "2026-09-09 07:00", True),
        ("2026-09-09 06:00", "2026-09-09 07:01", False),
        ("2026-09-09 19:00", "2026-09-09 20:00", False),  # a Wednesday evening
        ("2026-09-08 06:00", "2026-09-08 07:00", False),  # the night of Monday
        ("2026-09-12 06:00", "2026-09-12 06:30", True),  # the night of Friday
        ("2026-09-12 06:00", "2026-09-12 19:00", False),  # two nights, and the day between them
    ],
)
def test_hours_over_midnight_are_those_of_the_day_on_which_they_begin(begins, ends, fits):
    night = Hours(days=("TU", "FR", "SA"), opens_at="18:00", closes_at="07:00")
    begin, end = (
        datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Chicago"))
        for text in (begins, ends)
    )
    found = matched(replace(RIDES, hours=(night,)), start_at=begin, end_at=end)
    assert found.fits is fits
    assert ("HOURS" in {r.code for r in found.reasons if r.rules_out}) is not fits


def test_drivers_who_are_taken_do_not_count():
    assert matched(taken=1).fits
    assert "1 of 2 drivers free" in str(matched(taken=1).reasons)
    assert not matched(taken=2).fits
    assert matched(taken=2, start_at=None).fits


def test_a_capacity_counts_while_it_is_young_and_is_said_with_its_age():
    said = replace(RIDES, capacity_hours=48).say_capacity(CapacityStatus.NO, at=NOW)
    assert not matched(said).fits
    later = match(said, WANTED, 0, CHICAGO, NOW + timedelta(hours=47))
    assert "47 hours ago" in str(later.reasons)
    assert match(said, WANTED, 0, CHICAGO, NOW + timedelta(hours=48)).fits
    forgotten = said.forget_capacity(at=NOW + timedelta(hours=48))
    assert (forgotten.capacity, forgotten.capacity_at) == (CapacityStatus.UNVERIFIED, NOW)
    assert said.forget_capacity(at=NOW) is said


def test_the_best_come_first_and_those_that_do_not_fit_last():
    full = replace(RIDES, id=UUID(int=3), name="A full", capacity=CapacityStatus.NO, capacity_at=NOW, capacity_until=NOW + timedelta(days=1))  # fmt: skip
    ready = replace(RIDES, id=UUID(int=4), name="Z ready").say_capacity(CapacityStatus.YES, at=NOW)
    english = replace(RIDES, id=UUID(int=5), name="B english", languages=("en",))
    found = ranked([full, ready, english, RIDES], WANTED, taken={}, calendar=CHICAGO, at=NOW)
    assert [each.service.name for each in found] == ["Z ready", "Rides", "B english", "A full"]


def test_a_directory_changes_what_it_says_and_not_what_the_service_said():
    said = RIDES.say_capacity(CapacityStatus.YES, at=NOW)
    assert said.become(RIDES) is said
    renamed = said.become(replace(RIDES, name="Others"))
    assert (renamed.name, renamed.capacity, renamed.version) == (
        "Others",
        CapacityStatus.YES,
        said.version + 1,
    )
