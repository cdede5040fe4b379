"""Whether somebody whose numbers are all new is somebody we know, by what is known of them.

A wrong match is worse than a missed one: two people in one record harm both. Numbers come first, and are `identity`'s.
"""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from services.registry.domain import identity
from services.registry.domain.normal import plain_suffix
from services.registry.domain.patient import Patient
from services.registry.domain.report import Person


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
    """Junior and senior, two social security numbers, a dead person walking in, two numbers of one facility."""
    suffixes, known_suffixes = _suffixes(said), _suffixes(known)
    if suffixes and known_suffixes and not suffixes & known_suffixes:
        return True
    numbers = identity.social_security_numbers(said)
    known_numbers = identity.social_security_numbers(known)
    if numbers and known_numbers and not numbers & known_numbers:
        return True
    if known.is_deceased and not said.is_deceased:
        return True
    own, known_own = identity.own_numbers(said), identity.own_numbers(known)
    return any(
        not own[assigner] & known_own[assigner] for assigner in own.keys() & known_own.keys()
    )


def _suffixes(person: Person) -> frozenset[str]:
    return frozenset(plain_suffix(n.suffix) for n in person.names if n.suffix)
