"""What was told of a visit, in its order in time, whatever order it came in.

That is (event time, message time, event rank, content hash); but what is entered again after a cancel comes after that
cancel, also if it tells an earlier time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.registry.domain.labels import Provenance
from services.registry.domain.report import VisitSaid

# At the same instant an event comes after what it builds on, and a cancel after what it cancels.
_RANKS = {
    trigger: rank
    for rank, trigger in enumerate(
        ("A05", "A04", "A01", "A06", "A07", "A02", "A12", "A08", "A03", "A13", "A11")
    )
}
FOLLOWED = frozenset(_RANKS)
_CANCELLED_BY = {"A01": "A11", "A04": "A11", "A05": "A11", "A03": "A13", "A02": "A12"}
_CANCELS = frozenset(_CANCELLED_BY.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitMessage:
    """One stored message of a stream. `patient_id` is whom it was taken to mean when it came."""

    message_id: UUID
    stream_id: UUID
    facility_id: UUID
    patient_id: UUID
    trigger: str
    event_at: datetime
    message_at: datetime
    content_hash: str
    said: VisitSaid
    provenance: Provenance
    sent: tuple[str, ...]

    @property
    def tells(self) -> tuple[object, ...]:
        """What it says of the visit, whichever message says it."""
        return (self.event_at, self.message_at, self.trigger, self.said)


def in_order(messages: Iterable[VisitMessage]) -> list[VisitMessage]:
    """The messages of one stream, the oldest first. The same messages have the same order."""
    messages = tuple(messages)
    cancels = [m for m in messages if m.trigger in _CANCELS]

    def entered_at(message: VisitMessage) -> datetime:
        """When an event happened, but no earlier than a cancel of its kind that was told before it."""
        cancel = _CANCELLED_BY.get(message.trigger)
        earlier = (c for c in cancels if c.trigger == cancel and c.message_at < message.message_at)
        return max((message.event_at, *(c.event_at for c in earlier)))

    def cancelled_at(message: VisitMessage) -> datetime:
        """When a cancel happened, but no earlier than what was told before it and can be what it cancels."""
        meant = (
            m
            for m in messages
            if _CANCELLED_BY.get(m.trigger) == message.trigger
            and m.event_at <= message.event_at
            and m.message_at < message.message_at
        )
        return max((message.event_at, *map(entered_at, meant)))

    def order(message: VisitMessage) -> tuple[datetime, datetime, int, str]:
        at = cancelled_at(message) if message.trigger in _CANCELS else entered_at(message)
        return (at, message.message_at, _RANKS[message.trigger], message.content_hash)

    return sorted(messages, key=order)
