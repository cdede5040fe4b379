"""A dry run: the dates that are published, the reasons for them, and what to look at before publishing."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from libs.calendars.calendar import calendar_for
from libs.chassis.errors import FailedPrecondition
from services.tasking.domain.dry_run import (
    EXAMPLE,
    NoneReason,
    NoticeReason,
    dry_run,
    hardest_example,
    hardest_friday,
)
from services.tasking.domain.owner import Directory
from services.tasking.domain.plan import PatientFacts, Subject
from services.tasking.domain.task import TaskState
from tests.unit.tasking.hospital import EVERYBODY, ON_DUTY, directory
from tests.unit.tasking.record import ALIVE, CHICAGO, FACILITY, PROTOCOL, at, planned, stay

# Discharge, contact due by the end of, 7 days, 14 days, end of the period. Source: the table "Test vectors" of
# protocols.md §1, computed with the observed federal holidays of 2026 and 2027.
VECTORS = [
    ("2026-09-01", "2026-09-03", "2026-09-08", "2026-09-15", "2026-09-30"),
    ("2026-05-22", "2026-05-27", "2026-05-29", "2026-06-05", "2026-06-20"),
    ("2026-03-07", "2026-03-10", "2026-03-14", "2026-03-21", "2026-04-05"),
    ("2026-07-02", "2026-07-07", "2026-07-09", "2026-07-16", "2026-07-31"),
    ("2026-11-25", "2026-11-30", "2026-12-02", "2026-12-09", "2026-12-24"),
    ("2026-12-24", "2026-12-29", "2026-12-31", "2027-01-07", "2027-01-22"),
    ("2026-02-13", "2026-02-18", "2026-02-20", "2026-02-27", "2026-03-14"),
]


def tried(encounter, *others, patient=ALIVE, people=EVERYBODY, protocol=PROTOCOL, calendar=CHICAGO):
    subject = Subject(encounter=encounter, patient=patient, others=others)
    return dry_run(protocol, subject, calendar, people)


def home(day="2026-09-04", hour="17:40", admitted="08:00", **changes):
    return stay(f"{day} {admitted}", f"{day} {hour}", id=EXAMPLE, **changes)


def task(found, step):
    return next(each for each in found.tasks if each.step == step)


def is_open(found):
    return [each.step for each in found.tasks if each.state is TaskState.OPEN]


@pytest.mark.parametrize(("day", "contact", "seven", "fourteen", "end"), VECTORS)
def test_the_dates_are_those_of_the_rules(day, contact, seven, fourteen, end):
    usual, risky = tried(home(day)), tried(home(day, diagnoses=("I50.9",)))
    assert str(task(usual, "contact").due_on) == contact
    assert str(task(risky, "visit").due_on) == seven
    assert str(task(usual, "visit").due_on) == fourteen
    assert str(task(usual, "close").due_on) == end
    assert {str(each.on) for each in usual.loop.key_dates} == {contact, seven, fourteen, end}


def test_it_is_what_the_real_plan_has():
    found, plan = tried(home()), planned(home())
    dates = [(t.step, t.start_at, t.due_at, t.due_explanation, t.rungs) for t in found.tasks]
    real = [(s.key, s.start_at, s.due_at, s.due_explanation, s.rungs) for s in plan.steps]
    assert sorted(dates[i] for i, t in enumerate(found.tasks) if t.is_open) == sorted(real)
    assert (found.loop.why, found.loop.key_dates) == (plan.why, plan.key_dates)


def test_every_day_says_whether_it_counts():
    days = {f"{each.on}": each for each in tried(home()).days}
    assert next(iter(days)) == "2026-09-04"
    assert list(days)[-1] == "2026-10-03"
    counted = [day for day, each in days.items() if each.is_business_day]
    assert counted[:3] == ["2026-09-04", "2026-09-08", "2026-09-09"]
    assert days["2026-09-07"].holiday == "Labor Day"


def test_everybody_has_an_owner_and_a_ladder_that_ends():
    for each in tried(home()).tasks:
        assert each.accountable_id
        assert each.rungs[-1].notify == "duty_team"


def test_a_window_without_a_workday_is_noticed():
    found = tried(home(diagnoses=("I50.9",)))
    notices = {(n.reason, n.step): n.detail for n in found.notices}
    assert notices[NoticeReason.WINDOW_WITHOUT_WORKDAY, "home_visit"] == "Labor Day"
    assert (NoticeReason.WINDOW_WITHOUT_WORKDAY, "contact") not in notices


def test_a_role_without_a_team_says_who_gets_its_work():
    notices = {n.step: n.detail for n in tried(home()).notices}
    assert notices["medication_reconciliation"] == "Duty · lead E. Duty"
    assert "contact" not in notices
    alone = tried(home(), people=directory(teams=(ON_DUTY,)))
    assert "contact" in {n.step for n in alone.notices}


@pytest.mark.parametrize(
    ("day", "changed_on", "due"),
    [
        ("2026-10-30", "2026-11-01", "2026-11-02 16:40"),
        ("2026-03-06", "2026-03-08", "2026-03-09 18:40"),
    ],
)
def test_hours_over_a_change_of_the_clocks_are_noticed(day, changed_on, due):
    found = tried(home(day, diagnoses=("I50.9",)))
    assert task(found, "home_visit").due_at == at(due)
    changes = {n.step: n.detail for n in found.notices if n.reason is NoticeReason.CLOCKS_CHANGE}
    assert changes == {"home_visit": changed_on}
    (day_of_change,) = (each for each in found.days if each.clock_change)
    assert f"{day_of_change.on}" == changed_on
    assert abs(day_of_change.clock_change) == timedelta(hours=1)


def test_a_readmission_takes_back_what_was_open():
    again = stay("2026-09-07 10:00", id=UUID(int=1))
    found = tried(home(), again)
    assert (found.loop.close_reason, found.loop.closed_at) == ("READMITTED", at("2026-09-07 10:00"))
    assert is_open(found) == []
    assert task(found, "contact").close_reason == "READMITTED"


def test_a_visit_shows_its_step_and_leaves_the_others():
    seen = stay("2026-09-10 10:00", id=UUID(int=1), visit_class="OUTPATIENT")
    found = tried(home(), seen)
    assert task(found, "visit").state is TaskState.COMPLETED
    assert "contact" in is_open(found)


def test_a_death_closes_it_when_it_happened():
    died = PatientFacts(is_deceased=True, died_at=at("2026-09-06 03:00"), language="")
    found = tried(home(), patient=died)
    assert (found.loop.close_reason, is_open(found)) == ("DECEASED", [])


def test_who_goes_on_to_another_facility_is_not_followed():
    found = tried(home(disposition="03"))
    assert (found.loop.close_reason, is_open(found)) == ("NOT_ELIGIBLE", [])


def test_a_patient_in_hospital_has_what_is_done_there():
    assert "watch_discharge" in is_open(tried(stay(id=EXAMPLE)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"visit_class": "EMERGENCY"}, NoneReason.NOT_TRIGGERED),
        ({"admitted_at": None, "discharged_at": None}, NoneReason.NO_MOMENT),
    ],
)
def test_no_loop_has_a_reason(changes, reason):
    found = tried(replace(home(), **changes))
    assert (found.loop, found.tasks, found.none_reason) == (None, (), reason)


def test_before_it_is_effective_it_opens_none():
    later = replace(PROTOCOL, effective_from=date(2027, 1, 1))
    assert tried(home(), protocol=later).none_reason is NoneReason.NOT_EFFECTIVE_YET


def test_where_nobody_works_nothing_can_be_owned():
    with pytest.raises(FailedPrecondition) as error:
        tried(home(), people=Directory((), (), ()))
    assert error.value.reason == "NOBODY_TO_OWN"


@pytest.mark.parametrize(
    ("today", "friday"),
    [
        ("2026-09-01", "2026-09-04"),  # Labor Day
        ("2026-09-04", "2026-10-09"),  # Columbus Day
        ("2026-11-22", "2027-01-15"),  # Martin Luther King Day; Christmas is a Friday itself
    ],
)
def test_the_hardest_friday_is_before_a_holiday(today, friday):
    assert hardest_friday(CHICAGO, date.fromisoformat(today)) == date.fromisoformat(friday)


def test_without_holidays_it_is_the_next_friday():
    none = calendar_for("America/Chicago", "none")
    assert hardest_friday(none, date(2026, 9, 4)) == date(2026, 9, 11)
    example = hardest_example(FACILITY, none, date(2026, 9, 1))
    assert example.discharged_at == at("2026-09-04 17:40")
