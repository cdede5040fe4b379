"""Who is meant: numbers first, then what is known of somebody, and never too little of it."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.registry.domain.identity import is_placeholder, person_keys
from services.registry.domain.report import (
    Address,
    Identifier,
    Merge,
    MergeReport,
    Person,
    PersonName,
    PersonReport,
    Sex,
    Telecom,
)
from tests.unit.registry.streams import HARBOR, MERCY, jane, number, record, source, visit


def people(*persons: Person) -> int:
    """How many people the registry takes these to be."""
    reports = [
        PersonReport(source=source("A31", hours, f"{hours}"), person=person)
        for hours, person in enumerate(persons)
    ]
    registry = record(reports)
    return sum(p.merged_into_id is None for p in registry.patients.values())


def there(value: str = "77") -> tuple[object, ...]:
    return (number(value, "HARBOR"),)


def test_the_same_number_of_the_same_assigner_is_the_same_person() -> None:
    assert people(jane(number("1")), Person(identifiers=(number("1", type=""),))) == 1
    assert people(jane(number("1")), jane(number("1", "HARBOR"), telecoms=())) == 2


def test_numbers_that_get_lent_need_the_birth_date() -> None:
    medicaid = number("M-1", "AZ", "MA")
    mother = jane(number("1"), medicaid)
    child = jane(
        number("2"), medicaid, names=(PersonName(family="Okafor", given=("Ada",)),),
        birth_on="2026-11-01",
    )  # fmt: skip
    assert people(mother, child) == 2
    assert people(mother, jane(number("3", "HARBOR"), medicaid, telecoms=())) == 1


def test_a_message_with_the_numbers_of_two_records_joins_them() -> None:
    both = jane(number("1"), number("2"))
    apart = (jane(number("1"), telecoms=()), jane(number("2"), telecoms=()))
    assert people(*apart) == 2
    assert people(*apart, both) == people(both, *apart) == 1


@pytest.mark.parametrize(
    ("same", "count"),
    [
        ({}, 1),
        ({"telecoms": ()}, 2),
        ({"telecoms": (Telecom(value="jane@example.org", is_email=True),)}, 2),
        (
            {"telecoms": (), "addresses": (Address(lines=("12 Oak St.",), postal_code="85004-1"),)},
            1,
        ),
        ({"birth_on": "1980-05-30"}, 2),
        ({"birth_on": "1980-04"}, 2),
        ({"sex": Sex.UNKNOWN}, 2),
        ({"names": (PersonName(family="OKAFOR", given=("jane", "m")),)}, 1),
        ({"names": (PersonName(family="Okafor", given=("Janet",)),)}, 2),
        ({"telecoms": (), "addresses": (Address(lines=("NONE",), postal_code="85004"),)}, 2),
        ({"names": (PersonName(family="Okafor", given=("Jane",), suffix="JR"),)}, 2),
    ],
)
def test_descriptions_match_only_with_one_thing_more(same: dict[str, object], count: int) -> None:
    known = jane(
        number("1"), addresses=(Address(lines=("12 OAK ST",), postal_code="85004"),),
        names=(PersonName(family="Okafor", given=("Jane",), suffix="Sr."),),
    )  # fmt: skip
    assert people(known, jane(*there(), **same)) == count


def named(*given: str, family: str = "Okafor") -> dict[str, object]:
    return {"names": (PersonName(family=family, given=given),)}


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        (("Maria", "Elena"), ("Maria", "Isabel"), 2),
        (("Maria", "Elena"), ("Maria", "I."), 2),
        (("Maria", "Elena", "Inés"), ("Maria", "INES"), 1),
        (("Maria", "Elena"), ("Maria", "E"), 1),
        (("Maria", "Elena"), ("Maria",), 1),
        (("Maria", "Elena"), ("Maria", "élena"), 1),
        (("Anh", "Đình"), ("Anh", "Dinh"), 1),
        (("Jane",), ("Jane", "M"), 1),
        (("Jane", "???"), ("Jane", "M"), 1),
    ],
)
def test_other_further_given_names_are_somebody_else(
    one: tuple[str, ...], other: tuple[str, ...], count: int
) -> None:
    by_description = jane(number("1"), **named(*one)), jane(*there(), **named(*other))
    assert people(*by_description) == people(*by_description[::-1]) == count
    card = number("M-1", "AZ", "MA")
    by_card = (
        jane(number("1"), card, **named(*one), telecoms=()),
        jane(*there(), card, **named(*other), telecoms=()),
    )
    assert people(*by_card) == people(*by_card[::-1]) == count


def test_a_number_that_gets_lent_joins_nobody_whom_one_facility_knows_by_two_numbers() -> None:
    card = number("M-1", "AZ", "MA")
    for type in ("MR", ""):
        twins = (
            jane(number("1", type=type), card, telecoms=()),
            jane(number("2", type=type), card, telecoms=()),
        )
        assert people(*twins) == people(*twins[::-1]) == people(*twins, *twins) == 2
    elsewhere = jane(*there(), card, telecoms=())
    assert people(twins[0], elsewhere, twins[1]) == 2
    both = jane(*there(), number("2"), telecoms=())
    assert people(twins[0], both, elsewhere) == 2, "what a number leads to is known by another one"


def test_a_merge_leaves_alone_who_only_shares_a_number_that_gets_lent() -> None:
    card = number("M-1", "AZ", "MA")
    reports = [
        PersonReport(source=source("A31", hours, f"{hours}"), person=person)
        for hours, person in enumerate(
            (jane(number("1"), card, telecoms=()), jane(number("2"), card, telecoms=()))
        )
    ]
    survivor = jane(number("2"), card, telecoms=())
    merge = Merge(survivor=survivor, retired=(number("3"),))
    registry = record([*reports, MergeReport(source=source("A40", 3, "3"), merges=(merge,))])
    numbers = [{i.value for i in p.person.identifiers} for p in registry.patients.values()]
    assert sorted(numbers, key=len) == [{"1", "M-1"}, {"2", "3", "M-1"}]


def test_vetoes_hold_against_any_agreement() -> None:
    one, other = number("219-09-1234", "USSSA", "SS"), number("219-09-4321", "USSSA", "SS")
    assert people(jane(number("1"), one), jane(*there(), other)) == 2
    assert people(jane(number("1")), jane(number("2"))) == 2, "two numbers of one facility"
    assert people(jane(number("1")), jane(number("2", type=""))) == 2, "of no said type"
    assert people(replace(jane(number("1")), is_deceased=True), jane(*there())) == 2


@pytest.mark.parametrize(
    "nobody",
    [
        {"birth_on": "1900-01-01"},
        {"telecoms": (Telecom(value="(555) 555-5555"),)},
        *(
            {"telecoms": (Telecom(value=value, is_email=True),)}
            for value in (
                "none@none.com",
                "NoEmail@gmail.com",
                "no-email@mercy.org",
                "jane@noemail.org",
                "N/A@NA.com",
                "declined@mercy.org",
                "unknown@mercy.org",
                "test@test.com",
                "@",
            )
        ),
        *(
            {"telecoms": (), "addresses": (Address(lines=(line,), postal_code="85004"),)}
            for line in (
                "HOMELESS",
                "Homeless shelter",
                "Unknown",
                "No Address",
                "NONE",
                "N/A",
                "General Delivery",
                "General Delivery 12",
                "No fixed address",
            )
        ),
        {"names": (PersonName(family="UNKNOWN", given=("Jane",)),)},
        {"names": (PersonName(family="Okafor", given=("Baby Boy",)),)},
        {"names": (PersonName(family="TEST", given=("TEST",)),)},
    ],
)
def test_what_was_typed_because_the_form_wanted_it_matches_nobody(
    nobody: dict[str, object],
) -> None:
    assert people(jane(number("1"), **nobody), jane(*there(), **nobody)) == 2


@pytest.mark.parametrize(
    ("value", "type", "expected"),
    [
        ("123-45-6789", "SS", True), ("999-99-9999", "SS", True), ("000-12-3456", "SS", True),
        ("666-12-3456", "SS", True), ("219-09-1234", "SS", False), ("UNKNOWN", "MR", True),
        ("0000", "MR", True), ("9999999", "MR", True), ("1", "MR", False), ("9", "MR", False),
    ],
)  # fmt: skip
def test_placeholders_are_no_numbers(value: str, type: str, expected: bool) -> None:
    assert is_placeholder(number(value, "X", type)) is expected


def test_accounts_stand_in_only_where_there_is_no_other_number() -> None:
    account = number("A-1", type="AN")
    assert len(person_keys(Person(identifiers=(account, number("1"))))) == 1
    assert person_keys(Person(identifiers=(account,)))
    assert not person_keys(Person(identifiers=(number("1", ""),)))


def test_a_visit_number_stands_in_for_a_person_without_any() -> None:
    nameless = Person(names=(PersonName(family="Okafor"),))
    reports = [visit("A01", 0, person=jane(number("1"))), visit("A03", 5, person=nameless)]
    for order in (reports, reports[::-1]):
        registry = record(order)
        [encounter] = registry.encounters.values()
        assert encounter.state == "FINISHED"
        active = [p for p in registry.patients.values() if not p.merged_into_id]
        assert [p.id for p in active] == [encounter.patient_id]


def test_a_merge_parks_cycles_and_what_names_nobody() -> None:
    def merge(hours: float, survivor: str, *retired: str) -> MergeReport:
        pair = Merge(
            survivor=Person(identifiers=(number(survivor),)) if survivor else Person(),
            retired=tuple(number(r) for r in retired),
        )
        return MergeReport(source=source("A40", hours, f"{hours}"), merges=(pair,))

    registry = record()
    outcomes = [
        (handled.outcome, handled.reason)
        for report in (
            merge(0, "2", "1"), merge(1, "3", "2"), merge(2, "1", "3"), merge(3, "3", "1"),
            merge(4, "3", "3"), merge(5, "", "1"), merge(6, "3"),
        )
        if (handled := registry.apply(report))
    ]  # fmt: skip
    assert outcomes == [
        ("APPLIED", ""), ("APPLIED", ""), ("PARKED", "MERGE_CYCLE"), ("NO_OP", "ALREADY_MERGED"),
        ("NO_OP", "ALREADY_MERGED"), ("PARKED", "MERGE_NOT_IDENTIFIED"),
        ("PARKED", "MERGE_NOT_IDENTIFIED"),
    ]  # fmt: skip
    assert [j.reason for j in registry.changes().joined] == ["MERGE_REPORTED"]
    handled = registry.apply(visit("A01", 9, person=jane(number("1")), facility=HARBOR))
    assert handled
    assert registry.patients[handled.patient_id].merged_into_id is None
    numbers = registry.patients[handled.patient_id].person.identifiers
    assert {n.value for n in numbers} == {"1", "2", "3"}


def family(given: str, *numbers: Identifier, **said: object) -> Person:
    """One of the Okafors, by these numbers."""
    named = (PersonName(family="Okafor", given=(given,)),)
    return jane(*numbers, **{"names": named, "telecoms": ()} | said)


@pytest.mark.parametrize("type", ["MA", "MI", "SS"])
@pytest.mark.parametrize(
    ("one", "other"),
    [("Ana", "Luis"), ("Baby Girl A", "Baby Girl B"), ("BABYGIRL", "BABYGIRL"), ("", "")],
)
def test_twins_under_the_mothers_number_are_two_people(type: str, one: str, other: str) -> None:
    mothers = number("219-09-1234", "AZ", type)
    twins = (
        family(one, number("2"), mothers, birth_on="2026-11-01"),
        family(other, number("3"), mothers, birth_on="2026-11-01", sex=Sex.MALE),
    )
    assert people(*twins) == people(*twins[::-1]) == 2
    assert people(*twins, family("Ana", number("2"), mothers, birth_on="2026-11-01")) == 2


JOHN = {
    "names": (PersonName(family="Reyes", given=("John",)),),
    "birth_on": "1951-12-02",
    "sex": Sex.MALE,
    "telecoms": (),
}


def outcomes(*said: tuple[UUID, Person]) -> tuple[list[str], list[set[str]]]:
    """What became of each of these messages, and the given names that each record holds."""
    registry = record()
    reasons = []
    for hours, (facility, person) in enumerate(said):
        told = source("A31", hours, f"{hours}", facility)
        handled = registry.apply(PersonReport(source=told, person=person))
        assert handled
        reasons.append(handled.reason)
    active = [p.person for p in registry.patients.values() if not p.merged_into_id]
    return reasons, sorted(({n.given[0] for n in p.names} for p in active), key=min)


def test_numbers_do_not_join_people_who_contradict_each_other() -> None:
    one, other = (MERCY, jane(number("1"))), (MERCY, jane(number("2"), **JOHN))
    both = (MERCY, jane(number("1"), number("2")))
    parked = "PERSON_CONTRADICTS"
    assert outcomes(one, other, both) == (["", "", parked], [{"Jane"}, {"John"}])
    assert outcomes(other, one, both) == (["", "", parked], [{"Jane"}, {"John"}])
    assert outcomes(other, both, one) == (["", parked, ""], [{"Jane"}, {"John"}])
    assert outcomes(both, other, one) == (["", parked, ""], [{"Jane"}])


def test_a_facility_takes_no_record_over_by_the_number_of_another_one() -> None:
    known = (MERCY, jane(number("1")))
    for foreign in (
        jane(number("1"), **JOHN),
        jane(number("1"), number("88", "HARBOR"), **JOHN),
        jane(number("88", "HARBOR"), number("1"), **JOHN, is_deceased=True),
    ):
        reasons, records = outcomes(known, (HARBOR, foreign))
        assert (reasons, records) == (["", "PERSON_CONTRADICTS"], [{"Jane"}])
    agreeing = (HARBOR, jane(number("77", "HARBOR"), number("1")))
    mistaken = (HARBOR, jane(number("88", "HARBOR"), number("1"), **JOHN))
    assert outcomes(known, agreeing, mistaken)[0] == ["", "", "PERSON_CONTRADICTS"]
    alone = (HARBOR, jane(number("1"), **JOHN))
    assert outcomes(known, agreeing, alone)[0] == ["", "", "PERSON_CONTRADICTS"]


def test_a_facility_may_correct_whom_it_registered_under_its_own_number() -> None:
    known, corrected = (MERCY, jane(number("1"))), (MERCY, jane(number("1"), **JOHN))
    assert outcomes(known, corrected)[0] == ["", ""]


@pytest.mark.parametrize(
    "said",
    [
        {"names": (PersonName(family="Reyes", given=("Jane",)),)},
        {"names": (PersonName(family="Okafor Reyes", given=("J",)),), "sex": Sex.MALE},
        {"names": (PersonName(family="Okafor", given=("Ada",)),)},
        {"names": (PersonName(family="Doe", given=("John",)),), "birth_on": "1900-01-01"},
        {"names": (PersonName(family="Reyes", given=("Baby Girl",)),)},
        {"birth_on": "1951-12-02"},
        {"birth_on": "1980-05-30", "names": (PersonName(family="Reyes", given=("Jane",)),)},
        {"names": (), "birth_on": "", "sex": None},
    ],
)
def test_one_difference_contradicts_nobody(said: dict[str, object]) -> None:
    reasons, records = outcomes((MERCY, jane(number("1"))), (HARBOR, jane(number("1"), **said)))
    assert (reasons, len(records)) == (["", ""], 1)


@pytest.mark.parametrize(
    "said",
    [
        {"names": (PersonName(family="Okafor", given=("Ada",)),), "sex": Sex.MALE},
        {"birth_on": "1951-12-02", "sex": Sex.MALE},
        {
            "names": (PersonName(family="Okafor", given=("Jane",), suffix="JR"),),
            "birth_on": "2004-01-02",
        },
        {"names": (PersonName(family="Reyes", given=("Ada",)),), "birth_on": ""},
    ],
)
def test_two_differences_are_two_people(said: dict[str, object]) -> None:
    senior = jane(
        number("1"), names=(PersonName(family="Okafor", given=("Jane",), suffix="Sr."),)
    )  # fmt: skip
    assert outcomes((MERCY, senior), (HARBOR, jane(number("1"), **said)))[0][1]


def test_a_merge_by_a_facility_that_knows_both_is_its_word_and_no_other_facilitys() -> None:
    reports = [
        PersonReport(source=source("A31", 0, "0"), person=jane(number("1"))),
        PersonReport(source=source("A31", 1, "1"), person=jane(number("2"), **JOHN)),
    ]
    merges = (Merge(survivor=Person(identifiers=(number("1"),)), retired=(number("2"),)),)
    foreign = MergeReport(source=source("A40", 2, "2", HARBOR), merges=merges)
    registry = record(reports)
    handled = registry.apply(foreign)
    assert handled
    assert handled.reason == "PERSON_CONTRADICTS"
    assert not registry.changes().joined
    handled = registry.apply(MergeReport(source=source("A40", 3, "3"), merges=merges))
    assert handled
    assert handled.outcome == "APPLIED"
    late = PersonReport(source=source("A31", 1.5, "4"), person=jane(number("2"), **JOHN))
    handled = registry.apply(late)
    assert handled
    assert handled.reason == ""
