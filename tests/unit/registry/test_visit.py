"""What the events of a visit do to it."""

from dataclasses import replace
from uuid import uuid4

import pytest

from services.registry.domain.encounter import EncounterClass, EncounterState, to_class
from services.registry.domain.report import Diagnosis, VisitReport
from tests.unit.registry.streams import HARBOR, at, jane, number, only, record, told, visit, visits


def test_a_stay_from_admission_to_discharge() -> None:
    stay = only(
        visit("A01", 0, patient_class="E", location="ED^1", attending="Dr. Ruiz"),
        visit("A06", 3, patient_class="I", location="3W^1"),
        visit("A02", 10, location="ICU^1"),
        visit("A08", 12, diagnoses=(Diagnosis(code="I50.9"),)),
        visit("A03", 50, discharge_disposition="01"),
    )
    assert stay.state is EncounterState.FINISHED
    assert stay.encounter_class is EncounterClass.INPATIENT
    assert (stay.admit_at, stay.discharge_at) == (at(0), at(50))
    assert [(s.place, s.start_at, s.end_at) for s in stay.locations] == [
        ("ED^1", at(0), at(3)),
        ("3W^1", at(3), at(10)),
        ("ICU^1", at(10), at(50)),
    ]
    assert stay.diagnoses == (Diagnosis(code="I50.9"),)
    assert (stay.attending, stay.discharge_disposition) == ("Dr. Ruiz", "01")


def test_told_times_win_over_the_times_of_events() -> None:
    stay = only(visit("A01", 2, admit_at=at(0)), visit("A03", 50, discharge_at=at(49)))
    assert (stay.admit_at, stay.discharge_at) == (at(0), at(49))


def test_a_discharge_alone_makes_the_visit_and_a_late_admission_only_fills_it() -> None:
    discharge = visit("A03", 50, patient_class="I", attending="Dr. Ahn")
    alone = only(discharge)
    assert (alone.state, alone.admit_at, alone.discharge_at) == (
        EncounterState.FINISHED, None, at(50),
    )  # fmt: skip
    filled = only(discharge, visit("A01", 0, patient_class="E", attending="Dr. Ruiz"))
    assert filled.id == alone.id
    assert filled.state is EncounterState.FINISHED
    assert filled.admit_at == at(0)
    assert (filled.attending, filled.encounter_class) == ("Dr. Ahn", EncounterClass.INPATIENT)


def test_an_update_never_reopens_and_a_cancelled_discharge_does() -> None:
    ended = [visit("A01", 0), visit("A03", 10, discharge_disposition="01"), visit("A08", 11)]
    assert only(*ended).state is EncounterState.FINISHED
    reopened = only(*ended, visit("A13", 12))
    assert reopened.state is EncounterState.IN_PROGRESS
    assert (reopened.discharge_at, reopened.discharge_disposition) == (None, "")
    assert only(*ended, visit("A13", 12), visit("A03", 20)).discharge_at == at(20)


def test_a_discharge_sent_again_keeps_the_first_end_unless_it_tells_another() -> None:
    ended = [visit("A01", 0), visit("A03", 10)]
    assert only(*ended, visit("A03", 90, discharge_disposition="06")).discharge_at == at(10)
    assert only(*ended, visit("A03", 90, discharge_at=at(11))).discharge_at == at(11)


def test_a_cancelled_admission_cancels_the_visit_until_the_next_one() -> None:
    cancelled = [visit("A01", 0, location="3W^1"), visit("A11", 1), visit("A08", 2)]
    assert only(*cancelled).state is EncounterState.CANCELLED
    again = only(*cancelled, visit("A01", 5, location="4W^1"))
    assert (again.state, again.admit_at) == (EncounterState.IN_PROGRESS, at(5))
    assert [stay.place for stay in again.locations] == ["4W^1"]


def test_a_discharge_that_is_entered_again_with_an_earlier_time_counts() -> None:
    again = [
        visit("A01", 0),
        told("A03", 7.1, 7),
        told("A13", 7.5, 7),
        told("A03", 7.6, 6),
    ]
    for order in (again, again[::-1]):
        assert only(*order).state is EncounterState.FINISHED
        assert only(*order).discharge_at == at(6)
        cancelled_again = only(*order, told("A13", 8, 6))
        assert (cancelled_again.state, cancelled_again.discharge_at) == ("IN_PROGRESS", None)


@pytest.mark.parametrize("number_of_visit", ["V1", ""])
def test_an_admission_that_is_entered_again_with_an_earlier_time_counts(
    number_of_visit: str,
) -> None:
    again = [
        told("A01", 0.1, 0, number_of_visit=number_of_visit),
        told("A11", 0.5, 0, number_of_visit=number_of_visit),
        told("A01", 0.6, -2, number_of_visit=number_of_visit),
    ]
    for order in (again, again[::-1]):
        stay = visits(*order)[0]
        assert (stay.state, stay.admit_at) == (EncounterState.IN_PROGRESS, at(-2))


def test_what_was_told_of_a_cancelled_admission_is_no_part_of_one_that_is_told_later() -> None:
    mistaken = [
        told("A01", 0.1, 0),
        told("A02", 1.1, 1, location="ICU^1"),
        told("A08", 2.1, 2, diagnoses=(Diagnosis(code="F20.9"),)),
        told("A03", 2.6, 2.5),
        told("A11", 3, 0),
    ]
    again = [
        *mistaken,
        told("A01", 3.1, 0.5, location="3W^1"),
        told("A02", 3.2, 1.5, location="4W^1"),
    ]
    for order in (again, again[::-1]):
        stay = only(*order)
        assert (stay.state, stay.admit_at, stay.diagnoses) == ("IN_PROGRESS", at(0.5), ())
        assert [location.place for location in stay.locations] == ["3W^1", "4W^1"]
    first, second = visits(
        told("A01", 0.1, 0, number_of_visit=""),
        told("A03", 1.1, 1, number_of_visit=""),
        told("A01", 2.1, 2, number_of_visit=""),
        told("A11", 3, 0, number_of_visit=""),
    )
    assert (first.state, second.state) == ("CANCELLED", "IN_PROGRESS"), "two visits without one"


def test_a_transfer_that_is_entered_again_with_an_earlier_time_counts() -> None:
    again = [
        visit("A01", 0, location="3W^1"),
        told("A02", 5.1, 5, location="ICU^1"),
        told("A12", 5.5, 5, location="3W^1"),
        told("A02", 5.6, 4, location="4W^1"),
    ]
    for order in (again, again[::-1]):
        assert [(s.place, s.start_at) for s in only(*order).locations] == [
            ("3W^1", at(0)),
            ("4W^1", at(4)),
        ]


def test_a_cancel_of_an_earlier_transfer_takes_no_later_one() -> None:
    stay = only(
        visit("A01", 0, location="3W^1"),
        visit("A02", 1, location="ICU^1"),
        visit("A02", 2, location="4W^1"),
        told("A12", 3, 1),
    )
    assert [location.place for location in stay.locations] == ["3W^1", "4W^1"]


def test_who_is_admitted_after_a_cancel_has_nothing_of_who_was_admitted_by_mistake() -> None:
    told_of_another = {
        "diagnoses": (Diagnosis(code="F20.9"),),
        "admit_reason": "Psychosis",
        "attending": "Dr. Ruiz",
        "admission_type": "E",
        "patient_class": "I",
    }
    mistaken = [
        visit("A01", 0, person=jane(number("2")), **told_of_another),
        visit("A11", 1, person=jane(number("2"))),
    ]
    [cancelled] = visits(*mistaken)
    assert cancelled.diagnoses == (Diagnosis(code="F20.9"),)
    for trigger, encounter_class in (("A01", None), ("A05", EncounterClass.PREADMIT)):
        stay = only(*mistaken, visit(trigger, 2, person=jane(number("1"))))
        assert (stay.diagnoses, stay.admit_reason, stay.attending) == ((), "", "")
        assert (stay.admission_type, stay.encounter_class) == ("", encounter_class)
        assert stay.labels == cancelled.labels != (), (
            "what was said of the visit stays as sensitive"
        )


def test_a_cancelled_transfer_restores_the_place_before_it() -> None:
    moved = [visit("A01", 0, location="3W^1"), visit("A02", 1, location="ICU^1")]
    stay = only(*moved, visit("A12", 2, location="3W^1"))
    assert [(s.place, s.end_at) for s in stay.locations] == [("3W^1", None)]


def test_a_cancelled_transfer_takes_no_place_that_no_transfer_told() -> None:
    registry = record([visit("A01", 0, location="3W^1"), visit("A08", 1, location="4W^1")])
    cancel = registry.apply(visit("A12", 2))
    assert cancel
    assert (cancel.outcome, cancel.reason) == ("NO_OP", "NOTHING_TO_CANCEL")
    [stay] = registry.encounters.values()
    assert [location.place for location in stay.locations] == ["3W^1", "4W^1"]


def test_cancels_of_nothing_are_no_ops_until_what_they_cancel_arrives() -> None:
    registry = record()
    handled = registry.apply(visit("A13", 12, patient_class="I"))
    assert handled
    assert handled.outcome == "APPLIED", "somebody is in the house"
    cancel = registry.apply(visit("A11", 1, number_of_visit="V2"))
    assert cancel
    assert (cancel.outcome, cancel.reason) == ("NO_OP", "NOTHING_TO_CANCEL")
    registry.apply(visit("A01", 0, number_of_visit="V2"))
    [cancelled] = [e for e in registry.encounters.values() if e.visit_number == "V2"]
    assert cancelled.state is EncounterState.CANCELLED


def test_an_update_makes_a_visit_known_only_if_it_goes_on() -> None:
    assert visits(visit("A08", 0)) == []
    assert visits(visit("A08", 9, admit_at=at(0), discharge_at=at(8))) == []
    assert only(visit("A08", 9, admit_at=at(0))).state is EncounterState.IN_PROGRESS


def test_an_update_without_a_visit_is_about_the_person_alone() -> None:
    registry = record()
    for _ in range(2):
        handled = registry.apply(visit("A08", 0, number_of_visit=""))
        assert handled
        assert (handled.outcome, handled.encounter_id) == ("APPLIED", None)
    assert registry.changes().messages == ()


def test_an_announced_visit_is_planned_until_it_begins() -> None:
    planned = only(visit("A05", 0))
    assert (planned.state, planned.encounter_class) == (
        EncounterState.PLANNED, EncounterClass.PREADMIT,
    )  # fmt: skip
    begun = only(visit("A05", 0), visit("A01", 24, patient_class="I"))
    assert begun.state is EncounterState.IN_PROGRESS
    assert (begun.admit_at, begun.encounter_class) == (at(24), EncounterClass.INPATIENT)


def test_empty_says_nothing_and_cleared_deletes() -> None:
    told = visit("A01", 0, attending="Dr. Ruiz", admit_reason="Chest pain")
    assert only(told, visit("A08", 1)).attending == "Dr. Ruiz"
    assert only(told, visit("A08", 1, cleared=("attending",))).attending == ""


def test_one_number_at_two_facilities_is_two_visits() -> None:
    assert len(visits(visit("A01", 0), visit("A01", 0, facility=HARBOR))) == 2


def test_visits_without_a_number_are_cut_where_one_ends() -> None:
    stream = [
        visit(trigger, hours, number_of_visit="")
        for trigger, hours in (
            ("A01", 0),
            ("A08", 1),
            ("A03", 10),
            ("A08", 11),
            ("A04", 20),
            ("A03", 21),
        )
    ]
    first, second = visits(*stream)
    assert (first.admit_at, first.discharge_at) == (at(0), at(10))
    assert (second.admit_at, second.discharge_at) == (at(20), at(21))
    assert {e.id for e in visits(*reversed(stream))} == {first.id, second.id}


def test_a_visit_without_a_number_keeps_its_id_when_its_admission_comes_late() -> None:
    ended = visit("A03", 10, number_of_visit="", admit_at=at(0))
    begun = visit("A01", 0, number_of_visit="")
    assert only(ended).id == only(ended, begun).id


def test_a_late_admission_without_a_number_can_void_a_visit() -> None:
    registry = record([visit("A01", 5, number_of_visit=""), visit("A01", 0, number_of_visit="")])
    states = {e.listed_at: (e.is_void, e.state) for e in registry.encounters.values()}
    assert states[at(0)] == (False, EncounterState.IN_PROGRESS)
    assert states[at(5)] == (True, EncounterState.CANCELLED)


def test_at_one_instant_a_cancel_comes_after_what_it_cancels() -> None:
    assert only(visit("A13", 5), visit("A03", 5), visit("A01", 5)).state == "IN_PROGRESS"
    assert only(visit("A11", 5), visit("A01", 5)).state == "CANCELLED"


@pytest.mark.parametrize(
    ("code", "meant"),
    [("I", "INPATIENT"), ("b", "INPATIENT"), ("E", "EMERGENCY"), ("OBS", "OBSERVATION"),
     ("PH", "PARTIAL"), ("C", "OTHER"), ("N", None), ("u", None), ("?", "OTHER"), ("", None)],
)  # fmt: skip
def test_a_class_is_what_its_code_means(code: str, meant: str | None) -> None:
    assert to_class(code) == meant


def test_what_is_told_again_under_another_id_happens_once() -> None:
    there = visit("A02", 5, location="ICU^1^1")
    back = visit("A12", 7, location="3W^312^1")
    reports = [
        visit("A01", 0, location="3W^312^1"),
        visit("A02", 3, location="ED^7^1"),
        there,
        _again(there),
        back,
        _again(back),
    ]
    assert [h.reason for h in record(reports).changes().handled].count("TOLD_BEFORE") == 2
    for order in (reports, reports[::-1]):
        [encounter] = record(order).encounters.values()
        assert [stay.place for stay in encounter.locations] == ["3W^312^1", "ED^7^1"]


def _again(report: VisitReport) -> VisitReport:
    told = replace(report.source, message_id=uuid4(), content_hash=report.source.content_hash + "X")
    return replace(report, source=told)
