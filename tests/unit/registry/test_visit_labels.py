"""How sensitive a visit is, as its messages together tell it."""

from itertools import permutations

import pytest
from carehub.access.v1 import access_pb2

from services.registry.domain.labels import VERSION, Label, Provenance
from services.registry.domain.report import Diagnosis
from services.tasking.domain.labels import Label as TaskingLabel
from tests.unit.registry.streams import record, visit

PROGRAM = Provenance(is_part2_program=True)
LABELING = Provenance(sends_labels=True)
OPIOIDS, HEART = (Diagnosis(code=code, system="ICD10CM") for code in ("F11.20", "I50.9"))


def labels(*reports):
    """The labels of the one visit: the same in any order, also where messages come twice."""
    found = set()
    for order in permutations(reports):
        [encounter] = record([*order, *order]).encounters.values()
        assert encounter.label_version == VERSION
        found.add(encounter.labels)
    [one] = found
    return set(one)


@pytest.mark.parametrize("enum", [Label, TaskingLabel])
def test_each_service_knows_the_words_of_the_contract_and_no_others(enum):
    contract = {name.removeprefix("LABEL_") for name in access_pb2.Label.DESCRIPTOR.values_by_name}
    assert {label.value for label in enum} == contract - {"UNSPECIFIED"}


def test_a_visit_without_anything_sensitive_is_an_ordinary_one():
    assert labels(visit("A01", 0), visit("A03", 5, diagnoses=(HEART,))) == {"NORMAL"}


def test_a_diagnosis_of_a_general_hospital_makes_it_no_part_2_record():
    assert labels(visit("A01", 0), visit("A08", 3, diagnoses=(OPIOIDS,))) == {"SUD"}


@pytest.mark.parametrize("trigger", ["A01", "A05", "A08", "A03", "A11", "A13"])
def test_one_message_of_a_program_is_enough_also_one_without_effect(trigger):
    ordinary = visit("A01", 0), visit("A03", 9)
    assert labels(*ordinary, visit(trigger, 5, provenance=PROGRAM)) == {"PART2"}


def test_a_later_message_takes_no_label_away():
    told = visit("A01", 0, diagnoses=(OPIOIDS,)), visit("A08", 1, diagnoses=(HEART,))
    assert labels(*told) == {"SUD"}
    assert labels(visit("A01", 0, diagnoses=(OPIOIDS,)), visit("A11", 1)) == {"SUD"}


def test_what_is_said_again_under_another_id_still_counts():
    again = visit("A01", 0), visit("A01", 0, sent=("HIV",))
    assert labels(*again) == {"HIV"}


def test_a_visit_that_a_labeling_feed_never_labels_is_withheld():
    assert labels(visit("A01", 0, provenance=LABELING)) == {"WITHHELD"}
    labeled = visit("A01", 0, provenance=LABELING, sent=("N",))
    assert labels(labeled, visit("A02", 1, provenance=LABELING)) == {"NORMAL"}
    assert labels(labeled, visit("A08", 1, provenance=LABELING, diagnoses=(HEART,))) == {"WITHHELD"}


@pytest.mark.parametrize("code", ["R", "SMD", "XYZ"])
def test_a_restriction_that_nobody_can_read_withholds_the_visit(code):
    assert labels(visit("A01", 0), visit("A03", 5, sent=(code,))) == {"WITHHELD"}


@pytest.mark.parametrize("system", ["", "I10", "icd-10-cm", "2.16.840.1.113883.6.90", "I10C"])
def test_a_code_is_read_however_its_system_is_written(system):
    assert labels(visit("A01", 0, diagnoses=(Diagnosis(code="B20", system=system),))) == {"HIV"}


def test_visits_of_one_patient_do_not_color_each_other():
    found = record(
        [
            visit("A01", 0, number_of_visit="V1", diagnoses=(OPIOIDS,)),
            visit("A01", 5, number_of_visit="V2"),
        ]
    )
    assert sorted(e.labels for e in found.encounters.values()) == [("NORMAL",), ("SUD",)]
