"""What other services tell, in the plan of a stay; and what of it counts at all."""

import itertools
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.tasking.domain.labels import Label
from services.tasking.domain.plan import PlanState, Subject, plan_loop
from services.tasking.domain.protocol import validate_protocol
from tests.unit.tasking.cases import (
    PROTOCOLS,
    Followed,
    appointment,
    line,
    planned,
    reconciliation,
    referral,
    reply,
    risk,
    told,
)
from tests.unit.tasking.hospital import NURSE
from tests.unit.tasking.record import ALIVE, CHICAGO, CLINIC, FACILITY, PATIENT, at, stay

HOME = stay(discharged="2026-09-04 17:40")


def steps(visit, *news, others=()):
    here = told(*news).at(visit.facility_id, visit.patient_id)
    subject = Subject(encounter=visit, patient=ALIVE, others=tuple(others), told=here)
    plan = plan_loop(PROTOCOLS["discharge-transition"], subject, CHICAGO)
    return {each.key: each for each in plan.steps}


@pytest.mark.parametrize(("score", "is_high"), [(9, False), (10, True), (19, True)])
def test_a_lace_score_of_ten_is_high_risk(score, is_high):
    found = steps(HOME, risk(score, HOME.id, is_partial=True))
    assert ("home_visit" in found) is is_high
    assert found["visit"].due_on == date(2026, 9, 11 if is_high else 18)


def test_another_score_or_that_of_another_stay_is_not():
    assert "home_visit" not in steps(HOME, risk(19, HOME.id, "HOSPITAL"), risk(19, UUID(int=99)))


def test_a_signed_reconciliation_of_the_stay_shows_the_medicines_reconciled():
    shown = steps(HOME, reconciliation(HOME.id))["medication_reconciliation"].shown_by
    assert (shown.source_id, shown.at, shown.staff_id) == (
        UUID(int=60), at("2026-09-10 11:00"), UUID(int=102),
    )  # fmt: skip
    for other in (reconciliation(HOME.id, "OPEN"), reconciliation(UUID(int=99))):
        assert steps(HOME, other)["medication_reconciliation"].shown_by is None


@pytest.mark.parametrize(
    ("signed", "is_shown"),
    [("2026-09-03 11:00", False), ("2026-09-04 17:39", False), ("2026-09-04 17:40", True)],
)
def test_what_was_signed_before_the_patient_left_is_to_be_done_again(signed, is_shown):
    before = reconciliation(HOME.id, signed_at=at(signed))
    assert (steps(HOME, before)["medication_reconciliation"].shown_by is not None) is is_shown
    again = stay(discharged="2026-09-12 09:00")
    later = reconciliation(HOME.id, signed_at=at("2026-09-10 11:00"))
    assert steps(again, later)["medication_reconciliation"].shown_by is None, "another discharge"


@pytest.mark.parametrize(
    ("state", "day", "is_shown"),
    [("BOOKED", 8, False), ("ARRIVED", 8, False), ("FULFILLED", 8, True), ("NO_SHOW", 8, False),
     ("FULFILLED", 3, False)],
)  # fmt: skip
def test_a_follow_up_that_was_kept_shows_the_visit(state, day, is_shown):
    kept = appointment(state, f"2026-09-{day:02d} 10:00", purpose="FOLLOW_UP", facility_id=CLINIC)
    assert (steps(HOME, kept)["visit"].shown_by is not None) is is_shown
    assert steps(HOME, replace(kept, purpose="ROUTINE"))["visit"].shown_by is None


def test_of_an_encounter_and_an_appointment_the_earlier_is_the_evidence():
    seen = stay("2026-09-08 09:00", None, id=UUID(int=20), visit_class="OUTPATIENT")
    kept = appointment("FULFILLED", "2026-09-08 10:00", purpose="FOLLOW_UP")
    assert steps(HOME, kept, others=[seen])["visit"].shown_by.encounter_id == seen.id
    later = replace(seen, admitted_at=at("2026-09-08 11:00"))
    assert steps(HOME, kept, others=[later])["visit"].shown_by.other_id == kept.id


def test_in_hospital_a_booked_follow_up_shows_it_booked():
    booked = appointment("BOOKED", "2026-09-08 10:00", purpose="FOLLOW_UP")
    assert steps(stay(), booked)["book_follow_up"].shown_by.source_id == booked.id
    earlier = replace(booked, start_at=at("2026-08-08 10:00"))
    assert steps(stay(), earlier)["book_follow_up"].shown_by is None


@pytest.mark.parametrize("label", [Label.PART2, Label.WITHHELD, Label.COUNSELING_NOTES])
def test_what_nobody_else_may_know_of_counts_at_its_own_facility_only(label):
    own = risk(19, HOME.id, labels=(label,))
    elsewhere = replace(own, facility_id=CLINIC)
    assert "home_visit" in steps(HOME, own)
    assert "home_visit" not in steps(HOME, elsewhere)
    assert told(elsewhere, own).at(FACILITY, PATIENT).risks == (own,)
    assert told(own).at(FACILITY, UUID(int=99)).risks == ()


def test_an_answer_never_leaves_its_facility():
    assert told(reply()).at(FACILITY, PATIENT).replies
    assert not told(reply()).at(CLINIC, PATIENT).replies


def test_only_what_says_something_else_is_news():
    before = appointment(waits_for="")
    same = replace(before, version=2, waits_for="planning", told_at=at("2026-09-17 09:00"))
    known = same.after(before)
    assert (known.version, known.told_at, known.waits_for) == (2, before.told_at, "")
    kept = replace(same, state="FULFILLED")
    heard = kept.after(before)
    assert heard == replace(kept, was_missed_at=before.start_at)
    assert (heard.says_more_than(before), known.says_more_than(before)) == (True, False)
    assert before.after(heard) is heard
    assert before.after(None) is before


def test_that_a_visit_was_missed_stays_known_in_whatever_order_it_is_told():
    missed_at = at("2026-09-16 10:00")
    missed = appointment(version=2)
    cancelled = appointment("CANCELLED", version=3)
    moved = appointment("BOOKED", "2026-09-23 10:00", version=4)
    for order in itertools.permutations((missed, cancelled, moved)):
        known = None
        for each in order:
            known = each.after(known)
        assert (known.state, known.version, known.missed_at) == ("BOOKED", 4, missed_at)
        assert (known.is_moved, known.as_missed.state) == (True, "NO_SHOW")
    assert moved.after(cancelled).missed_at is None
    late = missed.after(replace(cancelled, waits_for=""))
    assert (late.waits_for, late.says_more_than(cancelled)) == ("planning", True)
    assert missed.after(late) is late, "twice is once"


def test_a_question_is_asked_of_whom_it_names_and_closed_by_its_answer():
    open_ = reconciliation(HOME.id, lines=(line(),))
    plan = planned(open_.questions[0], protocol="medication-question")
    (step,) = plan.steps
    assert (step.key, step.role, step.due_at) == (
        "ask_physician",
        "physician",
        at("2026-09-12 17:00"),
    )
    social = reconciliation(HOME.id, lines=(line(role="caregiver"),))
    (step,) = planned(social.questions[0], protocol="medication-question").steps
    assert (step.key, step.role) == ("ask_other", "coordinator")
    answered = reconciliation(HOME.id, lines=(line(answered_at=at("2026-09-11 09:00")),))
    plan = planned(answered.questions[0], protocol="medication-question")
    assert (plan.state, plan.close_reason, plan.closed_at) == (
        PlanState.CLOSED, "ANSWERED", at("2026-09-11 09:00"),
    )  # fmt: skip
    for nothing in (
        reconciliation(HOME.id, "OPEN", lines=(line(),)),
        reconciliation(HOME.id, lines=(line(is_ask=False),)),
    ):
        assert planned(nothing.questions[0], protocol="medication-question") is None


def refer(state, *news, **changes):
    return planned(referral(state, **changes), *news, protocol="referral-follow-up")


@pytest.mark.parametrize(
    ("state", "step"),
    [("REQUESTED", "ask_for_answer"), ("ACCEPTED", "see_that_help_came"), ("REJECTED", "ask_next"), ("FAILED", "ask_next")],
)  # fmt: skip
def test_a_referral_is_followed_from_its_sending_to_its_end(state, step):
    plan = refer(state, ended_at=at("2026-09-17 09:00"))
    assert [each.key for each in plan.steps] == [step]
    assert plan.state is PlanState.OPEN


def test_only_what_came_of_it_or_the_next_one_closes_a_referral():
    assert refer("COMPLETED", ended_at=at("2026-09-20 09:00")).close_reason == "HELPED"
    assert refer("CANCELLED").state is PlanState.CANCELLED
    assert refer("DRAFT") is None
    following = referral("REQUESTED", id=UUID(int=51), follows_id=UUID(int=50))
    ended = {"ended_at": at("2026-09-17 09:00")}
    assert refer("REJECTED", following, **ended).close_reason == "NEXT_ASKED"
    assert refer("REJECTED", replace(following, state="CANCELLED"), **ended).state is PlanState.OPEN


def test_one_that_gave_way_to_the_next_is_somebodys_until_that_one_is_asked():
    gave_way = {"state_reason": "ASKED_NEXT", "ended_at": at("2026-09-17 09:00")}
    following = referral("DRAFT", id=UUID(int=51), follows_id=UUID(int=50), sent_at=None)
    for news in ((), (following,), (replace(following, state="CANCELLED"),)):
        plan = refer("CANCELLED", *news, **gave_way)
        assert [each.key for each in plan.steps] == ["ask_next"]
        assert (plan.state, plan.steps[0].due_on) == (PlanState.OPEN, date(2026, 9, 18))
    asked = replace(following, state="REQUESTED", sent_at=at("2026-09-17 12:00"))
    assert refer("CANCELLED", asked, **gave_way).close_reason == "NEXT_ASKED"
    unasked = replace(following, state="CANCELLED", state_reason="ASKED_NEXT")
    third = replace(asked, id=UUID(int=52), follows_id=following.id)
    assert refer("CANCELLED", unasked, **gave_way).state is PlanState.OPEN
    assert refer("CANCELLED", unasked, third, **gave_way).close_reason == "NEXT_ASKED"
    assert refer("CANCELLED", state_reason="PATIENT").close_reason == "TAKEN_BACK"
    assert refer("CANCELLED", sent_at=None, **gave_way).close_reason == "TAKEN_BACK", "a draft"


def test_words_of_danger_tell_the_duty_team_at_once():
    plan = planned(reply("CRISIS", ""), protocol="reply-follow-up")
    (step,) = plan.steps
    assert (step.due_at, step.rungs[0].at, step.rungs[0].notify) == (
        at("2026-09-16 16:00"), at("2026-09-16 15:00"), "duty_team",
    )  # fmt: skip
    assert planned(reply(), protocol="reply-follow-up") is None


def test_an_answer_is_done_with_once_somebody_dealt_with_it():
    topic, story = reply("TEXT", ""), Followed()
    story.follow(topic, now=at("2026-09-16 15:01"), protocol="reply-follow-up")
    assert story.loop.is_open
    story.complete("read_answer", "done", NURSE, at("2026-09-16 16:00"))
    story.follow(topic, now=at("2026-09-16 16:00"), protocol="reply-follow-up")
    assert (story.loop.close_reason, story.loop.evidence[0].staff_id) == ("COMPLETED", NURSE)


MISSED_TEXT = PROTOCOLS["missed-visit"].text


@pytest.mark.parametrize(
    ("old", "new", "path", "problem"),
    [
        ("outcome.ask_why ==", "outcome.ask_whi ==", "conditions.no_ride", "outcome.ask_whi is not known"),
        ("after: ask_why", "after: ask_whi", "steps.arrange_ride.deadline.after", "ask_whi is not known"),
        ('reply.meaning == "BARRIER" && reply', 'booking.is_instead && reply', "steps.ask_why.shown_by.when",
         "It looks for booking and reply at once"),
        ('reply.meaning == "BARRIER" && reply.barrier != ""', "is_urgent", "steps.ask_why.shown_by.when",
         "It looks for nothing"),
        ("when: no_ride\n", "when: encounter.is_discharged\n", "steps.arrange_ride.when", "encounter"),
    ],
)  # fmt: skip
def test_what_a_protocol_about_missed_visits_cannot_speak_of_is_named(old, new, path, problem):
    found = validate_protocol(MISSED_TEXT.replace(old, new, 1))
    assert [(each.path, each.problem.startswith(problem)) for each in found] == [(path, True)]


def test_a_stay_knows_nothing_of_what_people_did():
    text = PROTOCOLS["discharge-transition"].text
    wrong = text.replace("|| risk.lace >= 10", '|| outcome.contact == "reached"', 1)
    assert [each.path for each in validate_protocol(wrong)] == ["conditions.high_risk"]
