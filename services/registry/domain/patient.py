"""One person's record: what is known of them, where they are known, and whether it lives on in another one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self, TypeVar
from uuid import UUID, uuid5

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.registry.domain.demographics import LISTS, Facts, told_by
from services.registry.domain.report import Person

V = TypeVar("V")


class PatientState(StrEnum):
    ACTIVE = "ACTIVE"
    MERGED = "MERGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What one program under 42 CFR Part 2 told of a person: kept apart from the record, and shown to nobody else."""

    patient_id: UUID
    facility_id: UUID
    facts: Facts
    version: int = 1

    @property
    def id(self) -> UUID:
        return uuid5(self.patient_id, str(self.facility_id))

    def union(self, facts: Facts) -> Self:
        """The next version, with what was told besides."""
        return replace(self, facts=self.facts.union(facts), version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """`facility_ids`: where the person is registered or was treated; a caller is shown only those they may know of.

    `programs` are those that whoever has loaded the record may know of: all of them for matching, none for most people.
    """

    id: UUID
    facts: Facts
    facility_ids: tuple[UUID, ...]
    programs: Mapping[UUID, Program] = field(default_factory=dict)
    state: PatientState = PatientState.ACTIVE
    merged_into_id: UUID | None = None
    created_at: datetime
    version: int = 1
    _person: Person | None = field(default=None, init=False, compare=False, repr=False)
    _shared: Person | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def person(self) -> Person:
        """The person as known now, also by programs; worked out once, since much is asked of it."""
        if not self.programs:
            return self.shared
        if self._person is None:
            object.__setattr__(self, "_person", self._everything.person())
        return self._person or Person()

    @property
    def shared(self) -> Person:
        """The person as those know them who may know of no program."""
        if self._shared is None:
            object.__setattr__(self, "_shared", self.facts.person())
        return self._shared or Person()

    @property
    def _everything(self) -> Facts:
        """With what programs told. Others cannot see that, so that they delete all is not said of it."""
        facts = replace(self.facts, cleared={})
        for program in self.programs.values():
            facts = facts.union(program.facts)
        return facts

    @property
    def revision(self) -> int:
        """The version as whoever loaded it sees it: nobody learns from it that a program told something."""
        return self.version + sum(program.version for program in self.programs.values())

    @property
    def known_at(self) -> frozenset[UUID]:
        return frozenset((*self.facility_ids, *self.programs))

    def learn(
        self, said: Person, stamp: str, facility_id: UUID, *, is_program: bool = False
    ) -> Self:
        """The record after a message of a facility told of the person. What a program told stays with the program."""
        if is_program:
            return self._learn_apart(facility_id, told_by(said, stamp, facility_id))
        after = replace(
            self,
            facts=self.facts.union(told_by(said, stamp, facility_id)),
            facility_ids=_together(self.facility_ids, (facility_id,)),
        )
        if after.shared == self.shared:  # mostly only the stamps are new
            object.__setattr__(after, "_shared", self.shared)
        return after

    def _learn_apart(self, facility_id: UUID, facts: Facts) -> Self:
        known = self.programs.get(facility_id)
        if known is None:
            known = Program(patient_id=self.id, facility_id=facility_id, facts=Facts(), version=0)
        return replace(self, programs={**self.programs, facility_id: known.union(facts)})

    def register(
        self, person: Person, stamp: str, facility_id: UUID, *, is_program: bool = False
    ) -> Self:
        """A new record, of which nothing is known yet, as somebody typed it in. That somebody lives is nothing to tell."""
        _check(person)
        told = told_by(replace(person, is_deceased=person.is_deceased or None), stamp)
        if is_program:
            return self._learn_apart(facility_id, told)
        return replace(self, facts=told, facility_ids=(facility_id,))

    def edit(self, wanted: Person, stamp: str, facilities: Collection[UUID] = ()) -> Self:
        """The record as somebody of these facilities wants it: each field that differs is replaced, also by nothing.

        Numbers only join. The edit counts as the newest, even where a message told of a time that is still to come. What
        people of a program write stays with the program, and what others see of a program does not come into the record
        by their sending it back.
        """
        now = self.person
        _check(wanted, known=now)
        if set(now.identifiers) - set(wanted.identifiers):
            raise FailedPrecondition(
                "IDENTIFIER_NOT_REMOVABLE", "A number can be added to a record, not taken from it."
            )
        changed = {name for name in _EDITED if getattr(wanted, name) != getattr(now, name)}
        edit = Person(
            identifiers=wanted.identifiers,
            cleared=tuple(sorted(_REPORTED_AS.get(name, name) for name in changed)),
            **{name: getattr(wanted, name) for name in changed},
        )
        newest = max(self.facts.newest_stamp(), self._everything.newest_stamp())
        stamp = stamp if stamp > newest else f"{newest}+"
        if program := next((each for each in self.programs if each in facilities), None):
            return self._learn_apart(program, told_by(edit, stamp))
        facts = self.facts.union(told_by(self._without_what_programs_told(edit), stamp))
        return replace(self, facts=facts, version=self.version + 1)

    def _without_what_programs_told(self, edit: Person) -> Person:
        seen, shared = self.person, self.shared
        return replace(
            edit,
            identifiers=_without(edit.identifiers, seen.identifiers, shared.identifiers),
            names=_without(edit.names, seen.names, shared.names),
            addresses=_without(edit.addresses, seen.addresses, shared.addresses),
            telecoms=_without(edit.telecoms, seen.telecoms, shared.telecoms),
        )

    def absorb(self, retired: "Patient") -> Self:
        """The survivor's record after a merge: what both knew, wherever both were known."""
        survivor = replace(
            self,
            facts=self.facts.union(retired.facts),
            facility_ids=_together(self.facility_ids, retired.facility_ids),
        )
        for facility_id, program in retired.programs.items():
            survivor = survivor._learn_apart(facility_id, program.facts)
        return survivor

    def retire(self, survivor_id: UUID) -> Self:
        return replace(self, state=PatientState.MERGED, merged_into_id=survivor_id)

    def looks_like(self, other: "Patient") -> bool:
        """Whether anybody could tell the two shared records apart: stamps do not show."""
        return self.shared is other.shared or self.shared == other.shared

    def differs_from(self, before: "Patient") -> bool:
        """Whether there is something of the shared record to tell the others."""
        return not (
            self.state is before.state
            and self.merged_into_id == before.merged_into_id
            and self.facility_ids == before.facility_ids
            and self.looks_like(before)
        )


_EDITED = (*LISTS, "birth_on", "sex", "language", "is_deceased", "died_at")
_REPORTED_AS = {
    "birth_on": "birth_date",
    "is_deceased": "death_indicator",
    "died_at": "death_time",
}


def _check(person: Person, known: Person | None = None) -> None:
    """Refuse a record without a name, or a new number that says too little to be one."""
    if not any(name.family or name.given for name in person.names):
        raise InvalidArgument("NAME_REQUIRED", "A patient needs a name.", field="patient.names")
    for identifier in set(person.identifiers) - set(known.identifiers if known else ()):
        if not identifier.assigner or not identifier.value:
            raise InvalidArgument(
                "IDENTIFIER_INCOMPLETE",
                "A number needs its assigner and its value.",
                field="patient.identifiers",
            )
    if known is None or person.birth_on != known.birth_on:
        _check_birth(person.birth_on)


def _check_birth(birth_on: str) -> None:
    """Refuse a day that is none. Day and month may be unknown."""
    parts = [*birth_on.split("-"), "1", "1"][:3]
    try:
        if birth_on:
            date(*map(int, parts))
    except ValueError as error:
        raise InvalidArgument(
            "BIRTH_DATE_INVALID", "There is no such day.", field="patient.birth_date"
        ) from error


def _without(values: tuple[V, ...], seen: tuple[V, ...], shared: tuple[V, ...]) -> tuple[V, ...]:
    """The values but for those that were seen and are not shared."""
    apart = {*seen} - {*shared}
    return tuple(value for value in values if value not in apart)


def _together(some: tuple[UUID, ...], more: tuple[UUID, ...]) -> tuple[UUID, ...]:
    return tuple(sorted({*some, *more}))
