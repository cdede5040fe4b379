"""What a loop makes of its tasks: evidence, owner, clock, and when it closes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.tasking.domain.loop import (
    LOOP_CLOSED,
    REVIEW_AFTER,
    EvidenceKind,
    LoopState,
    loop_id,
    settle,
    task_id,
)
from services.tasking.domain.task import AttemptResult, ContactAttempt, TaskState
from tests.unit.tasking.hospital import DUTY, EVERYBODY, LOOP, NURSE, NURSES, Stored, local_date
from tests.unit.tasking.record import PROTOCOL, at, stay

NOW = at("2026-09-04 18:00")


@pytest.fixture
def stored():
    stored = Stored()
    stored.plan(stay(discharged="2026-09-04 17:40"), now=NOW)
    return stored


def settled(stored, *changed, now=NOW):
    tasks = {task.step: task for task in (*stored.tasks.values(), *changed)}
    loop, tasks = settle(stored.loop, list(tasks.values()), EVERYBODY, now)
    return loop, {task.step: task for task in tasks}


def done(task, when="2026-09-05 10:00"):
    outcome = next(each.key for each in task.outcomes if each.completes)
    return task.complete(by=NURSE, outcome=outcome, note="", at=at(when), local_date=local_date)


def tried(when, result=AttemptResult.NO_ANSWER):
    return ContactAttempt(at=at(when), channel="phone", result=result, staff_id=NURSE)


def test_ids_are_the_same_for_ever():
    assert str(LOOP) == str(loop_id("discharge-transition", stay().id))
    assert LOOP == loop_id(PROTOCOL.key, stay().id) != loop_id("other", stay().id)
    assert str(task_id(LOOP, "contact")) == "d70bbf04-e3dc-56e3-803b-5f1b2570328e"
    assert str(LOOP) == "34e9ae34-635f-5d68-926c-eedd4886e9ca"


def test_the_clock_and_the_owner_are_those_of_the_next_step(stored):
    first = min(
        (task for task in stored.tasks.values() if task.is_open), key=lambda task: task.clock_at
    )
    assert stored.loop.clock_at == first.clock_at
    assert stored.loop.accountable_id == first.accountable_id
    only_contact = [done(task) for task in stored.tasks.values() if task.step != "contact"]
    loop, _ = settled(stored, *only_contact)
    assert loop.team_id == NURSES
    assert loop.clock_at == stored["contact"].next_escalation_at


def test_what_was_done_is_evidence_with_who_did_it(stored):
    loop, _ = settled(stored, done(stored["visit"]))
    (shown,) = loop.evidence
    assert (shown.kind, shown.step, shown.staff_id) == (EvidenceKind.TASK_OUTCOME, "visit", NURSE)
    assert shown.description == ("Make sure the follow-up visit takes place: The visit took place")


def test_a_loop_closes_when_everything_required_is_done(stored):
    required = [done(task) for task in stored.tasks.values() if task.is_required]
    loop, tasks = settled(stored, *required)
    assert (loop.state, loop.close_reason) == (LoopState.CLOSED, "COMPLETED")
    assert loop.clock_at is None
    assert loop.closed_at == at("2026-09-05 10:00")
    assert len(loop.evidence) == len(required)
    assert all(not task.is_open for task in tasks.values())


def test_one_thing_missing_keeps_it_open(stored):
    all_but_one = [done(task) for task in stored.tasks.values() if task.step != "close"]
    loop, _ = settled(stored, *all_but_one)
    assert loop.state is LoopState.OPEN
    assert loop.clock_at is not None


def test_attempts_in_time_stand_for_the_contact_when_all_else_is_done(stored):
    contact = stored["contact"]
    for when in ("2026-09-05 10:00", "2026-09-08 10:00"):
        contact = contact.record_attempt(tried(when), local_date, now=at(when))
    loop, tasks = settled(stored, contact)
    assert loop.evidence[-1].kind is EvidenceKind.CONTACT_ATTEMPTS
    assert tasks["contact"].is_open
    others = [done(task) for task in stored.tasks.values() if task.step != "contact"]
    loop, tasks = settled(stored, contact, *others)
    assert loop.state is LoopState.CLOSED
    assert tasks["contact"].state is TaskState.CANCELLED
    assert tasks["contact"].close_reason == LOOP_CLOSED


@pytest.mark.parametrize("outcome", ["reached", "declined"])
def test_attempts_in_time_stay_evidence_whatever_comes_of_the_contact_later(stored, outcome):
    contact = stored["contact"]
    for when in ("2026-09-05 10:00", "2026-09-05 13:00"):
        contact = contact.record_attempt(tried(when), local_date, now=at(when))
    later = at("2026-09-14 10:00")
    contact = contact.complete(by=NURSE, outcome=outcome, note="", at=later, local_date=local_date)
    loop, _ = settled(stored, contact, now=later)
    assert [(each.kind, each.at, each.outcome) for each in loop.evidence] == [
        (EvidenceKind.CONTACT_ATTEMPTS, at("2026-09-05 13:00"), ""),
        (EvidenceKind.TASK_OUTCOME, later, outcome),
    ]


def test_the_second_attempt_that_reaches_somebody_is_told_once(stored):
    contact = stored["contact"].record_attempt(
        tried("2026-09-05 10:00"), local_date, now=at("2026-09-05 10:00")
    )
    reached = tried("2026-09-05 13:00", AttemptResult.REACHED)
    contact = contact.record_attempt(reached, local_date, now=reached.at)
    loop, _ = settled(stored, contact, now=reached.at)
    assert [each.kind for each in loop.evidence] == [EvidenceKind.TASK_OUTCOME]


def test_before_the_discharge_nothing_completes_the_loop_and_a_review_keeps_its_clock():
    stored = Stored()
    stored.plan(stay(), now=NOW)
    loop, _ = settled(stored, *(done(task) for task in stored.tasks.values()))
    assert loop.state is LoopState.OPEN
    assert loop.accountable_id == DUTY
    assert loop.clock_at == stored.loop.clock_at or loop.clock_at == NOW + REVIEW_AFTER
    later = NOW + timedelta(days=30)
    again, _ = settle(replace(loop, clock_at=NOW), (), EVERYBODY, later)
    assert again.clock_at == later + REVIEW_AFTER


def test_the_level_is_the_highest_of_an_open_task(stored):
    climbed, _ = stored["contact"].climb(at=stored["contact"].rungs[1].at)
    loop, _ = settled(stored, climbed)
    assert loop.escalation_level == 2
    loop, _ = settled(stored, done(climbed))
    assert loop.escalation_level == 0


def test_a_closed_loop_is_left_alone(stored):
    closed = replace(stored.loop, state=LoopState.CLOSED)
    assert settle(closed, (), EVERYBODY, NOW) == (closed, ())
