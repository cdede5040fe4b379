"""What programs told of a person, apart from the record."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.registry.domain.demographics import Facts
from services.registry.domain.labels import Provenance
from services.registry.domain.patient import Patient
from services.registry.domain.report import Telecom
from tests.unit.registry.streams import HARBOR, MERCY, jane, number, record, visit

PROGRAM = Provenance(is_part2_program=True)
CLINIC, HOME = Telecom(value="+16025550103"), Telecom(value="+16025550101")
WORK = Telecom(value="+16025550199")
LENT = number("219-09-1234", "USSSA", "SS")
NOBODY = Patient(
    id=UUID(int=1), facts=Facts(), facility_ids=(), created_at=datetime(2026, 11, 1, tzinfo=UTC)
)


def known_to_both():
    told = NOBODY.learn(jane(number("1"), telecoms=(HOME,)), "1", MERCY)
    theirs = jane(number("7", "HARBOR"), telecoms=(CLINIC,), language="es")
    return told.learn(theirs, "2", HARBOR, is_program=True)


def test_a_program_and_a_hospital_that_know_one_person_make_one_record_in_two_parts():
    [patient] = record(
        [
            visit(
                "A01",
                0,
                person=jane(number("7", "HARBOR"), LENT),
                facility=HARBOR,
                provenance=PROGRAM,
            ),
            visit("A01", 1, person=jane(number("1"), LENT), number_of_visit="V2"),
        ]
    ).patients.values()
    assert patient.facility_ids == (MERCY,)
    assert set(patient.programs) == {HARBOR}
    assert {i.value for i in patient.shared.identifiers} == {"1", LENT.value}
    assert {i.value for i in patient.person.identifiers} == {"1", "7", LENT.value}


def test_what_a_program_tells_changes_nothing_of_what_others_see():
    shared = NOBODY.learn(jane(number("1"), telecoms=(HOME,)), "1", MERCY)
    both = known_to_both()
    assert not both.differs_from(shared)
    assert both.shared == shared.person
    assert both.revision > shared.revision
    assert replace(both, programs={}).revision == shared.revision


def test_who_sees_a_program_by_consent_and_sends_back_what_they_saw_tells_nobody_else():
    both = known_to_both()
    wanted = replace(both.person, telecoms=(*both.person.telecoms, WORK))
    edited = both.edit(wanted, "3", [MERCY])
    assert {*edited.shared.telecoms} == {HOME, WORK}
    assert {i.value for i in edited.shared.identifiers} == {"1"}
    assert edited.shared.language == ""
    assert {*edited.person.telecoms} == {HOME, WORK, CLINIC}


def test_what_people_of_a_program_write_stays_with_it():
    both = known_to_both()
    edited = both.edit(replace(both.person, telecoms=(WORK,), language="fr"), "3", [HARBOR, MERCY])
    assert (edited.person.telecoms, edited.person.language) == ((WORK,), "fr")
    assert (edited.shared, edited.facts) == (both.shared, both.facts)


def test_records_that_are_joined_keep_each_programs_part():
    one, other = known_to_both(), known_to_both()
    other = replace(other, id=UUID(int=2)).learn(
        jane(number("9")), "5", UUID(int=33), is_program=True
    )
    joined = one.absorb(other)
    assert set(joined.programs) == {HARBOR, UUID(int=33)}
    assert {p.patient_id for p in joined.programs.values()} == {one.id}
    assert joined.facility_ids == (MERCY,)
