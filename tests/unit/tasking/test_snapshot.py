"""Which news of the record can change a plan, and which cannot."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.tasking.domain.labels import ORDINARY, Label
from services.tasking.domain.snapshot import (
    NOBODY_KNOWN,
    EncounterSnapshot,
    PatientSnapshot,
    ProgramSnapshot,
)
from tests.unit.tasking.record import FACILITY, PATIENT, at

STORED = EncounterSnapshot(
    id=UUID(int=10),
    version=1,
    patient_id=PATIENT,
    facility_id=FACILITY,
    visit_class="INPATIENT",
    state="IN_PROGRESS",
    admitted_at=at("2026-09-01 08:00"),
    labels=ORDINARY,
    waits_for="",
)
PLANNING = EncounterSnapshot.__dataclass_fields__["waits_for"].default
SOMEBODY = PatientSnapshot(id=PATIENT, version=1, name="Marisol Ejemplo", language="es")


def told(**changes):
    return replace(STORED, version=2, waits_for=PLANNING, **changes)


def test_a_move_within_the_hospital_changes_nothing_that_plans_look_at():
    assert told().after(STORED).waits_for == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "FINISHED", "discharged_at": at("2026-09-04 17:40")},
        {"patient_id": UUID(int=4)},
        {"diagnoses": ("I50.9",)},
        {"visit_class": "EMERGENCY"},
        {"admitted_at": at("2026-09-01 09:00")},
        {"labels": (Label.SUD,)},
    ],
)
def test_whatever_plans_look_at_is_planned_anew(changes):
    assert told(**changes).after(STORED).waits_for == PLANNING


@pytest.mark.parametrize(
    ("label", "may"),
    [(label, label not in ("PART2", "COUNSELING_NOTES", "WITHHELD")) for label in Label],
)
def test_what_nobody_else_may_know_of_counts_at_its_own_facility_alone(label, may):
    visit = replace(STORED, labels=(label,))
    assert visit.may_count_at(FACILITY)
    assert visit.may_count_at(UUID(int=77)) is may


def test_what_is_new_is_planned_and_what_waited_goes_on_waiting():
    assert told().after(None).waits_for == PLANNING
    assert told().after(replace(STORED, waits_for="facility")).waits_for == "facility"


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        (None, PatientSnapshot(id=PATIENT, version=1, name="Marisol Ejemplo"), False),
        (None, SOMEBODY, True),
        (SOMEBODY, replace(SOMEBODY, version=2, name="Marisol Ejemplo Ruiz"), False),
        (SOMEBODY, replace(SOMEBODY, version=2, died_at=at("2026-09-05 08:00")), True),
        (SOMEBODY, replace(SOMEBODY, version=2, merged_into_id=UUID(int=4)), True),
    ],
)
def test_of_a_patient_only_what_plans_look_at_is_news(before, after, is_news):
    assert after.differs_from(before) is is_news


def program(**told):
    return ProgramSnapshot(
        id=UUID(int=5), version=1, patient_id=PATIENT, facility_id=FACILITY, **told
    )


def test_what_a_program_told_counts_with_what_is_shared():
    died = at("2026-09-05 08:00")
    shared = replace(SOMEBODY, died_at=died, is_deceased=True).facts
    assert program().with_shared(shared) == shared
    known = program(language="fr").with_shared(NOBODY_KNOWN)
    assert (known.language, known.is_deceased) == ("fr", False)
    theirs = program(is_deceased=True, died_at=died).with_shared(SOMEBODY.facts)
    assert (theirs.is_deceased, theirs.died_at, theirs.language) == (True, died, "es")


@pytest.mark.parametrize(
    ("before", "after", "is_news"),
    [
        (None, program(name="Marisol Ejemplo"), False),
        (None, program(language="es"), True),
        (program(language="es"), program(language="es", name="Marisol"), False),
        (program(), program(is_deceased=True), True),
    ],
)
def test_of_what_a_program_told_only_what_plans_look_at_is_news(before, after, is_news):
    assert after.differs_from(before) is is_news
