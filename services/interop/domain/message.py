"""A stored message and what may become of it; and a refusal, which is not stored as one."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition

if TYPE_CHECKING:
    from services.interop.domain.classify import Verdict


# What stands for the feed of a refusal whose sender no feed knows.
NO_FEED = UUID(int=0)


class MessageState(StrEnum):
    PENDING = "PENDING"
    APPLIED = "APPLIED"
    NO_OP = "NO_OP"
    QUARANTINED = "QUARANTINED"
    IGNORED = "IGNORED"
    PARKED = "PARKED"


# What somebody has to look at.
SET_ASIDE = frozenset({MessageState.QUARANTINED, MessageState.PARKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Messages of one feed that are set aside for one reason; an empty explanation is any."""

    feed_id: UUID
    state: MessageState
    reason: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a feed, without its content."""

    id: UUID
    feed_id: UUID
    facility_id: UUID
    sending_application: str
    control_id: str
    content_hash: bytes
    event_type: str
    received_at: datetime
    message_at: datetime | None
    state: MessageState
    reason: str = ""
    explanation: str = ""
    is_control_id_reused: bool = False
    patient_id: UUID | None = None
    encounter_id: UUID | None = None
    # How often it was translated again.
    replay: int = 0
    # Of the newest outcome that the record reported.
    outcome_version: int = 0

    def check_replayable(self) -> None:
        if self.state is MessageState.PENDING:
            raise FailedPrecondition(
                "MESSAGE_PENDING",
                "The record has not answered yet for the message as it was read last.",
                message_id=str(self.id),
            )

    def replayed(self, verdict: "Verdict") -> Self:
        """The message as it reads today."""
        if verdict.state is None:
            raise FailedPrecondition(verdict.reason, verdict.explanation, message_id=str(self.id))
        return replace(
            self,
            state=verdict.state,
            reason=verdict.reason,
            explanation=verdict.explanation,
            facility_id=verdict.facility_id or self.facility_id,
            event_type=verdict.event_type,
            message_at=verdict.message_at,
            patient_id=None,
            encounter_id=None,
            replay=self.replay + 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the record says became of one message."""

    message_id: UUID
    state: MessageState
    reason: str
    explanation: str
    patient_id: UUID | None
    encounter_id: UUID | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message that was answered with AE or AR: header facts only."""

    id: UUID
    feed_id: UUID = NO_FEED
    facility_id: UUID | None = None
    refused_at: datetime
    code: str
    error_code: int
    reason: str
    explanation: str
    peer: str
    size_bytes: int
