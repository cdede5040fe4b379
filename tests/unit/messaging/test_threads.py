"""A thread is taken by name, and goes up while nobody answers."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from libs.chassis.errors import FailedPrecondition
from services.messaging.domain.directory import Directory, Facility, HeldRole, Staff, Team
from services.messaging.domain.thread import Opened, Post, Priority, Thread, ThreadState, pause

AT = datetime(2026, 9, 7, 15, tzinfo=UTC)
CLINIC, HOSPITAL = uuid4(), uuid4()
LEAD, NURSE, DUTY, ADMIN = (uuid4() for _ in range(4))
LADDER = (LEAD, DUTY, ADMIN)


def thread(**fields):
    known = {
        "id": uuid4(), "facility_id": HOSPITAL, "patient_id": uuid4(), "title": "Ride", "priority": Priority.URGENT,
        "reason": Opened.PEOPLE, "answering_facility_id": CLINIC, "team_id": uuid4(), "accountable_id": LEAD,
        "clock_at": AT + pause(Priority.URGENT, 0), "started_at": AT, "last_post_at": AT, "labels": ("NORMAL",),
    }  # fmt: skip
    return Thread(**{**known, **fields})


def post(of, who, facility, minutes=1):
    return Post(
        id=uuid4(), thread_id=of.id, facility_id=facility, staff_id=who, text="…", posted_at=AT + timedelta(minutes=minutes)
    )  # fmt: skip


def test_nobody_takes_it_and_it_goes_up_each_time_and_stays_at_the_top():
    one, at, seen = thread(), AT, []
    for _ in range(5):
        at = one.clock_at
        one = one.escalate(LADDER, at)
        seen.append(one.accountable_id)
    assert seen == [DUTY, ADMIN, ADMIN, ADMIN, ADMIN]
    assert one.escalation_level == 5
    assert one.clock_at > at


def test_nothing_escalates_before_its_time():
    one = thread()
    assert one.escalate(LADDER, AT) is one


def test_taking_it_makes_one_accountable_and_asks_for_an_answer_in_time():
    one = thread().escalate(LADDER, AT + timedelta(minutes=15)).accept(NURSE, AT)
    assert (one.state, one.accountable_id, one.escalation_level) == (ThreadState.ACCEPTED, NURSE, 0)
    assert one.clock_at == AT + timedelta(minutes=15)
    assert one.escalate(LADDER, one.clock_at).accountable_id == LEAD


def test_only_one_has_it():
    with pytest.raises(FailedPrecondition) as refused:
        thread().accept(NURSE, AT).accept(LEAD, AT)
    assert refused.value.reason == "THREAD_TAKEN"


def test_an_answer_stops_the_clock_and_the_next_question_starts_it():
    one = thread().accept(NURSE, AT)
    answered = one.heard([post(one, NURSE, CLINIC)], AT)
    assert answered.clock_at is None
    asked = answered.heard([post(one, LEAD, HOSPITAL, 2)], AT)
    assert asked.clock_at == AT + timedelta(minutes=15)


def test_words_of_the_side_that_asks_are_no_answer():
    one = thread().accept(NURSE, AT)
    assert one.heard([post(one, LEAD, HOSPITAL)], AT).clock_at == one.clock_at


def test_words_before_anybody_has_taken_it_are_no_answer():
    one = thread()
    assert one.heard([post(one, NURSE, CLINIC)], AT).clock_at == one.clock_at


def test_what_nobody_has_looked_at_is_not_closed():
    with pytest.raises(FailedPrecondition) as refused:
        thread().close(AT)
    assert refused.value.reason == "THREAD_UNCLAIMED"
    closed = thread().accept(NURSE, AT).close(AT)
    assert (closed.state, closed.clock_at) == (ThreadState.CLOSED, None)
    with pytest.raises(FailedPrecondition):
        closed.must_be_open()


def test_who_leaves_hands_it_over_with_a_clock():
    one = thread().accept(NURSE, AT)
    answered = one.heard([post(one, NURSE, CLINIC)], AT).hand_over(LADDER, AT)
    assert (answered.state, answered.staff_id, answered.accountable_id) == (
        ThreadState.WAITING,
        None,
        LEAD,
    )
    assert answered.clock_at == AT + timedelta(minutes=15)


def person(id, name, *roles, is_active=True):
    return Staff(id=id, version=1, display_name=name, is_active=is_active, roles=roles)


def test_the_ladder_has_each_once_and_nobody_who_left():
    team, duty = uuid4(), uuid4()
    directory = Directory(
        [Facility(id=CLINIC, version=1, name="C", time_zone="America/Chicago", phone="", duty_team_id=duty)],
        [
            Team(id=team, version=1, facility_id=CLINIC, name="T", lead_id=LEAD, member_ids=(LEAD, NURSE)),
            Team(id=duty, version=1, facility_id=CLINIC, name="D", lead_id=DUTY, member_ids=(DUTY,)),
        ],
        [
            person(LEAD, "L", is_active=False), person(NURSE, "N"), person(DUTY, "D"),
            person(ADMIN, "A", HeldRole(role="facility_admin", facility_id=CLINIC)),
        ],
    )  # fmt: skip
    assert directory.ladder(CLINIC, team) == (NURSE, DUTY, ADMIN)
    assert directory.ladder(CLINIC, None) == (DUTY, ADMIN)


def test_between_places_the_first_one_asked_is_followed_by_those_up_who_ask():
    duty, other_duty = uuid4(), uuid4()
    other_nurse, other_admin, network = uuid4(), uuid4(), uuid4()
    directory = Directory(
        [
            Facility(id=CLINIC, version=1, name="C", time_zone="America/Chicago", phone="", duty_team_id=duty),
            Facility(id=HOSPITAL, version=1, name="H", time_zone="America/Chicago", phone="", duty_team_id=other_duty),
        ],
        [
            Team(id=duty, version=1, facility_id=CLINIC, name="D", lead_id=DUTY, member_ids=(DUTY,)),
            Team(id=other_duty, version=1, facility_id=HOSPITAL, name="O", lead_id=other_nurse, member_ids=(other_nurse,)),
        ],
        [
            person(DUTY, "D"), person(ADMIN, "A", HeldRole(role="facility_admin", facility_id=CLINIC)), person(other_nurse, "O"),
            person(other_admin, "P", HeldRole(role="facility_admin", facility_id=HOSPITAL)),
            person(network, "N", HeldRole(role="network_admin")),
        ],
    )  # fmt: skip
    between = directory.ladder_between(HOSPITAL, CLINIC, None)
    assert between == (other_nurse, DUTY, ADMIN, network)
    assert directory.ladder_between(CLINIC, CLINIC, None) == directory.ladder(CLINIC, None)
