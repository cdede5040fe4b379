"""Minutes worked: which entries can be, what of them counts, and what a month of them can be billed as."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.calendars.calendar import calendar_for
from libs.chassis.errors import DomainError
from services.tasking.domain.billing import billing_rules, rule_on
from services.tasking.domain.labels import ORDINARY
from services.tasking.domain.role_class import RoleClass
from services.tasking.domain.time_ledger import (
    TimeEntry,
    by_month,
    checked,
    minus,
    month_totals,
    standing,
    union,
    whole_minutes,
)
from tests.unit.tasking.hospital import NURSE, OTHER
from tests.unit.tasking.record import CHICAGO, FACILITY, PATIENT, at

COUNTED = billing_rules().counted
NOW = at("2026-10-02 12:00")
CLINICAL, PHYSICIAN, ADMIN = RoleClass.CLINICAL_STAFF, RoleClass.PHYSICIAN_NPP, RoleClass.ADMIN
SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


def entry(start="2026-09-10 09:00", minutes=20, number=1, **changes):
    begins = at(start)
    facts = {
        "id": UUID(int=number),
        "facility_id": FACILITY,
        "patient_id": PATIENT,
        "staff_id": NURSE,
        "role_class": CLINICAL,
        "program": "tcm",
        "start_at": begins,
        "end_at": begins + timedelta(minutes=minutes),
        "activity": "call",
        "labels": ORDINARY,
        "recorded_by_id": NURSE,
        "recorded_at": NOW,
    }
    return TimeEntry(**(facts | changes))


def totals(*entries):
    found = month_totals(entries, CHICAGO, COUNTED)
    return {(each.month, each.program, each.role_class): each.minutes for each in found}


def refused(made, *others):
    with pytest.raises(DomainError) as error:
        checked(made, others, now=NOW)
    return error.value.reason


def test_an_entry_is_in_the_past_and_of_a_length_that_can_be():
    assert checked(entry(), (), now=NOW) == entry()
    assert refused(entry(minutes=0)) == "TIME_REVERSED"
    assert refused(entry(minutes=-5)) == "TIME_REVERSED"
    assert refused(entry("2026-10-02 11:50", 15)) == "TIME_IN_FUTURE"
    assert refused(entry(minutes=12 * 60 + 1)) == "TIME_TOO_LONG"


def test_nobody_is_in_two_places_at_once():
    there = entry("2026-09-10 09:19", number=2)
    assert refused(entry(), there) == "TIME_OVERLAPS"
    assert checked(entry(), [entry("2026-09-10 09:20", number=2)], now=NOW)
    assert checked(entry(), [replace(there, staff_id=OTHER)], now=NOW)
    assert checked(entry(replaces_id=there.id), [there], now=NOW)


def test_a_correction_replaces_and_a_withdrawal_takes_away():
    first = entry()
    second = entry(minutes=10, number=2, replaces_id=first.id, reason="It was shorter.")
    gone = replace(second, id=UUID(int=3), replaces_id=second.id, is_withdrawn=True)
    assert standing([first, second]) == (second,)
    assert totals(first, second) == {(SEPTEMBER, "tcm", CLINICAL): 10}
    assert totals(first, second, gone) == {}


def test_two_people_on_one_call_count_once():
    other = entry("2026-09-10 09:10", 20, 2, staff_id=OTHER)
    assert totals(entry(), other) == {(SEPTEMBER, "tcm", CLINICAL): 30}
    assert totals(entry(), entry(number=2, staff_id=OTHER)) == {(SEPTEMBER, "tcm", CLINICAL): 20}


def test_a_minute_belongs_to_one_program():
    other = entry("2026-09-10 09:10", 20, 2, staff_id=OTHER, program="ccm")
    found = totals(entry(), other)
    assert found == {(SEPTEMBER, "tcm", CLINICAL): 20, (SEPTEMBER, "ccm", CLINICAL): 10}


def test_of_a_physician_and_staff_at_once_the_minute_is_the_physicians():
    doctor = entry("2026-09-10 09:10", 20, 2, staff_id=OTHER, role_class=PHYSICIAN)
    found = totals(entry(), doctor)
    assert found == {(SEPTEMBER, "tcm", PHYSICIAN): 20, (SEPTEMBER, "tcm", CLINICAL): 10}


def test_administration_and_what_is_no_care_never_count():
    assert totals(entry(role_class=ADMIN)) == {}
    for activity in ("voicemail", "travel", "training", "claims"):
        assert totals(entry(activity=activity)) == {}


def test_a_month_ends_at_the_local_midnight():
    found = totals(entry("2026-09-30 23:50", 20))
    assert found == {(SEPTEMBER, "tcm", CLINICAL): 10, (OCTOBER, "tcm", CLINICAL): 10}
    assert at("2026-09-30 23:50").astimezone(UTC).month == 10


def test_seconds_are_added_before_minutes_are_rounded_down():
    first = replace(entry(), end_at=at("2026-09-10 09:00") + timedelta(seconds=90))
    again = replace(entry("2026-09-11 09:00", number=2))
    again = replace(again, end_at=again.start_at + timedelta(seconds=45))
    assert totals(first, again) == {(SEPTEMBER, "tcm", CLINICAL): 2}


START = datetime(2026, 9, 29, tzinfo=UTC)
moments = st.integers(0, 5 * 24 * 3600).map(lambda seconds: START + timedelta(seconds=seconds))
intervals = st.tuples(moments, st.integers(0, 6 * 3600)).map(
    lambda drawn: (drawn[0], drawn[0] + timedelta(seconds=drawn[1]))
)


def seconds_of(some):
    """Told in another way: each second that lies in any of them."""
    return {
        second
        for start, end in some
        for second in range(int(start.timestamp()), int(end.timestamp()))
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(intervals, max_size=5))
def test_a_union_has_the_same_moments_in_order_and_apart(some):
    found = union(some)
    assert seconds_of(found) == seconds_of(some)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))
    assert whole_minutes(some) == len(seconds_of(some)) // 60


@settings(max_examples=60, deadline=None)
@given(intervals, st.lists(intervals, max_size=4))
def test_what_is_left_is_what_was_not_taken(interval, taken):
    assert seconds_of(minus(interval, taken)) == seconds_of([interval]) - seconds_of(taken)


@settings(max_examples=60, deadline=None)
@given(intervals, st.sampled_from(["America/Chicago", "Pacific/Apia", "America/Havana"]))
def test_cut_by_month_nothing_is_lost_or_twice(interval, zone):
    calendar = calendar_for(zone, "none")
    pieces = by_month(interval, calendar)
    assert (
        sum((end - start for _, (start, end) in pieces), timedelta()) == interval[1] - interval[0]
    )
    for month, (start, end) in pieces:
        assert calendar.local_date(start).replace(day=1) == month
        assert calendar.local_date(end - timedelta(microseconds=1)).replace(day=1) == month


entries = st.builds(
    lambda number, interval, role, program, who: entry(
        number=number, start_at=interval[0], end_at=interval[1], role_class=role, program=program,
        staff_id=UUID(int=who),
    ),
    st.integers(1, 10**6), intervals, st.sampled_from(list(RoleClass)), st.sampled_from(["tcm", "ccm"]),
    st.integers(1, 3),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, max_size=5, unique_by=lambda each: each.id), st.randoms())
def test_no_second_is_counted_twice_whatever_the_order(some, chance):
    found = month_totals(some, CHICAGO, COUNTED)
    counting = [(e.start_at, e.end_at) for e in some if e.role_class is not ADMIN]
    whole = len(seconds_of(counting)) // 60
    assert whole - len(found) <= sum(each.minutes for each in found) <= whole
    shuffled = list(some)
    chance.shuffle(shuffled)
    assert month_totals(shuffled, CHICAGO, COUNTED) == found


CCM = rule_on(billing_rules().ccm, date(2026, 9, 1))


@pytest.mark.parametrize(
    ("minutes", "codes"),
    [(19, ()), (20, ("99490",)), (39, ("99490",)), (40, ("99490", "99439")), (59, ("99490", "99439")),
     (60, ("99490", "99439", "99439")), (200, ("99490", "99439", "99439"))],
)  # fmt: skip
def test_minutes_of_staff_in_a_month(minutes, codes):
    assert CCM.codes(minutes, CLINICAL) == codes


@pytest.mark.parametrize(
    ("minutes", "codes"),
    [(59, ("99490", "99439")), (60, ("99487",)), (89, ("99487",)), (90, ("99487", "99489")),
     (120, ("99487", "99489", "99489"))],
)  # fmt: skip
def test_minutes_of_staff_where_it_is_complex(minutes, codes):
    assert CCM.codes(minutes, CLINICAL, is_complex=True) == codes


@pytest.mark.parametrize(
    ("minutes", "codes"), [(29, ()), (30, ("99491",)), (60, ("99491", "99437"))]
)
def test_minutes_of_a_physician(minutes, codes):
    assert CCM.codes(minutes, PHYSICIAN) == codes


@pytest.mark.parametrize("role", [RoleClass.AUXILIARY_CHW, ADMIN])
def test_nobody_elses_minutes_are_chronic_care(role):
    assert CCM.codes(200, role) == ()


def test_of_several_roles_the_one_that_is_worth_most_counts():
    rules = billing_rules()
    assert rules.class_of(["scheduler", "nurse", "physician"]) is PHYSICIAN
    assert rules.class_of(["community_health_worker", "nurse"]) is CLINICAL
    assert rules.class_of(["coordinator"]) is ADMIN
    assert rules.class_of([]) is ADMIN
