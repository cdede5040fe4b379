"""What can be done with a task, and what each of it leaves."""

from datetime import timedelta

import pytest

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.tasking.domain.owner import Owner
from services.tasking.domain.task import (
    MOST_ENTRIES,
    AttemptResult,
    ContactAttempt,
    TaskState,
)
from tests.unit.tasking.hospital import (
    DUTY,
    DUTY_TEAM,
    LEAD,
    NURSE,
    OTHER,
    Stored,
    local_date,
)
from tests.unit.tasking.record import at, stay

NOW = at("2026-09-04 18:00")


@pytest.fixture
def contact():
    stored = Stored()
    stored.plan(stay(discharged="2026-09-04 17:40"), now=NOW)
    return stored["contact"]


@pytest.fixture
def visit():
    stored = Stored()
    stored.plan(stay(discharged="2026-09-04 17:40"), now=NOW)
    return stored["visit"]


def attempt(when, result=AttemptResult.NO_ANSWER, by=NURSE):
    return ContactAttempt(at=at(when), channel="phone", result=result, staff_id=by)


def tried(task, *attempts):
    for each in attempts:
        task = task.record_attempt(each, local_date, now=each.at)
    return task


def test_claiming_takes_it_and_nobody_else_can(contact):
    taken = contact.claim(by=NURSE)
    assert (taken.staff_id, taken.accountable_id, taken.team_id) == (NURSE, NURSE, contact.team_id)
    assert taken.due_at == contact.due_at
    assert taken.version == contact.version + 1
    with pytest.raises(FailedPrecondition) as refused:
        taken.claim(by=OTHER)
    assert refused.value.reason == "TASK_TAKEN"


def test_claiming_again_changes_nothing(contact):
    taken = contact.claim(by=NURSE)
    assert taken.claim(by=NURSE) is taken


def test_what_the_rule_gave_a_person_for_want_of_a_team_can_be_claimed(contact):
    given = contact.assign(Owner(staff_id=DUTY, accountable_id=DUTY))
    assert given.claim(by=NURSE).staff_id == NURSE
    assert given.claim(by=DUTY).is_chosen


def test_claiming_does_not_stop_the_ladder(contact):
    assert contact.claim(by=NURSE).next_escalation_at == contact.next_escalation_at is not None


def test_assigning_keeps_the_deadline(contact):
    to = Owner(team_id=DUTY_TEAM, accountable_id=DUTY, is_chosen=True)
    given = contact.claim(by=NURSE).assign(to)
    assert given.owner == to
    assert given.due_at == contact.due_at
    assert given.assign(to) is given


def test_declining_keeps_the_reason_and_gives_it_on(contact):
    to = Owner(team_id=contact.team_id, staff_id=LEAD, accountable_id=LEAD, is_chosen=True)
    back = contact.claim(by=NURSE).decline(by=NURSE, reason="Away next week", to=to)
    assert (back.staff_id, back.decline_reason) == (LEAD, "Away next week")


def test_nobody_declines_what_somebody_else_has_or_into_nothing(contact):
    with pytest.raises(FailedPrecondition) as refused:
        contact.claim(by=NURSE).decline(by=OTHER, reason="no", to=None)
    assert refused.value.reason == "TASK_NOT_YOURS"
    with pytest.raises(FailedPrecondition) as refused:
        contact.decline(by=OTHER, reason="no", to=None)
    assert refused.value.reason == "NOBODY_ELSE"


def test_reaching_the_patient_completes_the_contact(contact):
    done = tried(contact, attempt("2026-09-05 10:00", AttemptResult.REACHED))
    assert (done.state, done.outcome, done.completed_by_id) == (
        TaskState.COMPLETED,
        "reached",
        NURSE,
    )
    assert done.closed_at == at("2026-09-05 10:00")
    assert done.next_escalation_at is None


def test_a_message_left_is_an_attempt_and_never_a_contact(contact):
    after = tried(contact, attempt("2026-09-05 10:00", AttemptResult.LEFT_MESSAGE))
    assert after.is_open
    assert after.attempts[0].is_counted


@pytest.mark.parametrize(
    ("second", "is_counted"),
    [("2026-09-05 11:59", False), ("2026-09-05 12:00", True), ("2026-09-06 00:00", True)],
)
def test_an_attempt_counts_two_hours_or_a_day_after_the_one_before(contact, second, is_counted):
    after = tried(contact, attempt("2026-09-05 10:00"), attempt(second))
    assert [each.is_counted for each in after.attempts] == [True, is_counted]


def test_attempts_around_midnight_are_of_two_days(contact):
    after = tried(contact, attempt("2026-09-05 23:50"), attempt("2026-09-06 00:10"))
    assert [each.is_counted for each in after.attempts] == [True, True]


def test_attempts_are_counted_by_when_they_were_made_not_recorded(contact):
    after = contact
    for each in (attempt("2026-09-05 11:00"), attempt("2026-09-05 10:00")):
        after = after.record_attempt(each, local_date, now=at("2026-09-05 12:00"))
    assert [each.is_counted for each in after.attempts] == [True, False]
    assert after.attempts[0].at == at("2026-09-05 10:00")


def test_two_separate_attempts_in_time_satisfy_the_loop_but_the_task_stays_open(contact):
    after = tried(contact, attempt("2026-09-05 10:00"), attempt("2026-09-08 10:00"))
    assert after.is_open
    assert after.is_satisfied
    assert after.attempts_met_at == at("2026-09-08 10:00")
    assert after.next_escalation_at is None


def test_attempts_after_the_window_do_not_satisfy(contact):
    late = tried(contact, attempt("2026-09-09 23:00"), attempt("2026-09-10 10:00"))
    assert not late.is_satisfied


def test_attempts_cannot_be_in_the_future_or_on_other_tasks(contact, visit):
    with pytest.raises(InvalidArgument) as refused:
        contact.record_attempt(attempt("2026-09-05 10:00"), local_date, now=NOW)
    assert refused.value.reason == "ATTEMPT_IN_FUTURE"
    with pytest.raises(FailedPrecondition) as refused:
        tried(visit, attempt("2026-09-05 10:00"))
    assert refused.value.reason == "TASK_WITHOUT_CONTACT"


@pytest.mark.parametrize("result", list(AttemptResult))
def test_no_attempt_is_from_before_the_step_began(contact, result):
    for when in ("2020-01-01 10:00", "2026-09-04 17:39"):
        with pytest.raises(InvalidArgument) as refused:
            contact.record_attempt(attempt(when, result), local_date, now=NOW)
        assert refused.value.reason == "ATTEMPT_BEFORE_START"
        assert refused.value.violations[0][0] == "time"
    assert tried(contact, attempt("2026-09-04 17:40", result)).attempts


def test_a_wrong_number_is_noted_and_no_attempt(contact):
    wrong = AttemptResult.WRONG_NUMBER
    after = tried(contact, attempt("2026-09-05 10:00", wrong), attempt("2026-09-06 10:00", wrong))
    assert [each.is_counted for each in after.attempts] == [False, False]
    assert not after.is_satisfied
    after = tried(after, attempt("2026-09-06 10:30"))
    assert after.attempts[-1].is_counted, "and does not stand in the way of one"


def complete(task, outcome, note="", when="2026-09-05 10:00"):
    return task.complete(by=NURSE, outcome=outcome, note=note, at=at(when), local_date=local_date)


NOT_YET = "It can be chosen from 29 calendar days after the discharge on."
ONE_IS_MISSING = "It needs 2 separate documented attempts and has 1."


@pytest.mark.parametrize(
    ("tries", "when", "missing"),
    [
        ([], "2026-09-04 18:05", f"It needs 2 separate documented attempts and has 0. {NOT_YET}"),
        (["2026-09-05 10:00"], "2026-10-03 00:00", ONE_IS_MISSING),
        (["2026-09-05 10:00", "2026-09-05 11:00"], "2026-10-03 00:00", ONE_IS_MISSING),
        (["2026-09-05 10:00", "2026-09-12 10:00"], "2026-10-02 23:59", NOT_YET),
    ],
)
def test_not_reached_says_what_is_missing(contact, tries, when, missing):
    after = tried(contact, *(attempt(each) for each in tries))
    with pytest.raises(FailedPrecondition) as refused:
        complete(after, "unable", when=when)
    assert (refused.value.reason, refused.value.message) == ("EVIDENCE_MISSING", missing)


def test_not_reached_ends_it_on_the_last_of_the_thirty_days_after_two_attempts(contact):
    """Also when the attempts were too late to count for the two business days."""
    after = tried(contact, attempt("2026-09-05 10:00"), attempt("2026-09-12 10:00"))
    assert not after.is_satisfied
    assert complete(after, "unable", when="2026-10-03 00:00").outcome == "unable"


def test_wrong_numbers_are_no_evidence_of_trying(contact):
    wrong = AttemptResult.WRONG_NUMBER
    after = tried(contact, attempt("2026-09-05 10:00", wrong), attempt("2026-09-06 10:00", wrong))
    with pytest.raises(FailedPrecondition) as refused:
        complete(after, "unable", when="2026-10-03 10:00")
    assert refused.value.reason == "EVIDENCE_MISSING"


def test_a_contact_does_not_end_before_it_begins(contact):
    with pytest.raises(FailedPrecondition) as refused:
        complete(contact, "declined", when="2026-09-04 17:39")
    assert refused.value.reason == "EVIDENCE_MISSING"
    with pytest.raises(InvalidArgument) as refused:
        complete(contact, "reached", when="2026-09-04 17:39")
    assert refused.value.reason == "ATTEMPT_BEFORE_START"
    assert complete(contact, "declined").outcome == "declined"


def test_completing_takes_an_outcome_that_the_step_knows(visit):
    with pytest.raises(InvalidArgument) as refused:
        complete(visit, "reached")
    assert refused.value.reason == "OUTCOME_UNKNOWN"
    done = complete(visit, "done", note="Seen on Friday")
    assert (done.state, done.outcome) == (TaskState.COMPLETED, "done")
    assert done.comments[-1].text == "Seen on Friday"
    assert done.version == visit.version + 1


def test_completing_a_contact_as_reached_documents_the_attempt(contact):
    done = complete(contact, "reached", note="Fine")
    assert done.attempts[-1].result is AttemptResult.REACHED
    assert done.attempts[-1].note == "Fine"
    assert done.completed_by_id == NURSE


def test_an_outcome_that_completes_nothing_says_so(contact):
    with pytest.raises(FailedPrecondition) as refused:
        complete(contact, "attempts_met")
    assert refused.value.reason == "EVIDENCE_MISSING"


def test_a_closed_task_changes_no_more_but_takes_comments(visit):
    done = complete(visit, "done")
    for change in (
        lambda: done.claim(by=NURSE),
        lambda: done.assign(done.owner),
        lambda: complete(done, "done"),
        lambda: done.decline(by=NURSE, reason="no", to=done.owner),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            change()
        assert refused.value.reason == "TASK_NOT_OPEN"
    after = done.comment(by=OTHER, text="Well done", at=NOW)
    assert after.comments[-1].staff_id == OTHER
    assert done.cancel(reason="X", at=NOW) is done


def test_a_task_does_not_grow_without_end(visit):
    full = visit
    for _ in range(MOST_ENTRIES):
        full = full.comment(by=NURSE, text="x", at=NOW)
    with pytest.raises(FailedPrecondition) as refused:
        full.comment(by=NURSE, text="x", at=NOW)
    assert refused.value.reason == "TASK_FULL"
    assert complete(full, "done", note="At last").state is TaskState.COMPLETED
    gone = full.hand_over(Owner(accountable_id=LEAD), at=NOW, was_taken=True)
    assert gone.accountable_id == LEAD


def test_a_ladder_reached_late_fires_each_level_once_in_order(contact):
    after, reached = contact.climb(at=contact.rungs[-1].at + timedelta(days=3))
    assert [rung.level for rung in reached] == [1, 2, 3]
    assert after.escalation_level == 3
    assert after.next_escalation_at == contact.rungs[-1].at + timedelta(days=4)


def test_the_top_of_a_ladder_repeats_each_day_until_it_is_done(contact):
    top = contact.rungs[-1]
    after, _ = contact.climb(at=top.at)
    assert after.next_escalation_at == top.at + timedelta(days=1)
    assert after.climb(at=top.at + timedelta(hours=23)) == (after, ())
    again, reached = after.climb(at=top.at + timedelta(days=3, hours=1))
    assert [(rung.level, rung.at, rung.notify) for rung in reached] == [
        (top.level, top.at + timedelta(days=1), top.notify)
    ]
    assert again.escalation_level == top.level
    assert again.next_escalation_at == top.at + timedelta(days=4)
    assert complete(again, "reached").next_escalation_at is None


def test_a_ladder_waits_for_each_level(contact):
    after, reached = contact.climb(at=contact.rungs[0].at)
    assert [rung.level for rung in reached] == [1]
    assert after.next_escalation_at == contact.rungs[1].at
    assert contact.climb(at=contact.rungs[0].at - timedelta(seconds=1)) == (contact, ())


def test_a_done_task_has_no_ladder(contact):
    done = complete(contact, "reached")
    assert done.climb(at=done.due_at + timedelta(days=9)) == (done, ())


def test_handing_over_says_so_when_somebody_had_it(contact):
    taken = contact.claim(by=NURSE)
    to = Owner(team_id=contact.team_id, accountable_id=LEAD, is_chosen=True)
    after = taken.hand_over(to, at=NOW, was_taken=True)
    assert after.staff_id is None
    assert after.comments[-1].staff_id is None
    assert taken.hand_over(taken.owner, at=NOW, was_taken=True) is taken
