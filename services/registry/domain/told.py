"""What was told of a visit, in its order in time, whatever order it came in.

That is (event time, message time, event rank, content hash); but what is entered again after a cancel comes after that
cancel, also if it tells an earlier time, and what was told before an admission was cancelled comes before that.
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
_ADMISSION_CANCELLED = "A11"


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
    # From when each counts: when it happened, but no earlier than what it comes after.
    times: dict[UUID, datetime] = {}
    for message in sorted(messages, key=lambda m: m.message_at):
        others = messages if message.trigger in _CANCELS else cancels
        before = (
            times[other.message_id]
            for other in others
            if other.message_at < message.message_at and _comes_after(message, other)
        )
        times[message.message_id] = max((message.event_at, *before))
    return sorted(
        messages,
        key=lambda m: (times[m.message_id], m.message_at, _RANKS[m.trigger], m.content_hash),
    )


def _comes_after(message: VisitMessage, earlier: VisitMessage) -> bool:
    """Whether a message comes after one that was told earlier, whatever times they tell.

    An event comes after a cancel of its kind: it was entered again. A cancel comes after what it can be a cancel of, and
    that of an admission after all that was told of the visit, so that nothing of it is left for the next admission.
    """
    if message.said.visit_number and _ADMISSION_CANCELLED in (message.trigger, earlier.trigger):
        return True
    if message.trigger in _CANCELS:
        is_of_its_kind = _CANCELLED_BY.get(earlier.trigger) == message.trigger
        return is_of_its_kind and earlier.event_at <= message.event_at
    return _CANCELLED_BY.get(message.trigger) == earlier.trigger
