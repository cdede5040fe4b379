"""What tasking told last: a loop that a plan follows, and the tasks of it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.careplans.domain.labels import Labels


class LoopState(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class TaskState(StrEnum):
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDate:
    """A date that the loop counted: the last day that is in time, and its end."""

    key: str
    on: date
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """The newest that was told of a loop whose protocol opens plans."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    encounter_id: UUID | None
    protocol: str
    state: LoopState
    owner_id: UUID
    # The person behind the owner, who may be a team. None: nobody told, yet.
    accountable_id: UUID | None = None
    key_dates: tuple[KeyDate, ...]
    opened_at: datetime
    closed_at: datetime | None
    labels: Labels

    def key_date(self, key: str) -> KeyDate | None:
        return next((each for each in self.key_dates if each.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The newest that was told of a task, of any loop: it may come before its loop."""

    id: UUID
    version: int
    loop_id: UUID
    facility_id: UUID
    step: str
    title: str
    role: str
    state: TaskState
    owner_id: UUID
    accountable_id: UUID | None = None
    due_at: datetime
    due_on: date
