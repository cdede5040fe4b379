"""What a telephone of a demo hub shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something on a telephone. Of what was received the id is the message's: it comes once, however often it is sent."""

    id: UUID
    facility_id: UUID
    patient_id: UUID
    message_id: UUID
    phone: str
    is_written: bool
    channel: str
    text: str
    at: datetime
    labels: tuple[str, ...]
