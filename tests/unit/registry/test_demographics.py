"""What is known of a person is the newest that was told of each thing."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from libs.chassis.errors import FailedPrecondition
from services.registry.domain.demographics import Facts, told_by
from services.registry.domain.patient import Patient
from services.registry.domain.report import Address, Person, PersonName, Sex, Telecom
from tests.unit.registry.streams import jane, number


def known(*said: tuple[str, Person]) -> Person:
    facts = Facts()
    for stamp, person in said:
        facts = facts.union(told_by(person, stamp))
    return facts.person()


def test_the_newest_counts_and_a_late_older_message_only_fills() -> None:
    new = Person(sex=Sex.FEMALE, language="es")
    old = Person(sex=Sex.MALE, birth_on="1980-04-30")
    person = known(("2", new), ("1", old))
    assert (person.sex, person.language, person.birth_on) == (Sex.FEMALE, "es", "1980-04-30")


def test_deleting_deletes_what_was_told_before_and_nothing_later() -> None:
    told = Person(telecoms=(Telecom(value="+1"),), language="es")
    deleted = Person(cleared=("telecoms", "language"))
    assert known(("1", told), ("2", deleted)).telecoms == ()
    assert known(("2", deleted), ("1", told)).language == ""
    assert known(("3", told), ("2", deleted)).telecoms == told.telecoms


def test_former_names_stay_behind_the_newest_legal_one() -> None:
    maiden = Person(names=(PersonName(family="Reyes", given=("Ana",), use="L"),))
    married = Person(
        names=(
            PersonName(family="Ruiz", given=("Ana",), use="L"),
            PersonName(given=("Anita",), use="D"),
        )
    )
    for order in ((("1", maiden), ("2", married)), (("2", married), ("1", maiden))):
        names = known(*order).names
        assert [(n.family, n.use) for n in names] == [("Ruiz", "L"), ("Reyes", "L"), ("", "D")]


def test_death_can_be_taken_back() -> None:
    died = Person(died_at=datetime(2026, 11, 2, tzinfo=UTC))
    assert known(("1", died)).is_deceased
    alive = known(("1", died), ("2", Person(is_deceased=False)))
    assert (alive.is_deceased, alive.died_at) == (False, None)


def patient(person: Person) -> Patient:
    new = Patient(
        id=UUID(int=1), facts=Facts(), facility_ids=(), created_at=datetime(2026, 11, 1, tzinfo=UTC)
    )
    return new.learn(person, "2026", UUID(int=2))


def test_an_edit_replaces_what_differs_even_what_was_told_of_the_future() -> None:
    before = patient(jane(number("1"), addresses=(Address(city="Phoenix"),)))
    wanted = jane(number("1"), number("2"), language="es", telecoms=(), is_deceased=False)
    after = before.edit(wanted, "1999")
    assert after.person == wanted
    assert after.version == before.version + 1
    assert after.edit(wanted, "2027").differs_from(after) is False


def test_an_edit_takes_no_number_away() -> None:
    with pytest.raises(FailedPrecondition):
        patient(jane(number("1"))).edit(jane(number("2")), "2027")
