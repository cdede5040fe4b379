"""What is true of the loop of a missed visit, whatever is told, in whatever order, and whatever people do about it."""

import random
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.chassis.errors import DomainError
from services.tasking.domain.loop import LoopState
from services.tasking.domain.plan import PatientFacts, PlanState
from tests.unit.tasking.cases import (
    MISSED,
    Followed,
    appointment,
    instead,
    planned,
    referral,
    reply,
    risk,
)
from tests.unit.tasking.hospital import NURSE
from tests.unit.tasking.record import ALIVE, CLINIC, FACILITY, at, stay

NOW = at("2026-09-16 10:20")
STATES = st.sampled_from(["BOOKED", "ARRIVED", "FULFILLED", "NO_SHOW", "CANCELLED"])
DEAD = PatientFacts(is_deceased=True, died_at=at("2026-09-20 10:00"), language="")
days = st.integers(1, 30).map(lambda day: f"2026-09-{day:02d} 10:00")
topics = st.one_of(
    STATES.map(appointment),
    st.builds(
        lambda state, start: appointment(state, start, was_missed_at=at("2026-09-16 10:00")), STATES, days
    ),
)  # fmt: skip
news = st.one_of(
    st.builds(
        lambda state, start, number, before, purpose: instead(
            state, start, id=UUID(int=31 + number), rebooked_from_id=before, purpose=purpose
        ),
        STATES, days, st.integers(0, 3),
        st.sampled_from([None, MISSED, UUID(int=31), UUID(int=32)]), st.sampled_from(["ROUTINE", "FOLLOW_UP"]),
    ),
    st.builds(
        lambda meaning, barrier, number: reply(meaning, barrier, id=UUID(int=40 + number)),
        st.sampled_from(["BARRIER", "CONFIRMED", "TEXT"]), st.sampled_from(["", "TRANSPORT", "WORK"]), st.integers(0, 2),
    ),
    st.builds(
        lambda state, number: referral(state, id=UUID(int=50 + number)),
        st.sampled_from(["REQUESTED", "ACCEPTED", "REJECTED", "FAILED", "COMPLETED"]), st.integers(0, 2),
    ),
    st.builds(lambda score: risk(score, UUID(int=10)), st.integers(0, 19)),
)  # fmt: skip
told = st.lists(news, max_size=5, unique_by=lambda each: each.id)
visits = st.lists(
    st.builds(
        lambda kind, admitted, number, place: stay(
            admitted, None, id=UUID(int=20 + number), visit_class=kind, facility_id=place
        ),
        st.sampled_from(["OUTPATIENT", "INPATIENT", "EMERGENCY"]), days, st.integers(0, 2),
        st.sampled_from([FACILITY, CLINIC]),
    ),
    max_size=2,
    unique_by=lambda each: each.id,
)  # fmt: skip
lives = st.sampled_from([ALIVE, ALIVE, ALIVE, DEAD])


@settings(max_examples=200, deadline=None)
@given(topics, told, visits, lives, st.randoms())
def test_a_plan_is_the_same_however_it_was_told(topic, heard, seen, patient, chance):
    plan = planned(topic, *heard, visits=seen, patient=patient)
    shuffled, elsewhere = list(heard), list(seen)
    chance.shuffle(shuffled)
    chance.shuffle(elsewhere)
    assert planned(topic, *shuffled, topic, visits=elsewhere, patient=patient) == plan
    if plan and plan.state is PlanState.CLOSED:
        assert plan.close_reason in {"ATTENDED", "MISSED_AGAIN", "READMITTED", "DECEASED"}
        assert plan.close_evidence or plan.close_reason == "DECEASED"


moves = st.tuples(
    topics, told, visits, lives, st.integers(0, 200), st.sampled_from(["", "ask_why", "book_again", "arrange_ride"]),
    st.integers(0, 9),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(moves, min_size=1, max_size=6))
def test_the_promise_is_kept_and_the_same_again_changes_nothing(story):
    followed, now = Followed(), NOW
    for topic, heard, seen, patient, hours, step, pick in story:
        now += timedelta(hours=hours)
        if step in followed.open:
            outcomes = followed[step].outcomes
            with suppress(DomainError):
                followed.complete(step, outcomes[pick % len(outcomes)].key, NURSE, now)
        followed.follow(topic, *heard, visits=seen, patient=patient, now=now)
        again = followed.follow(topic, *heard, visits=seen, patient=patient, now=now)
        assert (again.loop, again.tasks) == (None, ())
        loop = followed.loop
        if loop is None:
            continue
        assert (loop.state is LoopState.OPEN) == (loop.clock_at is not None)
        assert loop.accountable_id
        assert loop.is_open or (loop.evidence and loop.close_reason)
        assert loop.is_open or not followed.open
        if loop.close_reason == "ATTENDED":
            assert loop.evidence[-1].kind in {"APPOINTMENT", "ENCOUNTER"}


@settings(max_examples=60, deadline=None)
@given(topics, told, st.integers(0, 10**6))
def test_told_one_by_one_in_any_order_it_ends_the_same(topic, heard, seed):
    ends = set()
    for order in range(2):
        followed, shuffled = Followed(), list(heard)
        random.Random(seed + order).shuffle(shuffled)
        for count in range(len(shuffled) + 1):
            followed.follow(topic, *shuffled[:count], now=NOW)
        if followed.loop is None:
            ends.add(None)
            continue
        shown = {step for step, task in followed.tasks.items() if task.shown_by}
        ends.add(
            (
                followed.loop.state,
                followed.loop.close_reason,
                frozenset(shown),
                frozenset(followed.open),
            )
        )
    # What closes it at once opens nothing, and what is told first decides whether there was a loop at all.
    open_ends = {end for end in ends if end and end[0] is LoopState.OPEN}
    assert len(open_ends) <= 1
    assert not (open_ends and ends - open_ends)
