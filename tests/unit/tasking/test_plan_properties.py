"""What is true of every plan, whatever the record says."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.calendars.calendar import calendar_for
from services.tasking.domain.plan import (
    EncounterFacts,
    PatientFacts,
    PlanState,
    Subject,
    plan_loop,
)
from tests.unit.tasking.record import FACILITY, PATIENT, PROTOCOL

CLASSES = [
    "INPATIENT",
    "OUTPATIENT",
    "EMERGENCY",
    "PREADMIT",
    "OBSERVATION",
    "RECURRING",
    "PARTIAL",
    "OTHER",
    "UNSPECIFIED",
]
ZONES = [
    "America/Chicago",
    "America/Havana",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
]
moments = st.none() | st.integers(0, 90 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def encounters(ids):
    return st.builds(
        EncounterFacts,
        id=ids,
        facility_id=st.sampled_from([FACILITY, UUID(int=2)]),
        patient_id=st.just(PATIENT),
        visit_class=st.sampled_from([*CLASSES, ""]),
        state=st.sampled_from(["PLANNED", "IN_PROGRESS", "FINISHED", "CANCELLED"]),
        admitted_at=moments,
        discharged_at=moments,
        disposition=st.sampled_from(["", "01", "03", "20", "6", "ZZ", " 02 "]),
        diagnoses=st.sampled_from([(), ("I50.9",), ("E11", "J44.0"), ("?",)]),
        admission_type=st.sampled_from(["", "E"]),
    )


subjects = st.builds(
    Subject,
    encounter=encounters(st.just(UUID(int=50))),
    patient=st.builds(
        PatientFacts, is_deceased=st.booleans(), died_at=moments, language=st.just("en")
    ),
    others=st.lists(
        encounters(st.integers(1, 99).map(lambda n: UUID(int=n))),
        max_size=4,
        unique_by=lambda e: e.id,
    ).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(subject=subjects, zone=st.sampled_from(ZONES), seed=st.integers(0, 99))
def test_a_plan_is_the_same_however_the_record_was_told(subject, zone, seed):
    calendar = calendar_for(zone, "us-federal")
    shuffled = list(subject.others)
    random.Random(seed).shuffle(shuffled)
    told_otherwise = Subject(
        encounter=subject.encounter,
        patient=subject.patient,
        others=(*shuffled, subject.encounter),
    )
    assert plan_loop(PROTOCOL, subject, calendar) == plan_loop(PROTOCOL, told_otherwise, calendar)


@settings(max_examples=300, deadline=None)
@given(subject=subjects, zone=st.sampled_from(ZONES))
def test_an_open_plan_always_has_somebody_and_a_clock_that_ends_at_the_duty_team(subject, zone):
    plan = plan_loop(PROTOCOL, subject, calendar_for(zone, "us-federal"))
    if plan is None or plan.state is not PlanState.OPEN:
        assert plan is None or (plan.steps == () and plan.close_reason and plan.close_description)
        return
    assert [each for each in plan.steps if each.is_required and each.shown_by is None]
    assert len({each.key for each in plan.steps}) == len(plan.steps)
    for each in plan.steps:
        assert each.start_at <= each.due_at
        assert each.rungs[-1].notify == "duty_team"
        assert "email" in each.rungs[-1].channels
        assert [rung.level for rung in each.rungs] == list(range(1, len(each.rungs) + 1))
        times = [rung.at for rung in each.rungs]
        assert times == sorted(times)
        assert each.start_at <= times[0] + timedelta(seconds=1)
        assert any(outcome.completes for outcome in each.outcomes)


@settings(max_examples=300, deadline=None)
@given(subject=subjects)
def test_stays_of_a_patient_never_all_close_each_other_as_readmissions(subject):
    """Of several stays the last one is followed: somebody always answers for the patient at home."""
    calendar = calendar_for("America/Chicago", "us-federal")
    patient = PatientFacts(is_deceased=False, died_at=None, language="en")
    everyone = (subject.encounter, *(e for e in subject.others if e.id != subject.encounter.id))
    plans = [
        plan_loop(PROTOCOL, Subject(encounter=each, patient=patient, others=everyone), calendar)
        for each in everyone
    ]
    reasons = [
        plan.close_reason for plan in plans if plan and plan.state is not PlanState.CANCELLED
    ]
    assert not reasons or set(reasons) != {"READMITTED"}


near = st.none() | st.integers(0, 6).map(
    lambda minutes: datetime(2026, 1, 5, 12, tzinfo=UTC) + timedelta(minutes=minutes)
)


def stays(number):
    return st.builds(
        EncounterFacts,
        id=st.just(UUID(int=number)),
        facility_id=st.just(FACILITY),
        patient_id=st.just(PATIENT),
        visit_class=st.sampled_from(["INPATIENT", "OBSERVATION"]),
        state=st.sampled_from(["IN_PROGRESS", "FINISHED", "FINISHED"]),
        admitted_at=near,
        discharged_at=near,
        disposition=st.just("01"),
        diagnoses=st.just(()),
        admission_type=st.just("E"),
    )


@settings(max_examples=400, deadline=None)
@given(everyone=st.tuples(stays(1), stays(2), stays(3)))
def test_stays_that_overlap_or_touch_never_all_close_each_other(everyone):
    """Whatever two stays have in common, and also when one of them ends before it begins."""
    calendar = calendar_for("America/Chicago", "us-federal")
    patient = PatientFacts(is_deceased=False, died_at=None, language="en")
    plans = [
        plan_loop(PROTOCOL, Subject(encounter=each, patient=patient, others=everyone), calendar)
        for each in everyone
    ]
    states = [plan.state for plan in plans if plan]
    assert not states or PlanState.OPEN in states
    for plan in plans:
        if plan and plan.close_evidence and plan.anchor_at:
            assert plan.closed_at >= plan.anchor_at
