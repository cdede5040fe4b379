"""The loop of a visit that was missed: why, a ride, another visit; and that nothing but a visit makes up for one."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from libs.chassis.errors import FailedPrecondition
from services.tasking.domain.labels import Label
from services.tasking.domain.loop import EvidenceKind, LoopState, loop_id
from services.tasking.domain.plan import PatientFacts, PlanState
from services.tasking.domain.task import AttemptResult, ContactAttempt, TaskState
from tests.unit.tasking.cases import (
    AGAIN,
    MISSED,
    Followed,
    appointment,
    instead,
    planned,
    referral,
    reply,
    risk,
)
from tests.unit.tasking.hospital import NURSE, local_date
from tests.unit.tasking.record import CLINIC, at, stay

NOW = at("2026-09-16 10:20")
THREE_DAYS = timedelta(days=3)


def steps(plan):
    return {each.key: each for each in plan.steps}


def left_hospital(day):
    return stay("2026-08-28 08:00", f"{day} 17:40")


def followed(*news, now=NOW, **options):
    """A missed visit that was just noted, and then heard more of."""
    story = Followed()
    story.follow(appointment(), now=NOW)
    story.follow(appointment(), *news, now=now, **options)
    return story


def test_it_is_asked_about_within_a_business_day_and_booked_again():
    plan = planned(appointment())
    assert plan.state is PlanState.OPEN
    assert set(steps(plan)) == {"ask_why", "second_attempt", "third_attempt", "book_again"}
    assert steps(plan)["ask_why"].due_on == date(2026, 9, 17)
    assert steps(plan)["second_attempt"].due_on == date(2026, 9, 19)
    assert steps(plan)["third_attempt"].due_on == date(2026, 9, 23)
    assert {each.key for each in steps(plan)["ask_why"].outcomes} >= {
        "transport", "work", "forgot", "cost", "felt_better", "fear", "other",
    }  # fmt: skip
    assert plan.why.startswith("Did not come on 2026-09-16")


@pytest.mark.parametrize(
    ("left_on", "due_on"),
    [("2026-09-16", 17), ("2026-09-15", 16), ("2026-08-18", 16), ("2026-08-17", 17)],
)
def test_after_a_stay_it_is_asked_about_the_same_day(left_on, due_on):
    visit = stay("2026-08-10 08:00", f"{left_on} 17:40")
    plan = planned(appointment(), visits=[visit])
    assert steps(plan)["ask_why"].due_on == date(2026, 9, due_on)


@pytest.mark.parametrize(("score", "due_on"), [(9, 17), (10, 16)])
def test_at_high_risk_it_is_asked_about_the_same_day(score, due_on):
    visit = stay("2026-06-01 08:00", "2026-06-10 17:40")
    plan = planned(appointment(), risk(score, visit.id), visits=[visit])
    assert steps(plan)["ask_why"].due_on == date(2026, 9, due_on)


def test_an_answer_to_a_message_says_why_and_a_missing_ride_is_arranged():
    story = followed(reply())
    asked = story["ask_why"]
    assert (asked.state, asked.outcome) == (TaskState.COMPLETED, "transport")
    assert asked.shown_by.source_id == UUID(int=40)
    assert story.open == {"arrange_ride", "book_again"}
    assert story["arrange_ride"].role == "social_worker"
    assert story["arrange_ride"].due_on == date(2026, 9, 18)  # two business days after the answer
    (evidence,) = story.loop.evidence
    assert (evidence.kind, evidence.source_id) == (EvidenceKind.REPLY, UUID(int=40))


def test_what_somebody_heard_by_telephone_opens_the_ride_as_well():
    story = followed()
    story.complete("ask_why", "transport", NURSE, NOW)
    story.follow(appointment(), now=NOW)
    assert "arrange_ride" in story.open
    assert "second_attempt" not in story.open
    assert story.loop.is_open


@pytest.mark.parametrize("barrier", ["WORK", "FORGOT", "COST", "FELT_BETTER", "FEAR", "OTHER"])
def test_without_a_missing_ride_nobody_arranges_one(barrier):
    story = followed(reply(barrier=barrier))
    assert story["ask_why"].outcome == barrier.lower()
    assert "arrange_ride" not in story.tasks


def test_an_answer_about_something_else_says_nothing():
    assert "second_attempt" in followed(reply(appointment_id=UUID(int=99))).open
    assert "second_attempt" in followed(reply(meaning="CONFIRMED", barrier="")).open
    of_loop = reply(appointment_id=None, loop_id=loop_id("missed-visit", MISSED))
    assert "second_attempt" not in followed(of_loop).open


@pytest.mark.parametrize(
    ("state", "is_done"),
    [("DRAFT", False), ("REQUESTED", False), ("ACCEPTED", True), ("IN_PROGRESS", True),
     ("COMPLETED", True), ("REJECTED", False), ("FAILED", False), ("CANCELLED", False)],
)  # fmt: skip
def test_a_ride_is_arranged_once_a_service_has_said_yes(state, is_done):
    story = followed(reply(), referral(state))
    assert ("arrange_ride" not in story.open) is is_done
    if is_done:
        assert story["arrange_ride"].shown_by.source_id == UUID(int=50)


def test_a_ride_that_falls_through_is_to_be_arranged_again():
    story = followed(reply(), referral("ACCEPTED"))
    story.follow(appointment(), reply(), referral("FAILED"), now=NOW)
    assert "arrange_ride" in story.open
    following = referral("ACCEPTED", id=UUID(int=51), follows_id=UUID(int=50), appointment_id=AGAIN)
    story.follow(appointment(), reply(), referral("FAILED"), following, instead(), now=NOW)
    assert story["arrange_ride"].shown_by.source_id == UUID(int=51)


def test_help_with_something_else_is_no_ride():
    assert "arrange_ride" in followed(reply(), referral("ACCEPTED", need="food-insecurity")).open
    elsewhere = referral("ACCEPTED", appointment_id=UUID(int=99))
    assert "arrange_ride" in followed(reply(), elsewhere).open


def test_a_new_appointment_books_it_again_and_is_then_looked_after():
    story = followed(instead())
    assert story["book_again"].shown_by.source_id == AGAIN
    assert story["see_that_they_come"].due_on == date(2026, 9, 21)
    assert story.loop.is_open
    follow_up = instead(rebooked_from_id=None, purpose="FOLLOW_UP")
    assert "book_again" not in followed(follow_up).open
    assert "book_again" in followed(instead(rebooked_from_id=None)).open
    assert "book_again" in followed(instead("CANCELLED")).open


def test_what_was_booked_instead_of_what_was_booked_instead_counts():
    twice = instead(id=UUID(int=32), rebooked_from_id=AGAIN)
    assert followed(instead("CANCELLED"), twice)["book_again"].shown_by.source_id == UUID(int=32)


@pytest.mark.parametrize(
    "kept",
    [
        {"told": instead("FULFILLED")},
        {"told": instead("FULFILLED", rebooked_from_id=None, purpose="FOLLOW_UP", facility_id=CLINIC)},
        {"visit": stay("2026-09-20 10:00", None, id=UUID(int=20), visit_class="OUTPATIENT")},
    ],
)  # fmt: skip
def test_a_visit_that_is_kept_closes_it(kept):
    news = [kept["told"]] if "told" in kept else []
    visits = [kept["visit"]] if "visit" in kept else []
    story = followed(*news, visits=visits)
    assert (story.loop.state, story.loop.close_reason) == (LoopState.CLOSED, "ATTENDED")
    assert story.loop.closed_at == at("2026-09-20 10:00")
    assert story.loop.evidence[-1].source_id in {AGAIN, UUID(int=20)}
    assert story.open == set()


def test_nothing_that_people_say_closes_it():
    story = followed(reply(), referral("ACCEPTED"))
    for step in ("book_again",):
        story.complete(step, "done", NURSE, NOW)
    story.follow(appointment(), reply(), referral("ACCEPTED"), now=NOW)
    assert story.loop.is_open
    assert story.loop.clock_at > NOW
    assert "The patient was seen at a later visit." in story.loop.closes_when


@pytest.mark.parametrize("state", ["ARRIVED", "FULFILLED"])
def test_who_came_late_has_missed_nothing(state):
    story = followed()
    story.follow(appointment(state), now=NOW)
    assert (story.loop.state, story.loop.close_reason) == (LoopState.CANCELLED, "KEPT")
    assert planned(appointment(state)).state is PlanState.CANCELLED
    never = Followed()
    never.follow(appointment(state), now=NOW)
    assert never.loop is None


WAS_MISSED = {"was_missed_at": at("2026-09-16 10:00")}


def test_a_clinic_that_cancels_it_afterwards_ends_nothing():
    story = followed()
    attempt(story, NOW)
    before = dict(story.tasks)
    story.follow(appointment("CANCELLED", **WAS_MISSED), now=NOW)
    assert (story.loop.state, story.tasks) == (LoopState.OPEN, before)
    assert planned(appointment("CANCELLED", **WAS_MISSED)) == planned(appointment())


def test_the_same_appointment_at_a_later_time_is_booked_instead_and_closes_it_only_once_kept():
    later = "2026-09-23 10:00"
    story = followed()
    story.complete("ask_why", "forgot", NURSE, NOW)
    story.follow(appointment("BOOKED", later, **WAS_MISSED), now=NOW)
    assert story.loop.is_open
    assert (story["ask_why"].outcome, story["ask_why"].due_on) == ("forgot", date(2026, 9, 17))
    assert story["book_again"].shown_by.source_id == MISSED
    assert story["see_that_they_come"].due_on == date(2026, 9, 24)
    for state in ("CANCELLED", "ARRIVED"):
        story.follow(appointment(state, later, **WAS_MISSED), now=NOW)
        assert story.loop.is_open
    story.follow(appointment("FULFILLED", later, **WAS_MISSED), now=NOW)
    assert (story.loop.state, story.loop.close_reason) == (LoopState.CLOSED, "ATTENDED")
    assert story.loop.closed_at == at(later)


def test_missed_once_more_at_its_later_time_it_is_asked_about_anew():
    story = followed()
    story.complete("ask_why", "forgot", NURSE, NOW)
    story.follow(appointment("BOOKED", "2026-09-23 10:00", **WAS_MISSED), now=NOW)
    again = NOW + timedelta(days=7)
    story.follow(appointment("NO_SHOW", "2026-09-23 10:00"), now=again)
    assert story.loop.is_open
    assert (story["ask_why"].is_open, story["ask_why"].due_on) == (True, date(2026, 9, 24))
    assert "book_again" in story.open


def test_what_was_heard_of_the_time_before_says_nothing_of_the_one_that_was_missed_since():
    story = followed()
    story.complete("ask_why", "transport", NURSE, NOW)
    again = NOW + timedelta(days=7)
    for _ in range(2):
        story.follow(appointment("NO_SHOW", "2026-09-23 10:00", **WAS_MISSED), now=again)
        assert story.open == {"ask_why", "second_attempt", "third_attempt", "book_again"}


@pytest.mark.parametrize("state", ["BOOKED", "CANCELLED"])
def test_what_was_not_missed_after_all_is_followed_no_longer(state):
    story = followed()
    story.follow(appointment(state), now=NOW)
    assert (story.loop.state, story.loop.close_reason) == (LoopState.CANCELLED, "NOT_ELIGIBLE")
    assert planned(appointment(state)) is None


def test_a_second_one_that_is_missed_has_a_loop_of_its_own():
    story = followed(instead("NO_SHOW"))
    assert (story.loop.close_reason, story.loop.evidence[-1].source_id) == ("MISSED_AGAIN", AGAIN)


@pytest.mark.parametrize("step", ["ask_why", "book_again"])
def test_the_patients_wish_ends_it_with_who_heard_it(step):
    story = followed()
    story.complete(step, "declined", NURSE, NOW)
    story.follow(appointment(), now=NOW)
    assert (story.loop.state, story.loop.close_reason) == (LoopState.CLOSED, "DECLINED")
    evidence = story.loop.evidence[-1]
    assert (evidence.kind, evidence.staff_id) == (EvidenceKind.TASK_OUTCOME, NURSE)
    assert evidence.source_id == story["ask_why" if step == "ask_why" else "book_again"].id


def attempt(story, now):
    made = ContactAttempt(at=now, channel="phone", result=AttemptResult.NO_ANSWER, staff_id=NURSE)
    story.tasks["ask_why"] = story["ask_why"].record_attempt(made, local_date, now=now)
    story.follow(appointment(), now=now)


def test_it_stops_on_day_14_after_three_tries_and_not_before():
    story = followed()
    attempt(story, NOW)
    assert {"second_attempt", "third_attempt"} <= story.open
    attempt(story, NOW + THREE_DAYS)
    assert "second_attempt" not in story.open
    with pytest.raises(FailedPrecondition, match="has 2"):
        story.complete("ask_why", "unable", NURSE, NOW + timedelta(days=14))
    attempt(story, NOW + timedelta(days=7))
    assert "third_attempt" not in story.open
    with pytest.raises(FailedPrecondition, match="14 calendar days after the missed"):
        story.complete("ask_why", "unable", NURSE, NOW + timedelta(days=13))
    story.complete("ask_why", "unable", NURSE, NOW + timedelta(days=14))
    story.follow(appointment(), now=NOW + timedelta(days=14))
    assert (story.loop.state, story.loop.close_reason) == (LoopState.CLOSED, "NOT_REACHED")


def test_reaching_somebody_is_not_yet_the_answer():
    story = followed()
    made = ContactAttempt(at=NOW, channel="phone", result=AttemptResult.REACHED, staff_id=NURSE)
    after = story["ask_why"].record_attempt(made, local_date, now=NOW)
    assert after.is_open


def test_a_death_and_a_stay_end_it():
    died = PatientFacts(is_deceased=True, died_at=at("2026-09-18 03:00"), language="")
    assert followed(patient=died).loop.close_reason == "DECEASED"
    back = stay("2026-09-18 10:00", id=UUID(int=20))
    assert followed(visits=[back]).loop.close_reason == "READMITTED"
    earlier = stay("2026-09-10 10:00", "2026-09-12 10:00", id=UUID(int=20))
    assert followed(visits=[earlier]).loop.is_open


def test_it_is_as_sensitive_as_what_shows_it_and_an_answer_adds_nothing():
    assert planned(appointment(labels=(Label.SUD,))).labels == (Label.SUD,)
    assert planned(appointment(), reply()).labels == (Label.NORMAL,)
    hiv = referral("ACCEPTED", labels=(Label.HIV,))
    assert planned(appointment(), reply(), hiv).labels == (Label.HIV,)
