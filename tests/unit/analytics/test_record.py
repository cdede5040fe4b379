"""What is computed of one patient from what was told: where it may stand on what, and how sensitive it is then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.chassis.ids import new_id
from services.analytics.domain import measures
from services.analytics.domain.labels import ORDINARY, WITHHELD, Label
from services.analytics.domain.rate import Status
from services.analytics.domain.record import (
    History,
    KnownCriticalResult,
    KnownDischarge,
    KnownVisit,
    is_news,
    risks_of,
    units_of,
)
from services.analytics.domain.stay import VisitClass

PATIENT, HERE, THERE = new_id(), new_id(), new_id()
ZONES = {HERE: "America/Chicago", THERE: "America/Chicago"}
ADMITTED = datetime(2026, 3, 2, 18, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)


def visit(days=0, nights=3, kind=VisitClass.INPATIENT, place=HERE, labels=ORDINARY, **more):
    at = ADMITTED + timedelta(days=days)
    told = {
        "id": new_id(), "version": 1, "patient_id": PATIENT, "facility_id": place, "visit_class": kind,
        "is_taken_back": False, "admitted_at": at, "labels": labels, "admission_type": "E",
        "discharged_at": None if nights is None else at + timedelta(days=nights),
    }  # fmt: skip
    return KnownVisit(**{**told, **more})


def loop(stay, **more):
    told = {
        "id": new_id(), "version": 1, "facility_id": stay.facility_id, "patient_id": PATIENT,
        "encounter_id": stay.id, "discharged_at": stay.discharged_at,
        "contact_due_at": stay.discharged_at + timedelta(days=2), "contacted_at": None,
        "contact_evidence_id": None, "close_reason": "", "closed_at": None, "labels": stay.labels,
    }  # fmt: skip
    return KnownDischarge(**{**told, **more})


def known(*visits, discharges=(), critical_results=()):
    return History(
        visits=visits, discharges=discharges, referrals=(), critical_results=critical_results
    )


def term(history, stay, key, instrument="LACE"):
    (risk,) = [
        r for r in risks_of(history, ZONES, NOW)
        if r.encounter_id == stay.id and r.instrument == instrument
    ]  # fmt: skip
    return next(each for each in risk.terms if each.key == key), risk


@pytest.mark.parametrize("label", [each for each in Label if each is not Label.NORMAL])
def test_what_is_sensitive_elsewhere_counts_where_it_was_told_and_nowhere_else(label):
    stay = visit()
    emergency = visit(-40, 0, VisitClass.EMERGENCY, THERE, (label,), diagnoses=("B20",))
    found, risk = term(known(stay, emergency), stay, "emergency_visits")
    assert (found.points, risk.labels) == (0, ORDINARY)
    comorbidity, _ = term(known(stay, emergency), stay, "comorbidity")
    assert comorbidity.is_missing
    at_home = replace(emergency, facility_id=HERE)
    found, risk = term(known(stay, at_home), stay, "emergency_visits")
    assert (found.points, risk.labels) == (1, (label,))


def test_an_ordinary_visit_counts_wherever_it_was():
    stay, emergency = visit(), visit(-40, 0, VisitClass.EMERGENCY, THERE)
    found, _ = term(known(stay, emergency), stay, "emergency_visits")
    assert found.points == 1


def test_a_score_is_as_sensitive_as_what_it_looks_at_and_not_as_all_of_a_life():
    stay = visit()
    old = visit(-500, 3, labels=(Label.HIV,))
    _, risk = term(known(stay, old), stay, "comorbidity")
    assert risk.labels == ORDINARY
    _, risk = term(known(stay, replace(old, admitted_at=ADMITTED - timedelta(days=300))), stay, "comorbidity")  # fmt: skip
    assert risk.labels == (Label.HIV,)


def test_a_visit_that_was_taken_back_is_scored_and_counted_nowhere():
    stay, gone = visit(), visit(20, 2, is_taken_back=True)
    history = known(stay, gone)
    assert {risk.encounter_id for risk in risks_of(history, ZONES, NOW)} == {stay.id}
    (unit,) = units_of(history, ZONES)
    assert (unit.subject_id, unit.status, unit.reason) == (
        stay.id,
        Status.PENDING,
        "NOT_READMITTED",
    )
    assert unit.settles_at < NOW


def test_a_stay_whose_end_nobody_told_hides_no_later_one():
    forgotten, later = visit(0, None), visit(60, 3)
    units = units_of(known(forgotten, later), ZONES)
    assert [unit.subject_id for unit in units] == [later.id]


def test_who_was_never_in_a_bed_is_in_no_measure_of_stays():
    assert units_of(known(visit(kind=VisitClass.OUTPATIENT)), ZONES) == []


def test_a_unit_is_as_sensitive_as_visit_loop_and_evidence_together():
    stay = visit(labels=(Label.HIV,))
    seen = visit(5, 0, VisitClass.OUTPATIENT, labels=(Label.MENTAL_HEALTH,))
    told = loop(stay, labels=ORDINARY)
    by_measure = {u.measure: u for u in units_of(known(stay, seen, discharges=[told]), ZONES)}
    assert by_measure[measures.CONTACT].labels == (Label.HIV,)
    assert by_measure[measures.WEEK].labels == (Label.HIV, Label.MENTAL_HEALTH)
    assert by_measure[measures.READMISSION].labels == (Label.HIV,)


def test_a_loop_that_is_withheld_withholds_its_units():
    stay = visit()
    units = units_of(known(stay, discharges=[loop(stay, labels=WITHHELD)]), ZONES)
    assert {unit.labels for unit in units} == {WITHHELD}


@pytest.mark.parametrize("labels", [ORDINARY, (Label.HIV,), WITHHELD])
def test_a_critical_result_is_counted_where_it_was_told_and_as_sensitive_as_its_loop(labels):
    at = ADMITTED + timedelta(minutes=20)
    told = KnownCriticalResult(
        id=new_id(), version=1, facility_id=THERE, patient_id=PATIENT, result_id=new_id(),
        verified_at=ADMITTED, read_back_at=at, read_back_evidence_id=new_id(), close_reason="READ_BACK",
        closed_at=at, labels=labels,
    )  # fmt: skip
    stay = visit()
    (unit,) = [
        each
        for each in units_of(known(stay, critical_results=[told]), ZONES)
        if each.measure == measures.CRITICAL_RESULT
    ]
    assert (unit.subject_id, unit.facility_id, unit.labels) == (told.result_id, THERE, labels)
    assert (unit.status, unit.took) == (Status.MET, timedelta(minutes=20))


def test_news_is_what_says_something_else_and_is_newer():
    first = visit()
    assert is_news(first, None)
    assert not is_news(replace(first, version=2), first)
    assert is_news(replace(first, version=2, disposition="01"), first)
    assert not is_news(first, replace(first, version=2, disposition="01"))


def test_that_a_visit_is_taken_back_is_news_where_it_counted():
    first = visit()
    gone = replace(first, version=2, is_taken_back=True)
    assert is_news(gone, first)
    assert not is_news(gone, None)
    assert not is_news(replace(gone, version=3, disposition="01"), gone)
    assert is_news(replace(first, version=3), gone)
