"""What a holder of data is to be told at once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class PushKind(StrEnum):
    """What the id of a push is of."""

    ACCESS = "ACCESS"  # a patient
    BASIS = "BASIS"  # an agreement that has ended
    PERSON = "PERSON"  # somebody who was deactivated


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One thing that one holder has not confirmed."""

    holder: str
    kind: PushKind
    id: UUID
    at: datetime
