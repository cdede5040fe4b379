"""The silence of a feed: who hears of it, and who keeps the alarm from sounding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.chassis.errors import InvalidArgument

# Whose business it is, in turn: who connects systems, who runs the place, who runs the network.
TOLD_IN_TURN = ("integration", "facility_admin", "network_admin")
LONGEST_MUTE = timedelta(days=7)
MOST_REASON = 500
MOST_TRIES = 20
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Until when an alarm does not sound, and who decided that."""

    until_at: datetime
    reason: str
    staff_id: UUID
    staff_name: str
    at: datetime

    @classmethod
    def ask(cls, duration: timedelta, reason: str, by: UUID, name: str, at: datetime) -> "Mute":
        if duration > LONGEST_MUTE:
            raise InvalidArgument("MUTE_TOO_LONG", "For 7 days at most.", field="duration")
        if not reason.strip() or len(reason.strip()) > MOST_REASON:
            message = f"Say why, in {MOST_REASON} characters at most."
            raise InvalidArgument("MUTE_REASON_MISSING", message, field="reason")
        return cls(
            until_at=at + duration, reason=reason.strip(), staff_id=by, staff_name=name, at=at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """A role, held at one facility or, without one, in the whole network."""

    role: str
    facility_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Somebody who may have to be told, as identity told last."""

    id: UUID
    version: int
    display_name: str
    email: str
    is_active: bool
    roles: tuple[HeldRole, ...]

    def holds(self, role: str, facility_id: UUID) -> bool:
        held = (each.facility_id for each in self.roles if each.role == role)
        return any(place in (None, facility_id) for place in held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One person told once of one silence. `next_try_at` is empty once it went out, or never will."""

    feed_id: UUID
    began_at: datetime
    staff_id: UUID
    staff_name: str
    email: str
    sent_at: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What an e-mail about a silence says. Nothing about a patient."""

    feed_id: UUID
    began_at: datetime
    staff_id: UUID
    email: str
    feed_name: str
    last_message_at: datetime | None
    tries: int


def to_be_told(people: Iterable[StaffMember], facility_id: UUID) -> Sequence[StaffMember]:
    """The active people of the first role that somebody with an address holds there."""
    here = sorted(
        (p for p in people if p.is_active and p.email), key=lambda p: (p.display_name, p.id)
    )
    for role in TOLD_IN_TURN:
        if found := [person for person in here if person.holds(role, facility_id)]:
            return found
    return ()


def pause_after(tries: int) -> timedelta:
    """How long to wait before the next try: twice as long each time, up to an hour."""
    return min(FIRST_PAUSE * (1 << min(tries, 10)), LONGEST_PAUSE)
