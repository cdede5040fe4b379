"""Grants and denials as boxes, and whether a row lies in one: what every policy in every database says again in SQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity.domain.access.terms import (
    OWN_PURPOSES,
    Axis,
    DataClass,
    Label,
    Obstacle,
    Purpose,
    Reason,
    Standing,
    Weight,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A caller, and the row that they would like to see. `facility_ids`: where they hold the permission."""

    person_id: UUID
    team_ids: frozenset[UUID] = frozenset()
    facility_ids: frozenset[UUID] = frozenset()
    organization_ids: frozenset[UUID] = frozenset()
    purpose: Purpose
    source_id: UUID
    labels: frozenset[Label]
    data_class: DataClass
    at: datetime

    @property
    def in_person(self) -> frozenset[UUID]:
        return self.team_ids | {self.person_id}

    @property
    def everything_they_are(self) -> frozenset[UUID]:
        return self.in_person | self.facility_ids | self.organization_ids

    @property
    def purposes(self) -> frozenset[Purpose]:
        """Treating an emergency is treating, too."""
        if self.purpose is Purpose.EMERGENCY:
            return frozenset({Purpose.EMERGENCY, Purpose.TREATMENT})
        return frozenset({self.purpose})

    @property
    def is_about_own_row(self) -> bool:
        """A row that their facility wrote. Counseling notes are kept apart there, too."""
        return (
            self.source_id in self.facility_ids
            and Label.COUNSELING_NOTES not in self.labels
            and self.purpose not in OWN_PURPOSES
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """`names`: the grantee, the facility that it stands for, and that facility's organization. It shows, and never writes.

    `fact_id` is what it rests on, `basis_id` the agreement, `consent_id` the consent whose copy goes with what is shown.
    """

    grantee_id: UUID
    names: frozenset[UUID]
    sources: frozenset[UUID] | None
    purposes: frozenset[Purpose]
    classes: frozenset[DataClass]
    labels: frozenset[Label]
    expires_at: datetime | None
    standing: Standing
    reason: Reason
    fact_id: UUID
    basis_id: UUID | None = None
    consent_id: UUID | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.purposes and self.classes and self.labels) or self.sources == frozenset()

    def misses(self, question: Question) -> Iterator[Axis]:
        """Where the row lies outside, axis by axis. Nowhere: the grant covers it."""
        if self.expires_at is not None and self.expires_at <= question.at:
            yield Axis.TIME
        if self.purposes.isdisjoint(question.purposes):
            yield Axis.PURPOSE
        if not question.labels <= self.labels:
            yield Axis.LABEL
        if question.data_class not in self.classes:
            yield Axis.CLASS
        if self.sources is not None and question.source_id not in self.sources:
            yield Axis.SOURCE

    def covers(self, question: Question) -> bool:
        return next(self.misses(question), None) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """`grantee_id` None: everybody. Stops what stands on less than it weighs."""

    grantee_id: UUID | None
    sources: frozenset[UUID] | None
    purposes: frozenset[Purpose]
    classes: frozenset[DataClass]
    labels: frozenset[Label]
    expires_at: datetime | None
    weight: Weight
    reason: Reason
    fact_id: UUID

    @property
    def is_empty(self) -> bool:
        return not (self.purposes and self.classes and self.labels) or self.sources == frozenset()

    def meets(self, question: Question) -> bool:
        """Whether anything of the row lies inside: one label is enough."""
        return (
            (self.expires_at is None or question.at < self.expires_at)
            and not self.purposes.isdisjoint(question.purposes)
            and not self.labels.isdisjoint(question.labels)
            and question.data_class in self.classes
            and (self.sources is None or question.source_id in self.sources)
        )

    def stops(self, standing: Standing, names: frozenset[UUID], question: Question) -> bool:
        return (
            self.weight > standing
            and (
                self.grantee_id is None
                or self.grantee_id in names
                or self.grantee_id in question.in_person
            )
            and self.meets(question)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A fact, what is wrong with it, and whom it concerns; None: everybody. Only for explaining."""

    obstacle: Obstacle
    fact_id: UUID
    about: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may see what of a patient, until `changes_at`: then the facts decide something else, perhaps."""

    grants: tuple[Grant, ...] = ()
    denials: tuple[Denial, ...] = ()
    remarks: tuple[Remark, ...] = ()
    changes_at: datetime | None = None

    def stopping_own(self, question: Question) -> Denial | None:
        """What keeps somebody from a row of their own facility."""
        return self._stopping(Standing.FIRM, frozenset({question.source_id}), question)

    def stopping(self, grant: Grant, question: Question) -> Denial | None:
        return self._stopping(grant.standing, grant.names, question)

    def forbids(self, grantee_id: UUID, question: Question) -> bool:
        """Whether it is stopped for whoever is given it in this one's name, too, though the patient named them."""
        return self._stopping(Standing.NAMED, frozenset({grantee_id}), question) is not None

    def grants_to(self, question: Question) -> Iterator[Grant]:
        theirs = question.everything_they_are
        return (grant for grant in self.grants if grant.grantee_id in theirs)

    def _stopping(
        self, standing: Standing, names: frozenset[UUID], question: Question
    ) -> Denial | None:
        stopping = (denial for denial in self.denials if denial.stops(standing, names, question))
        return next(stopping, None)


def may(access: Access, question: Question) -> bool:
    """Whether the caller may see the row. A row without labels is seen by nobody: it never should have been."""
    if not question.labels:
        return False
    if question.is_about_own_row and not access.stopping_own(question):
        return True
    return any(
        grant.covers(question) and not access.stopping(grant, question)
        for grant in access.grants_to(question)
    )
