"""A consent as it is recorded: what it says, whose it is, and who wrote it down where. Every version of it is kept."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeVar
from uuid import UUID

from libs.chassis.errors import InvalidArgument
from services.identity.domain.access.facts import Consent, ConsentForm
from services.identity.domain.access.terms import NEEDS_SIGNATURE, Label, Purpose
from services.identity.domain.access.window import earliest
from services.identity.domain.text import check_printable

# These count in a permission of their own alone.
LEGAL, NOTES = frozenset({Purpose.LEGAL}), frozenset({Label.COUNSELING_NOTES})
T = TypeVar("T")
MOST_NAMED = 100
LONGEST_NOTE = 200


class ConsentState(StrEnum):
    PENDING = "PENDING"
    IN_FORCE = "IN_FORCE"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedConsent(Consent):
    """`evidence_note` says where the evidence is and who was the witness; never anything about health."""

    patient_id: UUID
    facility_id: UUID
    evidence_note: str = ""
    recorded_at: datetime
    recorded_by: UUID

    def state(self, at: datetime) -> ConsentState:
        if self.withdrawn_at is not None and self.withdrawn_at <= at:
            return ConsentState.WITHDRAWN
        if self.window.has_ended(at):
            return ConsentState.EXPIRED
        return ConsentState.IN_FORCE if self.window.holds(at) else ConsentState.PENDING

    def check(self) -> None:
        Consent.check(self)
        self._check_times()
        self._check_signature()
        if len(self.recipients) > MOST_NAMED or len(self.sources) > MOST_NAMED:
            raise InvalidArgument(
                "CONSENT_NAMES_TOO_MANY", f"Name at most {MOST_NAMED}.", field="consent"
            )
        if len(self.evidence_note) > LONGEST_NOTE:
            raise InvalidArgument(
                "EVIDENCE_NOTE_TOO_LONG",
                f"At most {LONGEST_NOTE} characters, and nothing about health.",
                field="consent.evidence_note",
            )
        check_printable("consent.evidence_note", self.evidence_note)

    def _check_times(self) -> None:
        if self.given_at > self.recorded_at:
            raise InvalidArgument(
                "CONSENT_NOT_GIVEN_YET", "Record it when it is given.", field="consent.give_time"
            )
        if self.until_at is not None and self.until_at <= max(self.given_at, self.from_at):
            raise InvalidArgument(
                "CONSENT_NEVER_HOLDS", "It ends before it begins.", field="consent.end_time"
            )

    def _check_signature(self) -> None:
        """Part 2 records and counseling notes are not released by word of mouth: nothing is recorded that looks so."""
        if self.is_permit and self.form is ConsentForm.VERBAL and self.labels & NEEDS_SIGNATURE:
            raise InvalidArgument(
                "CONSENT_NEEDS_SIGNATURE",
                "Part 2 records and counseling notes need a signature: leave them out, or have it signed.",
                field="consent.form",
            )

    def check_names(self, *, known: frozenset[UUID], places: frozenset[UUID]) -> None:
        """Refuse to permit anything to who is not of the network, and sources that are no facility or organization of it.

        Anybody can be forbidden: a partner of the directory of referrals, too, whom nobody here knows.
        """
        if self.is_permit and not self.recipients <= known:
            raise InvalidArgument(
                "RECIPIENT_UNKNOWN",
                "Something is permitted to a facility, an organization, a team or a person of the network.",
                field="consent.recipient_ids",
            )
        if not self.sources <= places:
            raise InvalidArgument(
                "CONSENT_SOURCE_UNKNOWN",
                "A source is a facility or an organization of the network.",
                field="consent.source_ids",
            )

    def changed_to(self, wanted: Self) -> Self:
        """As of any consent; whose it is and where it was recorded stay.

        The authority of who gives is judged by when they did: what permits more or other than before is given when it is
        recorded, unless it says that it was after the version that it changes; what permits less is as old as that.
        """
        before = replace(self, recorded_at=wanted.recorded_at, recorded_by=wanted.recorded_by)
        wanted = replace(wanted, patient_id=self.patient_id, facility_id=self.facility_id)
        if wanted.is_permit and wanted.given_at <= self.recorded_at:
            wanted = self._dated(wanted)
        after = Consent.changed_to(before, wanted)
        return self if after == before else after

    def _dated(self, wanted: Self) -> Self:
        is_new = wanted.given_at > self.given_at or not self._permits_all_of(wanted)
        given_at = wanted.recorded_at if is_new else self.given_at
        from_at = max(wanted.from_at, given_at)
        if from_at == self.window.from_at:  # said in another way
            from_at = self.from_at
        return replace(wanted, given_at=given_at, from_at=from_at)

    def _permits_all_of(self, wanted: Self) -> bool:
        return (
            self.is_permit
            and self.given_by == wanted.given_by
            and _narrows(wanted.recipients, self.recipients)
            and _narrows(wanted.sources, self.sources or wanted.sources)
            and _counting(wanted.purposes, LEGAL) <= _counting(self.purposes, LEGAL)
            and _counting(wanted.labels, NOTES) <= _counting(self.labels, NOTES)
            and wanted.classes <= self.classes
            and max(wanted.from_at, self.given_at) >= self.window.from_at
            and earliest(self.until_at, wanted.until_at) == wanted.until_at
        )

    def taken_back(self, *, at: datetime, by: UUID) -> Self:
        """The version that says that it was withdrawn; this one if it was already."""
        after = self.withdraw(at=at)
        return self if after == self else replace(after, recorded_at=at, recorded_by=by)


def _narrows(wanted: frozenset[UUID], named: frozenset[UUID]) -> bool:
    """Naming nobody is not naming less."""
    return wanted <= named and bool(wanted) == bool(named)


def _counting(said: frozenset[T], apart: frozenset[T]) -> frozenset[T]:
    return said if said == apart else said - apart
