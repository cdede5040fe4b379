"""Proxies, care teams, holds and referrals as they are recorded: whose they are, where, and how they end."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.identity.domain.access.facts import Hold, Membership, Proxy, Referral
from services.identity.domain.access.window import Window, earliest
from services.identity.domain.staff import StaffMember
from services.identity.domain.team import Team
from services.identity.domain.text import check_printable

LONGEST_NOTE = 200


class RecordState(StrEnum):
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"
    BARRED = "BARRED"  # proxies only


def state_of(window: Window, at: datetime) -> RecordState:
    if window.has_ended(at):
        return RecordState.ENDED
    return RecordState.ACTIVE if window.holds(at) else RecordState.PENDING


def check_window(window: Window, field: str) -> None:
    if window.until_at is not None and window.until_at <= window.from_at:
        raise InvalidArgument("NEVER_HOLDS", "It ends before it begins.", field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedProxy(Proxy):
    """`evidence_note` says where the evidence is; never anything about health."""

    patient_id: UUID
    facility_id: UUID
    evidence_note: str = ""
    recorded_at: datetime
    recorded_by: UUID
    version: int = 1

    def state(self, at: datetime) -> RecordState:
        return RecordState.BARRED if self.is_barred else state_of(self.window, at)

    @property
    def window(self) -> Window:
        return Window(self.from_at, self.until_at)

    def check(self) -> None:
        check_window(self.window, "proxy.end_time")
        if self.evidence_id is None:
            raise InvalidArgument(
                "PROXY_NEEDS_EVIDENCE",
                "Nobody acts for a patient without something that shows that they may.",
                field="proxy.evidence_id",
            )
        if not self.classes:
            raise InvalidArgument(
                "PROXY_CLASSES", "Say for which sorts of data.", field="proxy.data_classes"
            )
        if len(self.evidence_note) > LONGEST_NOTE:
            raise InvalidArgument(
                "PROXY_NOTE_TOO_LONG",
                f"At most {LONGEST_NOTE} characters, and nothing about health.",
                field="proxy.evidence_note",
            )
        check_printable("proxy.evidence_note", self.evidence_note)

    def revoke(self, *, at: datetime) -> Self:
        """The version that has ended: what it let somebody do before was rightly done. This one if it has."""
        if self.window.has_ended(at):
            return self
        return replace(self, until_at=at, version=self.version + 1)

    def bar(self) -> Self:
        """The version that keeps the person from everything about the patient, for good; this one if it does."""
        if self.is_barred:
            return self
        return replace(self, is_barred=True, version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMembership(Membership):
    """Recorded at the facility for which they are on the care team."""

    patient_id: UUID
    recorded_at: datetime
    recorded_by: UUID
    version: int = 1

    def state(self, at: datetime) -> RecordState:
        return state_of(self.window, at)

    def check(self, member: StaffMember | None, team: Team | None) -> None:
        """Refuse somebody who does not work there now."""
        check_window(self.window, "member.end_time")
        works_there = member and member.is_active and member.works_at(self.facility_id)
        if not works_there and (team is None or team.facility_id != self.facility_id):
            raise InvalidArgument(
                "MEMBER_NOT_THERE",
                "A member is somebody who works at the facility, or one of its teams.",
                field="member.member_id",
            )

    def is_already(self, other: Self) -> bool:
        """Whether somebody who would join is on it by this already, for at least as long."""
        return (
            self.grantee_id == other.grantee_id
            and self.facility_id == other.facility_id
            and self.window.holds(other.from_at)
            and self.until_at in (None, other.until_at)
        )

    def as_it_counts(self, member: StaffMember | None) -> Self:
        """One that is over, of a person who holds no role there any more: it rests on their work, also if nobody ended it.

        Teams stay at their facility.
        """
        if member is None or member.works_at(self.facility_id):
            return self
        return replace(self, until_at=self.from_at)

    def leave(self, *, at: datetime) -> Self:
        """The version that has ended; this one if it has."""
        if self.window.has_ended(at):
            return self
        return replace(self, until_at=at, version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPolicy:
    """How long something may be kept from a patient before somebody has to say so again."""

    effective_on: date
    longest: timedelta
    source: str


# A change is a new entry with its day; no entry is ever edited.
HOLD_POLICIES = (
    HoldPolicy(effective_on=date(2024, 4, 16), longest=timedelta(days=30), source="ours"),
)


def longest_hold(at: datetime) -> timedelta:
    in_effect = [policy for policy in HOLD_POLICIES if policy.effective_on <= at.date()]
    if not in_effect:
        return timedelta()
    return max(in_effect, key=lambda policy: policy.effective_on).longest


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedHold(Hold):
    """The exception is its reason, and there is no other: a sentence about it would be about health."""

    patient_id: UUID
    facility_id: UUID
    recorded_at: datetime
    recorded_by: UUID
    version: int = 1

    def state(self, at: datetime) -> RecordState:
        return state_of(self.window, at)

    def check(self) -> None:
        check_window(self.window, "hold.end_time")
        if not self.classes:
            raise InvalidArgument(
                "HOLD_CLASSES", "Say which sorts of data.", field="hold.data_classes"
            )
        longest = longest_hold(self.recorded_at)
        if self.until_at is None or self.until_at > self.recorded_at + longest:
            raise InvalidArgument(
                "HOLD_TOO_LONG",
                f"A hold ends within {longest.days} days; it can be made again.",
                field="hold.end_time",
            )

    def end(self, *, at: datetime) -> Self:
        """The version that has ended; this one if it has."""
        if self.window.has_ended(at):
            return self
        return replace(self, until_at=at, version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReferral(Referral):
    """Recorded at the facility that refers."""

    patient_id: UUID
    recorded_at: datetime
    recorded_by: UUID
    version: int = 1

    @property
    def facility_id(self) -> UUID:
        return self.from_facility_id

    def state(self, at: datetime) -> RecordState:
        return state_of(self.window, at)

    def check(self, places: frozenset[UUID]) -> None:
        if self.to_id not in places or self.to_id == self.from_facility_id:
            raise InvalidArgument(
                "REFERRED_NOWHERE",
                "Refer to another facility, or to an organization of the network.",
                field="referral.to_id",
            )
        if self.sent_at > self.recorded_at:
            raise InvalidArgument(
                "REFERRAL_NOT_SENT", "Record it when it is sent.", field="referral.send_time"
            )

    def end(self, *, at: datetime) -> Self:
        """The version that was answered or taken back; this one if it was."""
        if self.window.has_ended(at):
            return self
        return replace(self, ended_at=earliest(self.ended_at, at), version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientAccount:
    """The account with which the patient signs in."""

    patient_id: UUID
    person_id: UUID
    facility_id: UUID
    recorded_at: datetime
    recorded_by: UUID

    def check_same(self, person_id: UUID) -> None:
        if self.person_id != person_id:
            raise FailedPrecondition(
                "ACCOUNT_LINKED", "The patient has another account. Unlink that first."
            )
