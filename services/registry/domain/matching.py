"""Whether somebody whose numbers are all new is somebody we know, by what is known of them.

A wrong match is worse than a missed one: two people in one record harm both. Numbers come first, and are `identity`'s;
but they do not make one person of two who contradict each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol
from uuid import UUID

from services.registry.domain import identity
from services.registry.domain.normal import plain_suffix
from services.registry.domain.patient import Patient
from services.registry.domain.report import Person, Sex


class Matcher(Protocol):
    """Finds the one record that a person already has. A probabilistic matcher will take this place."""

    def candidates(self, person: Person) -> frozenset[UUID]:
        """The keys under which a person is filed, and looked for: who shares none is not compared."""
        ...

    def decide(self, said: Person, known: Iterable[Patient]) -> Patient | None:
        """The record of the same person, or None if no record is certain enough."""
        ...


class ExactMatcher:
    """The same name, birth date and sex, and one more thing that agrees; never name and birth date alone."""

    def candidates(self, person: Person) -> frozenset[UUID]:
        return identity.described_keys(person)

    def decide(self, said: Person, known: Iterable[Patient]) -> Patient | None:
        sure = [patient for patient in known if _is_same(said, patient.person)]
        return sure[0] if len(sure) == 1 else None  # two that fit: a person has to look


def contradict(one: Person, other: Person) -> bool:
    """Whether these are two people, whatever a number says: they differ in at least two things.

    In one thing the same person differs now and then: by marriage, by a nickname, by a mistake. What is not told, and
    what was typed because the form wanted it, differs from nothing.
    """
    some, others = one.once(_compared), other.once(_compared)
    differences = (
        _differ(some.family, others.family),
        _are_other_names(some.given, others.given),
        _differ(some.suffixes, others.suffixes),
        sum(a != b for a, b in zip(some.birth, others.birth, strict=False)) > 1,
        {one.sex, other.sex} == {Sex.FEMALE, Sex.MALE},
        _differ(some.social, others.social),
    )
    return sum(differences) > 1


def meant(said: Person, known: Sequence[Patient], lent: Sequence[Patient]) -> list[Patient]:
    """The records that a person's numbers mean, the oldest first: those that are known by them, and of those that only
    numbers that get lent lead to the ones that are nobody else's.
    """
    found = {patient.id: patient for patient in known}
    for patient in lent:
        people = (said, *(each.person for each in found.values()))
        if not any(_is_another(patient.person, each) for each in people):
            found[patient.id] = patient
    return sorted(found.values(), key=lambda patient: (patient.created_at, patient.id))


def are_several(people: Iterable[Person]) -> bool:
    """Whether any two of them contradict each other."""
    return any(contradict(one, other) for one, other in combinations(people, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What people are told apart by."""

    family: frozenset[str]
    given: tuple[str, ...]
    suffixes: frozenset[str]
    birth: tuple[str, ...]
    social: frozenset[str]


def _compared(person: Person) -> _Compared:
    return _Compared(
        family=_words(identity.family_names(person.names)),
        given=tuple(identity.given_names(person.names)),
        suffixes=_suffixes(person),
        birth=tuple(identity.birth_day(person).split("-")),
        social=identity.social_security_numbers(person),
    )


def _differ(some: frozenset[str], others: frozenset[str]) -> bool:
    return bool(some and others and not some & others)


def _are_other_names(some: Iterable[str], others: Iterable[str]) -> bool:
    """An initial, or the beginning of a name, is no other name."""
    pairs = [(a, b) for a in some for b in others]
    return bool(pairs) and not any(a.startswith(b) or b.startswith(a) for a, b in pairs)


def _words(names: Iterable[str]) -> frozenset[str]:
    """A double name shares what it shares with either of its parts."""
    return frozenset(word for name in names for word in name.split())


def _is_same(said: Person, known: Person) -> bool:
    if not identity.described_keys(said) & identity.described_keys(known):
        return False
    return _shares_more(said, known) and not _vetoes(said, known)


def _shares_more(said: Person, known: Person) -> bool:
    return bool(
        identity.phones(said.telecoms) & identity.phones(known.telecoms)
        or identity.emails(said.telecoms) & identity.emails(known.telecoms)
        or identity.streets(said) & identity.streets(known)
        or identity.social_security_numbers(said) & identity.social_security_numbers(known)
    )


def _vetoes(said: Person, known: Person) -> bool:
    """Junior and senior, two social security numbers, a dead person walking in, or whatever tells two people apart."""
    if _differ(_suffixes(said), _suffixes(known)):
        return True
    if _differ(identity.social_security_numbers(said), identity.social_security_numbers(known)):
        return True
    if known.is_deceased and not said.is_deceased:
        return True
    return _is_another(said, known)


def _is_another(one: Person, other: Person) -> bool:
    """Whether they are two who share much, as twins do: two numbers of one facility, or other further given names."""
    own, others = identity.own_numbers(one), identity.own_numbers(other)
    if any(not own[assigner] & others[assigner] for assigner in own.keys() & others.keys()):
        return True
    further = identity.further_given_names(one.names)
    return _are_other_names(further, identity.further_given_names(other.names))


def _suffixes(person: Person) -> frozenset[str]:
    return frozenset(plain_suffix(n.suffix) for n in person.names if n.suffix)
