"""What a patient, and who acts for them, may know of who has looked at the record: as far as it tells of visits they may see.

Who is kept from a visit is kept from hearing that somebody looked because of it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.identity.domain.access.boxes import Access, Question, may
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Facts
from services.identity.domain.access.terms import (
    ALL_LABELS,
    KEPT_APART,
    DataClass,
    Label,
    Purpose,
    Reason,
)

# A look may be about a row of any of these. What a minor decides alone is hidden from parents by age.
_ANY = ALL_LABELS - KEPT_APART - {Label.PART2, Label.MINOR_CONFIDENTIAL}
_OF_A_PROGRAM = _ANY | {Label.PART2}


class Relation(StrEnum):
    SELF = "SELF"
    PROXY = "PROXY"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnView:
    """A record, as the patient or one who acts for them sees it. `programs` are places that are no part of it."""

    patient_id: UUID
    person_id: UUID
    relation: Relation
    programs: frozenset[UUID]
    access: Access
    at: datetime

    @property
    def shows_looks(self) -> bool:
        """Whether who has looked is shown at all: by people of a place that is no program."""
        return self.shows(self.patient_id)

    def shows(self, place: UUID) -> bool:
        """Whether they may know that people of this place have looked."""
        labels = _OF_A_PROGRAM if place in self.programs else _ANY
        return all(may(self.access, self._question(place, label)) for label in labels)

    def _question(self, place: UUID, label: Label) -> Question:
        return Question(
            person_id=self.person_id,
            purpose=PURPOSE_OF[self.relation],
            source_id=place,
            labels=frozenset({label}),
            data_class=DataClass.VISITS,
            at=self.at,
        )


PURPOSE_OF = {Relation.SELF: Purpose.PATIENT_REQUEST, Relation.PROXY: Purpose.FAMILY_REQUEST}
_RELATION_BY = {Reason.SELF: Relation.SELF, Reason.PROXY: Relation.PROXY}


def own_view(facts: Facts, person_id: UUID, at: datetime) -> OwnView | None:
    """How the record is theirs, their own before that they act for it; None if it is not."""
    access = decide(facts, at)
    relations = {
        _RELATION_BY[grant.reason]
        for grant in access.grants
        if grant.grantee_id == person_id and grant.reason in _RELATION_BY
    }
    if not relations:
        return None
    return OwnView(
        patient_id=facts.patient.id,
        person_id=person_id,
        relation=Relation.SELF if Relation.SELF in relations else Relation.PROXY,
        programs=facts.programs,
        access=access,
        at=at,
    )
