"""What an appointment is, of everything that is said of it."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.chassis.errors import FailedPrecondition
from services.scheduling.domain.appointment import Appointment, Reason, State, Told, first_told
from services.scheduling.domain.facility import Facility
from services.scheduling.domain.labels import Label
from services.scheduling.domain.visit import Visit, weigh

START = datetime(2026, 9, 8, 14, 0, tzinfo=UTC)  # 09:00 in Chicago
HERE, THERE, PATIENT, OTHER = (UUID(int=n) for n in range(1, 5))
PLACE = Facility(id=HERE, version=1, time_zone="America/Chicago")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def booked(**fields):
    fields = {"booked_at": START - 7 * DAY, "schedule_id": UUID(int=9)} | fields
    return Appointment(
        id=UUID(int=7), facility_id=HERE, patient_id=PATIENT, start_at=START, **fields
    )


def visit(began_at=START, number=20, **fields):
    fields = {"facility_id": HERE, "patient_id": PATIENT, "labels": (Label.NORMAL,)} | fields
    return Visit(id=UUID(int=number), version=1, began_at=began_at, died_at=fields.pop("died_at", None), **fields)  # fmt: skip


def told(state=State.BOOKED, start_at=START, version=1, **fields):
    fields = {"labels": (Label.NORMAL,), "practitioner": "Ada Quill", "end_at": None} | fields
    return Told(
        id=UUID(int=7), version=version, facility_id=HERE, patient_id=PATIENT, number="A1",
        at=fields.pop("at", START - DAY), start_at=start_at, state=state, **fields,
    )  # fmt: skip


def at(appointment, now, *visits):
    return weigh(appointment, visits, PLACE).settled(now)


def test_nobody_has_come_for_a_quarter_of_an_hour():
    assert at(booked(), START + 15 * MINUTE - timedelta(seconds=1)).state is State.BOOKED
    assert at(booked(), START + 15 * MINUTE).state is State.NO_SHOW


def test_a_late_arrival_on_the_day_still_makes_it_take_place():
    missed = at(booked(), START + HOUR)
    arrived = missed.check_in(PLACE, START + HOUR)
    assert (arrived.state, arrived.shown_arrived_at) == (State.ARRIVED, START + HOUR)
    with pytest.raises(FailedPrecondition, match="day of the appointment"):
        missed.check_in(PLACE, START + DAY)


def test_whoever_arrived_is_not_missed():
    arrived = booked().check_in(PLACE, START - 5 * MINUTE)
    assert at(arrived, START + 9 * HOUR).state is State.ARRIVED


def test_a_visit_on_the_day_shows_that_it_took_place_and_what_is_taken_back_does_not():
    after = at(booked(), START + HOUR, visit(START + 40 * MINUTE))
    assert (after.state, after.encounter_id) == (State.FULFILLED, UUID(int=20))
    assert at(after, START + 2 * HOUR).state is State.NO_SHOW


@pytest.mark.parametrize(
    "other",
    [
        visit(facility_id=THERE),
        visit(patient_id=OTHER),
        visit(START + DAY),
        visit(START - 9 * HOUR - MINUTE),  # 23:59 the day before, in Chicago
        visit(None),
    ],
)
def test_another_visit_shows_nothing(other):
    assert at(booked(), START + HOUR, other).state is State.NO_SHOW


def test_the_day_is_the_facilitys():
    assert at(booked(), START, visit(START - 9 * HOUR)).state is State.FULFILLED  # 00:00
    late = visit(START + 15 * HOUR - MINUTE)  # 23:59, the next day in UTC
    assert at(booked(), START, late).state is State.FULFILLED


def test_a_visit_before_anybody_booked_is_another_one():
    walked_in = visit(START - 2 * HOUR)
    assert at(booked(booked_at=START - HOUR), START, walked_in).state is State.BOOKED
    assert at(booked(booked_at=None), START, walked_in).state is State.FULFILLED


def test_the_nearest_visit_is_the_one():
    visits = visit(START + 3 * HOUR, 30), visit(START - 10 * MINUTE, 31), visit(START + HOUR, 32)
    found = {at(booked(), START, *order).encounter_id for order in permutations(visits)}
    assert found == {UUID(int=31)}


def test_it_is_as_sensitive_as_the_visit_that_shows_it():
    after = at(booked(), START, visit(labels=(Label.PART2, Label.SUD)))
    assert after.labels == (Label.PART2, Label.SUD)
    assert at(after, START).labels == (Label.NORMAL,)


def test_the_dead_do_not_come():
    death = visit(None, died_at=START - DAY, facility_id=THERE)
    after = at(booked(), START - HOUR, death)
    assert (after.state, after.cancel_reason) == (State.CANCELLED, Reason.DECEASED)
    assert not after.holds_slot
    assert at(after, START - HOUR).state is State.BOOKED
    assert at(booked(), START - HOUR, visit(None, died_at=START + DAY)).state is State.BOOKED


def test_a_death_that_nobody_else_may_know_of_changes_nothing_elsewhere():
    secret = {"died_at": START - DAY, "labels": (Label.PART2,)}
    elsewhere = visit(None, facility_id=THERE, **secret)
    assert at(booked(), START - HOUR, elsewhere).state is State.BOOKED
    assert at(booked(), START - HOUR, visit(None, **secret)).state is State.CANCELLED


@pytest.mark.parametrize(
    ("ahead", "is_late"), [(DAY, False), (DAY - MINUTE, True), (-5 * MINUTE, True)]
)
def test_a_late_cancel_is_one_within_a_day(ahead, is_late):
    after = booked().cancel(Reason.PATIENT, START - ahead)
    assert (after.state, after.is_late_cancel) == (State.CANCELLED, is_late)
    assert after.cancelled_at == START - ahead
    assert at(after, START + HOUR, visit()).state is State.CANCELLED


def test_what_is_over_cannot_be_cancelled():
    with pytest.raises(FailedPrecondition, match="no show"):
        at(booked(), START + HOUR).cancel(Reason.CLINIC, START + HOUR)


def test_nobody_misses_what_lies_ahead():
    with pytest.raises(FailedPrecondition, match="before it begins"):
        booked().miss(START - MINUTE)
    assert booked().miss(START + MINUTE).state is State.NO_SHOW
    with pytest.raises(FailedPrecondition, match="before its day"):
        booked().complete(PLACE, START - DAY)
    assert at(booked(), START + DAY).complete(PLACE, START + DAY).state is State.FULFILLED


def test_booked_again():
    once = booked().rebooked(START - DAY)
    assert once.cancel_reason is Reason.REBOOKED
    with pytest.raises(FailedPrecondition) as twice:
        once.rebooked(START - DAY)
    assert twice.value.reason == "APPOINTMENT_REBOOKED"
    cancelled = booked().cancel(Reason.PATIENT, START - DAY)
    assert cancelled.rebooked(START - DAY) is cancelled
    missed = at(booked(), START + HOUR)
    assert missed.rebooked(START + HOUR) is missed
    with pytest.raises(FailedPrecondition):
        booked().check_in(PLACE, START).rebooked(START)


def test_what_a_feed_tells():
    first = first_told(told())
    assert at(first, START).state is State.BOOKED
    assert first_told(told(start_at=None)) is None
    for state in (State.CANCELLED, State.NO_SHOW, State.ARRIVED, State.FULFILLED):
        after = at(first.retold(told(state, version=2, start_at=None)), START)
        assert (after.state, after.start_at) == (state, START)
    assert at(first.retold(told(State.CANCELLED)), START).cancel_reason is Reason.FEED
    with pytest.raises(FailedPrecondition) as refused:
        first.cancel(Reason.PATIENT, START - DAY)
    assert refused.value.reason == "APPOINTMENT_OF_FEED"


def test_what_people_said_of_another_time_counts_no_more():
    missed = at(first_told(told()), START).miss(START + MINUTE)
    moved = at(missed.retold(told(start_at=START + DAY)), START + MINUTE)
    assert moved.state is State.BOOKED
    assert at(moved.retold(told()), START + MINUTE).state is State.NO_SHOW


def test_an_arrival_counts_for_the_beginning_that_it_was_told_for():
    early = START - 30 * MINUTE
    arrived = at(first_told(told(State.ARRIVED, at=early)), START)
    assert arrived.shown_arrived_at == early
    assert at(arrived.retold(told(State.FULFILLED)), START).shown_arrived_at == early
    assert at(arrived.retold(told(State.FULFILLED, start_at=None)), START).shown_arrived_at == early
    later = START + 8 * DAY
    moved = at(arrived.retold(told(State.FULFILLED, start_at=later)), later)
    assert (moved.state, moved.shown_arrived_at) == (State.FULFILLED, None)
    again = arrived.retold(told(State.ARRIVED, start_at=later, at=later - MINUTE))
    assert at(again, later).shown_arrived_at == later - MINUTE
    kept = at(again.retold(told(State.FULFILLED, start_at=later)), later)
    assert kept.shown_arrived_at == later - MINUTE


def test_who_checked_in_did_so_for_the_beginning_that_it_had():
    early, later = START - 30 * MINUTE, START + 8 * DAY
    here = at(first_told(told()), START - HOUR).check_in(PLACE, early)
    assert at(here.retold(told(State.FULFILLED)), START).shown_arrived_at == early
    moved = here.retold(told(State.FULFILLED, start_at=later))
    assert at(moved, later).shown_arrived_at is None
    # Told in one or piece by piece, what people said of this time counts.
    back, at_once = moved.retold(told(version=3)), here.retold(told(version=3))
    assert at(back, START) == at(at_once, START)
    assert at(back, START).shown_arrived_at == early
    done = here.complete(PLACE, START + HOUR)
    assert at(done.retold(told(start_at=later)).retold(told()), START).shown_arrived_at == early


@given(
    visits=st.lists(
        st.builds(
            visit,
            st.one_of(st.none(), st.integers(-2000, 2000).map(lambda m: START + m * MINUTE)),
            st.integers(20, 26),
            died_at=st.one_of(st.none(), st.integers(-9, 9).map(lambda d: START + d * DAY)),
        ),
        max_size=6,
        unique_by=lambda one: one.id,
    ),
    steps=st.randoms(use_true_random=False),
)
def test_any_order_and_any_repetition_end_the_same(visits, steps):
    """Evidence comes piece by piece, repeated, and is weighed each time with all that is known by then."""
    now = START + HOUR
    direct = at(booked(), now, *visits)
    known, appointment = {}, at(booked(), now)
    deliveries = visits * 2
    steps.shuffle(deliveries)
    for each in deliveries:
        known[each.id] = each
        appointment = at(appointment, now, *known.values())
    assert appointment == direct
