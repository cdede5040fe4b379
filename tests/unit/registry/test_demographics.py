"""What is known of a person is the newest that was told of each thing."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from libs.chassis.errors import FailedPrecondition
from services.registry.domain.demographics import Facts, Told, told_by
from services.registry.domain.patient import Patient
from services.registry.domain.report import Address, Person, PersonName, Sex, Telecom
from tests.unit.registry.streams import HARBOR, MERCY, jane, number


def known(*said: tuple[str, Person], of: UUID | None = None) -> Person:
    facts = Facts()
    for stamp, person in said:
        facts = facts.union(told_by(person, stamp, of))
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


DIED_AT = datetime(2026, 11, 2, tzinfo=UTC)
DIED, DEAD, ALIVE = Person(died_at=DIED_AT), Person(is_deceased=True), Person(is_deceased=False)
DELETED = Person(cleared=("death_indicator",))


@pytest.mark.parametrize("of", [MERCY, None])
def test_death_can_be_taken_back(of: UUID | None) -> None:
    assert known(("1", DIED), of=of).is_deceased
    alive = known(("1", DIED), ("2", ALIVE), of=of)
    assert (alive.is_deceased, alive.died_at) == (False, None)


@pytest.mark.parametrize(
    ("said", "is_deceased"),
    [
        ([(MERCY, DEAD), (HARBOR, ALIVE)], True),
        ([(MERCY, DEAD), (HARBOR, DELETED)], True),
        ([(MERCY, DIED), (HARBOR, ALIVE)], True),
        ([(MERCY, DEAD), (MERCY, ALIVE)], False),
        ([(MERCY, DEAD), (MERCY, DELETED)], False),
        ([(MERCY, DEAD), (HARBOR, DEAD), (MERCY, ALIVE)], True),
        ([(MERCY, ALIVE), (MERCY, DIED)], True),
        ([(HARBOR, ALIVE), (MERCY, DIED)], True),
        ([(MERCY, DIED), (MERCY, ALIVE)], False),
        ([(MERCY, replace(DIED, is_deceased=False))], False),
        ([(MERCY, replace(DIED, cleared=("death_indicator",)))], True),
    ],
)
def test_a_facility_takes_back_only_the_death_that_it_told_of(
    said: list[tuple[UUID, Person]], is_deceased: bool
) -> None:
    told = [told_by(person, f"{hour}", of) for hour, (of, person) in enumerate(said)]
    for order in (told, told[::-1], [*told, *told]):
        facts = Facts()
        for each in order:
            facts = facts.union(each)
        assert facts.person().is_deceased is is_deceased


def test_what_staff_say_of_a_death_counts_until_somebody_tells_something_newer() -> None:
    dead = patient(replace(jane(number("1")), is_deceased=True, died_at=DIED_AT))
    dead = dead.learn(DEAD, "2026-11-03", HARBOR)
    alive = dead.edit(replace(dead.person, is_deceased=False, died_at=None), "2026-11-04")
    assert (alive.person.is_deceased, alive.person.died_at) == (False, None)
    assert not alive.learn(DEAD, "2026-11-03T12", HARBOR).person.is_deceased
    assert alive.learn(DEAD, "2026-11-05", HARBOR).person.is_deceased
    again = alive.edit(replace(alive.person, is_deceased=True), "2026-11-05")
    assert again.learn(ALIVE, "2026-11-06", HARBOR).person.is_deceased
    undated = dead.edit(replace(dead.person, died_at=None), "2026-11-04")
    assert (undated.person.is_deceased, undated.person.died_at) == (True, None)


def test_a_death_that_was_told_before_its_teller_was_kept_is_taken_back_by_staff_alone() -> None:
    stored = Facts(single={"death_indicator": Told("Y", "1"), "death_time": Told("", "1")})
    dead = replace(patient(jane(number("1"))), facts=stored)
    assert dead.person.is_deceased
    assert dead.learn(ALIVE, "2", HARBOR).person.is_deceased
    named = dead.learn(jane(number("1")), "2", HARBOR)
    assert not named.edit(replace(named.person, is_deceased=False), "3").person.is_deceased
    by_time = Facts(single={"death_time": Told(DIED_AT.isoformat(), "1")})
    assert by_time.person().died_at == DIED_AT


def test_who_is_registered_is_not_said_to_live() -> None:
    new = replace(patient(Person()), facts=Facts())
    registered = new.register(jane(number("1"), is_deceased=False), "2026-11-03", MERCY)
    assert registered.learn(DEAD, "2026-11-02", HARBOR).person.is_deceased


def patient(person: Person) -> Patient:
    new = Patient(
        id=UUID(int=1), facts=Facts(), facility_ids=(), created_at=datetime(2026, 11, 1, tzinfo=UTC)
    )
    return new.learn(person, "2026", MERCY)


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
