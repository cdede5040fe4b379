"""What becomes of a loop when the record changes."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from services.tasking.domain.claims import Departure, Judgment
from services.tasking.domain.deeds import deeds_of
from services.tasking.domain.loop import EvidenceKind, LoopState
from services.tasking.domain.plan import PatientFacts
from services.tasking.domain.task import AttemptResult, ContactAttempt, TaskState
from services.tasking.domain.transition import transition_of
from tests.unit.tasking.hospital import (
    LEAD,
    MERCY,
    NURSE,
    Directory,
    Stored,
    directory,
    local_date,
)
from tests.unit.tasking.record import ALIVE, CLINIC, at, stay

NOW = at("2026-09-04 18:00")
HOME = stay(discharged="2026-09-04 17:40")
DEAD = PatientFacts(is_deceased=True, died_at=at("2026-09-06 10:00"), language="es")
AGAIN = stay("2026-09-10 10:00", id=UUID(int=30))


@pytest.fixture
def stored():
    stored = Stored()
    stored.plan(HOME, now=NOW)
    return stored


def done(stored, step, when="2026-09-05 10:00"):
    task = stored[step]
    outcome = next(each.key for each in task.outcomes if each.completes)
    stored.tasks[step] = task.complete(
        by=NURSE, outcome=outcome, note="", at=at(when), local_date=local_date
    )


def tried(task, when):
    made = ContactAttempt(
        at=at(when), channel="phone", result=AttemptResult.NO_ANSWER, staff_id=NURSE
    )
    return task.record_attempt(made, local_date, now=at(when))


def test_a_plan_opens_a_loop_and_its_tasks_once(stored):
    assert stored.loop.state is LoopState.OPEN
    assert stored["contact"].due_on == date(2026, 9, 9)
    assert stored["contact"].next_escalation_at == stored["contact"].rungs[0].at
    again = stored.plan(HOME, now=NOW + timedelta(hours=1))
    assert (again.loop, again.tasks) == (None, ())


def test_nobody_to_own_it_is_an_error_not_a_loop_without_owner():
    with pytest.raises(LookupError):
        Stored().plan(HOME, now=NOW, people=Directory([MERCY], [], []))


def test_a_corrected_discharge_moves_the_deadlines_of_what_is_open(stored):
    done(stored, "visit")
    stored.plan(stay(discharged="2026-09-03 17:40"), now=NOW)
    assert stored["contact"].due_on == date(2026, 9, 8)
    assert stored["visit"].due_on == date(2026, 9, 18)
    assert stored["visit"].state is TaskState.COMPLETED


def test_a_deadline_that_moves_ahead_is_escalated_again_when_its_time_comes(stored):
    contact, _ = stored["contact"].climb(at=stored["contact"].rungs[1].at)
    stored.tasks["contact"] = contact
    assert contact.escalation_level == 2
    stored.plan(stay(discharged="2026-09-20 17:40"), now=at("2026-09-21 08:00"))
    assert stored["contact"].escalation_level == 0
    assert stored["contact"].next_escalation_at == stored["contact"].rungs[0].at


def test_a_level_that_was_reached_stays_reached_when_the_deadline_moves_a_little(stored):
    now = stored["contact"].rungs[1].at + timedelta(hours=3)
    stored.tasks["contact"], _ = stored["contact"].climb(at=now)
    stored.plan(stay(discharged="2026-09-04 17:41"), now=now)
    assert stored["contact"].escalation_level == 2


def test_an_admission_becomes_a_discharge_under_the_same_loop():
    stored = Stored()
    stored.plan(stay(), now=at("2026-09-02 08:00"))
    assert "watch_discharge" in stored.open
    assert "contact" not in stored.open
    stored.plan(HOME, now=NOW)
    assert "contact" in stored.open
    assert stored["watch_discharge"].state is TaskState.CANCELLED
    assert stored["watch_discharge"].close_reason == "STEP_NOT_NEEDED"


def test_a_visit_ticked_off_by_hand_is_shown_by_the_record_as_well_once_that_knows_it(stored):
    done(stored, "visit", "2026-09-09 12:00")
    assert stored["visit"].shown_by is None
    seen = stay("2026-09-09 10:00", None, id=UUID(int=20), visit_class="OUTPATIENT")
    stored.plan(HOME, seen, now=NOW)
    visit = stored["visit"]
    assert (visit.outcome, visit.completed_by_id) == ("done", NURSE)
    assert (visit.shown_by.source_id, visit.shown_by.at) == (seen.id, seen.admitted_at)
    (evidence,) = [each for each in stored.loop.evidence if each.step == "visit"]
    assert (evidence.kind, evidence.staff_id) == (EvidenceKind.TASK_OUTCOME, NURSE)
    (deed,) = deeds_of(stored.tasks.values()).done
    assert (deed.kind, deed.staff_id) == (EvidenceKind.TASK_OUTCOME, NURSE)
    left = Departure(loop_id=stored.loop.id, visit_class="INPATIENT", disposition="1")
    known = transition_of(
        stored.loop, stored.tasks.values(), left, ALIVE, Judgment(), lambda made: True
    )
    assert (known.left_from, known.left_to) == ("INPATIENT", "01")
    assert (known.visit.kind, known.visit.at) == ("ENCOUNTER", seen.admitted_at)
    stored.plan(HOME, now=NOW)
    assert (stored["visit"].state, stored["visit"].shown_by) == (TaskState.COMPLETED, None)


def test_only_clinical_staff_reach_the_patient_or_try_to_for_a_claim(stored):
    contact = stored["contact"]
    for when in ("2026-09-05 10:00", "2026-09-08 10:00"):
        contact = tried(contact, when)
    made = ContactAttempt(
        at=at("2026-09-09 10:00"), channel="phone", result=AttemptResult.REACHED, staff_id=LEAD
    )
    contact = contact.record_attempt(made, local_date, now=at("2026-09-09 10:00"))

    def known(clinicians):
        return transition_of(
            stored.loop,
            [contact],
            None,
            ALIVE,
            Judgment(),
            lambda made: made.staff_id in clinicians,
        )

    assert (known({NURSE, LEAD}).contact.staff_id, len(known({NURSE, LEAD}).attempts)) == (LEAD, 2)
    assert (known({NURSE}).contact, len(known({NURSE}).attempts)) == (None, 2)
    assert (known({LEAD}).contact.staff_id, known({LEAD}).attempts) == (LEAD, ())


def test_a_discharge_taken_back_cancels_its_steps_and_keeps_the_loop(stored):
    stored.plan(stay(), now=NOW)
    assert stored.loop.state is LoopState.OPEN
    assert stored["contact"].close_reason == "DISCHARGE_CANCELLED"
    assert "watch_discharge" in stored.open
    stored.plan(HOME, now=NOW)
    assert "contact" in stored.open
    assert stored["contact"].close_reason == ""


def test_what_was_done_for_a_discharge_taken_back_is_done_again_for_the_next(stored):
    done(stored, "contact")
    stored.plan(stay(), now=at("2026-09-05 12:00"))
    assert stored["contact"].state is TaskState.COMPLETED
    stored.plan(stay(discharged="2026-09-08 11:00"), now=at("2026-09-08 12:00"))
    assert "contact" in stored.open
    assert stored["contact"].due_on == date(2026, 9, 10)


def test_a_discharge_corrected_by_hours_keeps_what_was_done(stored):
    done(stored, "discharge_information", "2026-09-04 18:30")
    stored.plan(stay(discharged="2026-09-04 19:00"), now=at("2026-09-04 20:00"))
    assert stored["discharge_information"].state is TaskState.COMPLETED


def test_a_call_before_the_patient_left_is_no_call_after_the_discharge(stored):
    """The discharge was taken back and the patient left within a day of the call."""
    done(stored, "contact", "2026-09-04 18:30")
    stored.plan(stay(), now=at("2026-09-04 19:00"))
    stored.plan(stay(discharged="2026-09-05 11:00"), now=at("2026-09-05 12:00"))
    assert "contact" in stored.open
    assert stored["contact"].next_escalation_at == stored["contact"].rungs[0].at
    assert all(each.step != "contact" for each in stored.loop.evidence)


def test_a_call_counts_again_when_the_first_discharge_was_right_after_all(stored):
    done(stored, "contact", "2026-09-04 18:30")
    called = stored["contact"]
    stored.plan(stay(discharged="2026-09-05 11:00"), now=at("2026-09-05 12:00"))
    stored.plan(HOME, now=at("2026-09-05 13:00"))
    again = stored["contact"]
    assert (again.state, again.outcome, again.closed_at, again.completed_by_id) == (
        TaskState.COMPLETED,
        "reached",
        called.closed_at,
        NURSE,
    )
    unchanged = stored.plan(HOME, now=at("2026-09-05 14:00"))
    assert (unchanged.loop, unchanged.tasks) == (None, ())


def test_attempts_before_the_discharge_that_counts_do_not_shadow_those_after_it(stored):
    stored.plan(stay(discharged="2026-09-05 08:00"), now=at("2026-09-05 08:05"))
    for when in ("2026-09-05 17:00", "2026-09-05 18:10", "2026-09-05 20:30"):
        stored.tasks["contact"] = tried(stored["contact"], when)
    assert stored["contact"].attempts_met_at == at("2026-09-05 20:30")
    assert [each.is_counted for each in stored["contact"].attempts] == [True, False, True]
    stored.plan(stay(discharged="2026-09-05 17:40"), now=at("2026-09-05 21:00"))
    assert [each.is_counted for each in stored["contact"].attempts] == [False, True, True]
    assert stored["contact"].attempts_met_at == at("2026-09-05 20:30")


def test_what_was_done_early_for_a_discharge_taken_back_is_done_again_for_the_next():
    stored = Stored()
    stored.plan(stay(discharged="2026-09-04 17:40", diagnoses=("I50.9",)), now=NOW)
    done(stored, "home_visit", "2026-09-05 10:00")  # before its 48 hours
    stored.plan(stay(discharged="2026-09-04 18:00", diagnoses=("I50.9",)), now=NOW)
    assert stored["home_visit"].state is TaskState.COMPLETED
    stored.plan(stay(diagnoses=("I50.9",)), now=at("2026-09-06 12:00"))
    stored.plan(
        stay(discharged="2026-09-10 11:00", diagnoses=("I50.9",)), now=at("2026-09-10 12:00")
    )
    assert "home_visit" in stored.open


def test_an_admission_taken_back_cancels_the_loop_and_it_can_open_again(stored):
    done(stored, "visit")
    stored.plan(stay(state="CANCELLED"), now=NOW)
    assert (stored.loop.state, stored.loop.close_reason) == (
        LoopState.CANCELLED,
        "ADMISSION_CANCELLED",
    )
    assert stored.open == set()
    assert stored.loop.clock_at is None
    stored.plan(HOME, now=NOW)
    assert stored.loop.state is LoopState.OPEN
    assert stored.loop.close_reason == ""
    assert stored["visit"].state is TaskState.COMPLETED
    assert "contact" in stored.open


def test_death_closes_the_loop_with_evidence(stored):
    stored.plan(HOME, now=NOW, patient=DEAD)
    assert (stored.loop.state, stored.loop.close_reason) == (LoopState.CLOSED, "DECEASED")
    assert stored.loop.closed_at == DEAD.died_at
    assert stored.loop.evidence[-1].kind is EvidenceKind.RECORD_CHANGE
    assert {task.close_reason for task in stored.tasks.values()} == {"DECEASED"}
    stored.plan(HOME, now=NOW, patient=ALIVE)
    assert stored.loop.state is LoopState.OPEN


def test_a_readmission_closes_the_loop_with_the_new_stay_as_evidence(stored):
    stored.plan(HOME, AGAIN, now=NOW)
    assert (stored.loop.state, stored.loop.close_reason) == (LoopState.CLOSED, "READMITTED")
    shown = stored.loop.evidence[-1]
    assert (shown.kind, shown.source_id) == (EvidenceKind.ENCOUNTER, AGAIN.id)
    stored.plan(HOME, stay("2026-09-10 10:00", id=AGAIN.id, state="CANCELLED"), now=NOW)
    assert stored.loop.state is LoopState.OPEN
    assert "contact" in stored.open


def test_a_visit_in_the_record_completes_its_step_and_its_cancellation_opens_it_again(stored):
    visit = {"id": UUID(int=20), "facility_id": CLINIC, "visit_class": "OUTPATIENT"}
    stored.plan(HOME, stay("2026-09-09 10:00", **visit), now=NOW)
    assert stored["visit"].state is TaskState.COMPLETED
    assert stored["visit"].completed_by_id is None
    (shown,) = stored.loop.evidence
    assert (shown.kind, shown.source_id) == (EvidenceKind.ENCOUNTER, visit["id"])
    stored.plan(HOME, stay("2026-09-09 10:00", **visit, state="CANCELLED"), now=NOW)
    assert "visit" in stored.open
    assert stored.loop.evidence == ()


def test_a_completed_loop_stays_closed_when_the_record_says_the_same(stored):
    for step in list(stored.tasks):
        done(stored, step)
    stored.plan(HOME, now=NOW)
    assert (stored.loop.state, stored.loop.close_reason) == (LoopState.CLOSED, "COMPLETED")
    again = stored.plan(HOME, now=NOW + timedelta(days=2))
    assert (again.loop, again.tasks) == (None, ())


def test_a_visit_that_is_no_longer_eligible_cancels_the_loop(stored):
    stored.plan(stay(discharged="2026-09-04 17:40", visit_class="EMERGENCY"), now=NOW)
    assert (stored.loop.state, stored.loop.close_reason) == (LoopState.CANCELLED, "NOT_ELIGIBLE")
    assert stored.open == set()
    assert stored.loop.evidence


def test_a_merge_moves_the_loop_and_every_task(stored):
    done(stored, "visit")
    survivor = UUID(int=77)
    stored.plan(stay(discharged="2026-09-04 17:40", patient_id=survivor), now=NOW)
    assert stored.loop.patient_id == survivor
    assert {task.patient_id for task in stored.tasks.values()} == {survivor}
    assert stored["visit"].state is TaskState.COMPLETED


def test_a_closed_loop_moves_with_a_merge_too(stored):
    survivor = UUID(int=77)
    gone = {"state": "CANCELLED"}
    stored.plan(stay(**gone), now=NOW)
    stored.plan(stay(**gone, patient_id=survivor), now=NOW)
    assert stored.loop.patient_id == survivor
    assert stored.loop.close_reason == "ADMISSION_CANCELLED"


def test_a_task_that_opens_again_goes_to_somebody_who_is_still_here(stored):
    stored.tasks["contact"] = stored["contact"].claim(by=NURSE)
    stored.plan(stay(state="CANCELLED"), now=NOW)
    stored.plan(HOME, now=NOW, people=directory(without=[NURSE]))
    assert stored["contact"].staff_id is None
    assert stored["contact"].accountable_id == LEAD
