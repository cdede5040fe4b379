"""Breaking the glass: somebody without a relationship sees one patient in an emergency, for a while, and is looked at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from services.identity.domain.access.facts import BreakGlass
from services.identity.domain.access.policy import Policy
from services.identity.domain.role import Role
from services.identity.domain.text import check_reason

# As sure of the person as a second factor makes the provider.
CERTAIN = 2
# The provider's clock may be a little ahead of ours.
LEEWAY = timedelta(seconds=30)
COUNTED = timedelta(days=30)
FEWEST_WORDS = 3
# 42 CFR 2.51: records of programs go to medical personnel.
MEDICAL = (Role.PHYSICIAN, Role.NURSE, Role.PHARMACIST)


class Reason(StrEnum):
    DANGER_TO_LIFE = "DANGER_TO_LIFE"
    UNABLE_TO_CONSENT = "UNABLE_TO_CONSENT"
    COVERING_CARE = "COVERING_CARE"
    OTHER = "OTHER"


class Finding(StrEnum):
    JUSTIFIED = "JUSTIFIED"
    NOT_JUSTIFIED = "NOT_JUSTIFIED"
    CASE_OPENED = "CASE_OPENED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who breaks the glass: where they may, as what, and how sure the provider is that it is they."""

    id: UUID
    facilities: frozenset[UUID]
    roles: Mapping[str, frozenset[UUID]]
    acr: str
    authenticated_at: datetime | None

    def is_medical_at(self, facility_id: UUID) -> bool:
        return any(facility_id in self.roles.get(role, frozenset()) for role in MEDICAL)

    def confirmed_at(self, policy: Policy, at: datetime) -> datetime:
        """When they last confirmed who they are. PERMISSION_DENIED if that was not just now, or not with enough."""
        since = self.authenticated_at
        is_sure = self.acr.isdecimal() and int(self.acr) >= CERTAIN
        if not is_sure or since is None or not -LEEWAY <= at - since <= policy.reauthentication:
            raise PermissionDenied(
                "CONFIRMATION_NEEDED",
                "Confirm that it is you, with your second factor, then do it again.",
                acr=str(CERTAIN),
                max_age=str(int(policy.reauthentication.total_seconds())),
            )
        return min(since, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """One emergency access. `expires_at` is by the policy of the day it was opened; nothing makes it longer."""

    id: UUID
    version: int = 1
    patient_id: UUID
    person_id: UUID
    facility_id: UUID
    reason: Reason
    reason_text: str
    is_part2_emergency: bool
    is_medical: bool
    reauthenticated_at: datetime
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    uses_in_30_days: int
    finding: Finding | None = None
    finding_note: str = ""
    reviewed_by_id: UUID | None = None
    reviewed_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.expires_at

    def is_overdue(self, policy: Policy, at: datetime) -> bool:
        """Whether nobody has looked at it for longer than is allowed."""
        return self.finding is None and at - self.opened_at > policy.glass_review

    def end(self, at: datetime) -> Self:
        """The next version, over from now on; this one if it was over already."""
        if not self.is_open(at):
            return self
        return replace(self, ended_at=at, version=self.version + 1)

    def review(self, finding: Finding, note: str, *, by: UUID, at: datetime) -> Self:
        """The next version, looked at; anything but JUSTIFIED ends it as well. This one if it says so already."""
        if by == self.person_id:
            raise PermissionDenied("OWN_REVIEW", "Nobody reviews what they opened themselves.")
        if self.finding is not None:
            if (self.finding, self.finding_note, self.reviewed_by_id) == (finding, note, by):
                return self
            raise FailedPrecondition("REVIEWED_ALREADY", "Somebody has reviewed this already.")
        check_words("note", note, fewest=1)
        ends = finding is not Finding.JUSTIFIED and self.is_open(at)
        return replace(
            self,
            finding=finding,
            finding_note=note,
            reviewed_by_id=by,
            reviewed_at=at,
            ended_at=at if ends else self.ended_at,
            version=self.version + 1,
        )

    def as_fact(self) -> BreakGlass:
        """What the decider looks at."""
        return BreakGlass(
            id=self.id,
            person_id=self.person_id,
            opened_at=self.opened_at,
            reauthenticated_at=self.reauthenticated_at,
            reason=self.reason_text,
            ended_at=self.ended_at,
            is_part2_emergency=self.is_part2_emergency,
            is_medical=self.is_medical,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for who breaks the glass."""

    id: UUID
    patient_id: UUID
    facility_id: UUID
    reason: Reason
    reason_text: str
    is_part2_emergency: bool

    def check(self) -> None:
        check_words("reason_text", self.reason_text, fewest=FEWEST_WORDS)

    def is_same_as(self, glass: Glass, person_id: UUID) -> bool:
        """Whether the glass is what this wish opened when it was first sent."""
        asked = (self.id, self.patient_id, person_id)
        return asked == (glass.id, glass.patient_id, glass.person_id)


def break_glass(
    wish: Wish, person: Person, earlier: Iterable[Glass], policy: Policy, at: datetime
) -> Glass:
    """A new glass, or the one that the person has open for the patient. `earlier` are that person's own.

    Refused without a fresh second factor, away from where they work, and while a use of theirs is overdue for review.
    """
    earlier = tuple(earlier)
    confirmed_at = person.confirmed_at(policy, at)
    if wish.facility_id not in person.facilities:
        raise PermissionDenied(
            "GLASS_NOT_YOURS_THERE",
            "Name a facility where your role allows it.",
            field="facility_id",
        )
    wish.check()
    for glass in earlier:
        if wish.is_same_as(glass, person.id):
            return glass
        if glass.patient_id == wish.patient_id and glass.is_open(at):
            return glass
    if any(glass.is_overdue(policy, at) for glass in earlier):
        raise FailedPrecondition(
            "REVIEW_OVERDUE",
            "An earlier emergency access of yours has not been reviewed. Call your privacy officer.",
        )
    return Glass(
        id=wish.id,
        patient_id=wish.patient_id,
        person_id=person.id,
        facility_id=wish.facility_id,
        reason=wish.reason,
        reason_text=wish.reason_text,
        is_part2_emergency=wish.is_part2_emergency,
        is_medical=person.is_medical_at(wish.facility_id),
        reauthenticated_at=confirmed_at,
        opened_at=at,
        expires_at=at + policy.break_glass,
        uses_in_30_days=1 + sum(at - glass.opened_at <= COUNTED for glass in earlier),
    )


def check_words(field: str, text: str, *, fewest: int) -> None:
    """Words that somebody can be asked about later."""
    check_reason(field, text)
    if len(text.split()) < fewest:
        few = "a few words" if fewest > 1 else "a word"
        raise InvalidArgument(
            "WORDS_MISSING", f"Say it in {few}, for whoever reviews it.", field=field
        )
