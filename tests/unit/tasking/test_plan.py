"""The plan of the discharge transition: what opens it, what each step asks for, what ends it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from libs.calendars.calendar import calendar_for
from services.tasking.domain.plan import PatientFacts, PlanState
from tests.unit.tasking.record import CLINIC, at, planned, stay

HOME = stay(discharged="2026-09-04 17:40")
IN_HOSPITAL = ["admission_notice", "plan_going_home", "book_follow_up", "watch_discharge"]
AFTER = [
    "admission_notice",
    "discharge_information",
    "contact",
    "medication_reconciliation",
    "visit",
    "close",
]


def keys(plan):
    return [step.key for step in plan.steps]


def step(plan, key):
    return next(each for each in plan.steps if each.key == key)


def visit_on(day, **changes):
    return stay(
        f"{day} 10:00", id=UUID(int=20), facility_id=CLINIC, visit_class="OUTPATIENT", **changes
    )


def stay_on(day, **changes):
    return stay(f"{day} 10:00", id=UUID(int=30), facility_id=CLINIC, **changes)


@pytest.mark.parametrize("visit_class", ["INPATIENT", "OBSERVATION", "PARTIAL"])
def test_it_opens_at_the_admission_of_a_stay(visit_class):
    plan = planned(stay(visit_class=visit_class))
    assert (plan.state, plan.opened_at, plan.anchor_at) == (
        PlanState.OPEN,
        at("2026-09-01 08:00"),
        None,
    )
    assert keys(plan) == IN_HOSPITAL
    assert plan.key_dates == ()
    assert plan.why.startswith("In hospital since 2026-09-01.")


@pytest.mark.parametrize(
    "visit_class", ["EMERGENCY", "OUTPATIENT", "RECURRING", "PREADMIT", "OTHER"]
)
@pytest.mark.parametrize("discharged", [None, "2026-09-01 20:00"])
def test_a_visit_that_is_no_stay_opens_nothing(visit_class, discharged):
    assert planned(stay(discharged=discharged, visit_class=visit_class)) is None


def test_a_planned_stay_opens_nothing_yet():
    assert planned(stay(state="PLANNED")) is None


@pytest.mark.parametrize("unknown", ["", "UNSPECIFIED"])
def test_a_visit_of_unknown_kind_opens_once_the_patient_was_sent_home(unknown):
    assert planned(stay(visit_class=unknown)) is None
    plan = planned(stay(None, "2026-09-04 17:40", visit_class=unknown, disposition=""))
    assert (plan.state, plan.opened_at) == (PlanState.OPEN, at("2026-09-04 17:40"))
    assert keys(plan) == AFTER[1:]


def test_a_visit_without_any_moment_opens_nothing():
    assert planned(stay(None)) is None


def test_a_stay_before_the_protocol_began_opens_nothing():
    assert planned(stay("2012-12-28 08:00", "2012-12-31 10:00")) is None
    assert planned(stay("2012-12-28 08:00", "2013-01-02 10:00")) is not None


def test_after_the_discharge_its_clocks_run():
    plan = planned(HOME)
    assert keys(plan) == AFTER
    assert plan.anchor_at == at("2026-09-04 17:40")
    assert {each.key: str(each.on) for each in plan.key_dates} == {
        "contact_due": "2026-09-09",
        "visit_7_due": "2026-09-11",
        "visit_14_due": "2026-09-18",
        "period_end": "2026-10-03",
    }
    assert {each.key: str(each.due_on) for each in plan.steps} == {
        "admission_notice": "2026-09-03",
        "discharge_information": "2026-09-06",
        "contact": "2026-09-09",
        "medication_reconciliation": "2026-09-18",
        "visit": "2026-09-18",
        "close": "2026-10-03",
    }
    assert "2026-09-07 (Labor Day) do not count" in step(plan, "contact").due_explanation
    assert plan.why.startswith("Left the hospital on 2026-09-04. Followed until 2026-10-03,")
    assert plan.closes_when[0].startswith(
        "Everything required is done: Record the admission notice;"
    )
    assert "Or: The patient has died." in plan.closes_when


@pytest.mark.parametrize("code", ["I50.23", "I5023", "i50.9", "J44.1", "J449"])
def test_at_high_risk_the_visit_is_sooner_and_somebody_comes_home(code):
    plan = planned(replace(HOME, diagnoses=("E11.9", code)))
    home = step(plan, "home_visit")
    assert (home.start_at, home.due_at) == (at("2026-09-06 17:40"), at("2026-09-07 17:40"))
    assert home.role == "community_health_worker"
    assert home.due_explanation == "72 hours after 2026-09-04 17:40"
    assert (
        step(plan, "visit").due_on
        == step(plan, "medication_reconciliation").due_on
        == date(2026, 9, 11)
    )


def test_other_lung_and_heart_codes_are_not_high_risk():
    plan = planned(replace(HOME, diagnoses=("I51.9", "J45.909", "XI50")))
    assert "home_visit" not in keys(plan)


def test_the_contact_is_a_nurses_and_two_attempts_are_noted_but_do_not_end_it():
    contact = step(planned(HOME), "contact")
    assert (
        contact.role,
        contact.is_contact,
        contact.attempts_needed,
        contact.attempts_hours_apart,
    ) == (
        "nurse",
        True,
        2,
        2,
    )
    assert {each.key: each.completes for each in contact.outcomes} == {
        "reached": True,
        "attempts_met": False,
        "declined": True,
        "unable": True,
    }


def test_the_contact_escalates_at_three_quarters_at_the_end_and_to_the_duty_team():
    contact = step(planned(HOME), "contact")
    start, due = at("2026-09-04 17:40"), at("2026-09-09 23:59:59")
    assert (contact.start_at, contact.due_at) == (start, due)
    lead, admin, duty = contact.rungs
    assert (lead.level, lead.notify, lead.channels) == (1, "lead", ("screen", "email"))
    assert lead.at == (start + (due - start) * 3 / 4).replace(microsecond=0)
    assert (admin.level, admin.notify, admin.at) == (2, "facility_admin", due)
    assert (duty.level, duty.notify, duty.at) == (3, "duty_team", due + timedelta(hours=4))


def test_a_discharge_counts_on_the_local_day_wherever_the_server_stands():
    late = planned(stay(discharged="2026-09-01 23:50"))
    assert late.key_dates[0].on == date(2026, 9, 3)
    honolulu = calendar_for("Pacific/Honolulu", "us-federal")
    same_moment = planned(
        stay(discharged="2026-09-01 23:50"), calendar=honolulu
    )  # 18:50 of the same day there
    assert same_moment.key_dates[0].at == datetime(2026, 9, 4, 9, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "is_shown"),
    [
        ("2026-09-04", False),
        ("2026-09-05", True),
        ("2026-09-16", True),
        ("2026-10-03", True),
        ("2026-10-04", False),
    ],
)
def test_an_outpatient_visit_within_the_thirty_days_shows_the_visit(day, is_shown):
    shown = step(planned(HOME, visit_on(day)), "visit").shown_by
    assert (shown is not None) is is_shown
    if shown:
        assert (shown.encounter_id, shown.at) == (UUID(int=20), at(f"{day} 10:00"))


@pytest.mark.parametrize(
    "changes", [{"state": "PLANNED"}, {"state": "CANCELLED"}, {"visit_class": "EMERGENCY"}]
)
def test_a_visit_that_did_not_take_place_shows_nothing(changes):
    visit = replace(visit_on("2026-09-08"), **changes)
    assert step(planned(HOME, visit), "visit").shown_by is None


def test_the_earliest_visit_is_the_evidence_whatever_the_order():
    early, late = visit_on("2026-09-08"), replace(visit_on("2026-09-10"), id=UUID(int=21))
    assert planned(HOME, early, late) == planned(HOME, late, early)
    assert step(planned(HOME, late, early), "visit").shown_by.encounter_id == UUID(int=20)


def test_an_admission_taken_back_cancels_it():
    plan = planned(stay(state="CANCELLED"))
    assert (plan.state, plan.close_reason, plan.steps) == (
        PlanState.CANCELLED,
        "ADMISSION_CANCELLED",
        (),
    )


def test_a_discharge_taken_back_is_the_plan_in_hospital_again():
    assert planned(replace(HOME, state="IN_PROGRESS")) == planned(stay())
    assert planned(
        replace(HOME, state="IN_PROGRESS", discharged_at=None, disposition="20")
    ) == planned(stay())


@pytest.mark.parametrize(
    "disposition", ["02", "3", "03", "04", "05", "43", "51", "61", "62", "63", "65", "70", "83"]
)
def test_a_discharge_to_another_facility_is_not_eligible(disposition):
    plan = planned(replace(HOME, disposition=disposition))
    assert (plan.state, plan.close_reason) == (PlanState.CLOSED, "NOT_ELIGIBLE")
    assert plan.close_description == "The patient went on to another facility, not home."
    assert plan.closed_at == at("2026-09-04 17:40")
    assert plan.steps == ()


@pytest.mark.parametrize(
    "disposition", ["01", "1", "06", "07", "08", "21", "30", "50", "81", "86", "", "HOME", "X9"]
)
def test_home_or_an_unknown_place_stays_open(disposition):
    assert planned(replace(HOME, disposition=disposition)).state is PlanState.OPEN


@pytest.mark.parametrize("disposition", ["20", "40", "41", "42"])
def test_a_patient_who_died_in_hospital_closes_it(disposition):
    plan = planned(replace(HOME, disposition=disposition))
    assert (plan.close_reason, plan.closed_at) == ("DECEASED", at("2026-09-04 17:40"))


def test_a_death_closes_it_when_it_happened():
    died = PatientFacts(is_deceased=True, died_at=at("2026-09-10 03:00"), language="es")
    plan = planned(HOME, patient=died)
    assert (plan.close_reason, plan.closed_at) == ("DECEASED", at("2026-09-10 03:00"))
    nobody_knows_when = replace(died, died_at=None)
    assert planned(HOME, patient=nobody_knows_when).closed_at is None
    assert planned(stay(), patient=nobody_knows_when).close_reason == "DECEASED"


@pytest.mark.parametrize(
    ("day", "is_closed"),
    [("2026-09-05", True), ("2026-10-04", True), ("2026-10-05", False)],
)
def test_a_readmission_within_thirty_days_closes_it(day, is_closed):
    plan = planned(HOME, stay_on(day))
    assert (plan.state is PlanState.CLOSED) is is_closed
    if is_closed:
        assert (plan.close_reason, plan.closed_at) == ("READMITTED", at(f"{day} 10:00"))
        assert plan.close_evidence.encounter_id == UUID(int=30)


def test_the_new_stay_has_a_loop_of_its_own():
    again = stay_on("2026-09-10")
    assert planned(again, HOME).state is PlanState.OPEN
    assert planned(again, HOME).subject_id == again.id


@pytest.mark.parametrize(
    "changes", [{"state": "CANCELLED"}, {"state": "PLANNED"}, {"visit_class": "EMERGENCY"}]
)
def test_what_is_no_stay_is_no_readmission(changes):
    assert planned(HOME, replace(stay_on("2026-09-10"), **changes)).state is PlanState.OPEN


def test_what_happened_first_closes_it_also_when_more_is_heard_later():
    died = PatientFacts(is_deceased=True, died_at=at("2026-09-20 03:00"), language="es")
    plan = planned(HOME, stay_on("2026-09-10"), patient=died)
    assert (plan.close_reason, plan.closed_at) == ("READMITTED", at("2026-09-10 10:00"))


def test_observation_that_becomes_a_stay_in_the_same_minute_goes_on_there():
    observed = replace(HOME, visit_class="OBSERVATION")
    admitted = stay("2026-09-04 17:40", id=UUID(int=9))
    assert planned(observed, admitted).close_reason == "READMITTED"
    assert planned(admitted, observed).state is PlanState.OPEN


def test_two_stays_of_the_same_minute_never_close_each_other():
    one = stay("2026-09-04 17:40", "2026-09-04 17:40")
    two = replace(one, id=UUID(int=11))
    assert planned(one, two).state is PlanState.CLOSED
    assert planned(two, one).state is PlanState.OPEN


def in_bed(admitted, discharged=None, **changes):
    return stay(admitted, discharged, id=UUID(int=30), facility_id=CLINIC, **changes)


ON_AFTER = [
    in_bed("2026-09-03 10:00"),  # began during the stay, and nobody has gone home from it
    in_bed("2026-09-03 10:00", visit_class="OBSERVATION"),
    in_bed("2026-09-03 10:00", "2026-09-06 12:00"),
    in_bed("2026-09-01 08:00"),  # in the same minute
    in_bed("2026-08-20 10:00", "2026-09-06 12:00"),  # began before it, and is known to have gone on
]


@pytest.mark.parametrize("other", ON_AFTER)
def test_a_stay_that_goes_on_after_the_discharge_closes_the_one_that_ended_within_it(other):
    """Observation became an inpatient stay, and was closed five minutes later, for the accounts."""
    plan = planned(HOME, other)
    assert (plan.state, plan.close_reason) == (PlanState.CLOSED, "READMITTED")
    assert plan.close_evidence.encounter_id == other.id
    assert plan.closed_at == plan.close_evidence.at == at("2026-09-04 17:40"), "not before it"
    assert planned(other, HOME).state is PlanState.OPEN


@pytest.mark.parametrize(
    "other",
    [
        in_bed("2026-09-03 10:00", "2026-09-04 12:00"),  # ended first
        in_bed("2026-09-03 10:00", "2026-09-04 17:40"),  # both ended at once: somebody went home
        in_bed("2026-08-01 10:00"),  # began before it: was its discharge lost? Somebody has to ask
        in_bed("2026-08-01 10:00", state="FINISHED"),  # ended, nobody knows when
        in_bed("2026-09-03 10:00", state="CANCELLED"),
        in_bed("2026-09-03 10:00", state="PLANNED"),
        in_bed("2026-09-03 10:00", visit_class="EMERGENCY"),
        in_bed("2026-09-03 10:00", visit_class="RECURRING"),
        in_bed(None),
    ],
)
def test_what_does_not_show_a_patient_in_a_bed_leaves_the_discharge_to_be_followed(other):
    assert planned(HOME, other).state is PlanState.OPEN


def test_while_both_stays_go_on_neither_closes():
    assert planned(stay(), in_bed("2026-09-03 10:00")).state is PlanState.OPEN
    assert planned(in_bed("2026-09-03 10:00"), stay()).state is PlanState.OPEN


def test_where_the_patient_went_is_said_before_that_they_are_in_hospital():
    moved = replace(HOME, disposition="02")
    assert planned(moved, in_bed("2026-09-03 10:00")).close_reason == "NOT_ELIGIBLE"


def test_not_reached_waits_for_attempts_and_the_last_of_the_thirty_days():
    (unable,) = [each for each in step(planned(HOME), "contact").outcomes if each.key == "unable"]
    assert unable.needs_attempts
    assert unable.not_before_at == at("2026-10-03 00:00")
    assert unable.not_before_explanation == "29 calendar days after the discharge"
