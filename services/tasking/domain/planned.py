"""The loop that a plan asks for: its steps with their dates, its ladder, and what shows it done."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.tasking.domain.labels import Labels
from services.tasking.domain.protocol_parts import About


class EvidenceKind(StrEnum):
    """What shows that something was done."""

    TASK_OUTCOME = "TASK_OUTCOME"
    ENCOUNTER = "ENCOUNTER"
    APPOINTMENT = "APPOINTMENT"
    REPLY = "REPLY"
    REFERRAL = "REFERRAL"
    RECONCILIATION = "RECONCILIATION"
    CONTACT_ATTEMPTS = "CONTACT_ATTEMPTS"
    RECORD_CHANGE = "RECORD_CHANGE"
    REVIEW = "REVIEW"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedKeyDate:
    key: str
    title: str
    on: date
    at: datetime
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOutcome:
    key: str
    title: str
    completes: bool
    needs_attempts: bool = False
    not_before_at: datetime | None = None
    not_before_explanation: str = ""
    needs_read_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    level: int
    at: datetime
    notify: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBy:
    """What shows a step done, or a loop over: another encounter, or what another service told of."""

    kind: EvidenceKind = EvidenceKind.ENCOUNTER
    encounter_id: UUID | None = None
    other_id: UUID | None = None  # what is no encounter
    at: datetime
    description: str
    staff_id: UUID | None = None
    outcome: str = ""

    @property
    def source_id(self) -> UUID:
        if source_id := self.encounter_id or self.other_id:
            return source_id
        raise LookupError("nothing shows it")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    key: str
    title: str
    description: str
    role: str
    counts_from_at: datetime
    start_at: datetime
    due_at: datetime
    due_on: date
    due_explanation: str
    outcomes: tuple[PlannedOutcome, ...]
    done_when: tuple[str, ...]
    rungs: tuple[Rung, ...]
    is_contact: bool
    attempts_needed: int
    attempts_hours_apart: float
    is_required: bool
    shown_by: ShownBy | None


class PlanState(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopPlan:
    """One loop as the record alone would have it; what people did comes on top."""

    protocol: str
    protocol_version: int
    title: str
    about: About = About.ENCOUNTER
    subject_id: UUID
    facility_id: UUID
    patient_id: UUID
    state: PlanState
    close_reason: str
    close_description: str
    closed_at: datetime | None
    why: str
    closes_when: tuple[str, ...]
    key_dates: tuple[PlannedKeyDate, ...]
    opened_at: datetime
    anchor_at: datetime | None
    steps: tuple[PlannedStep, ...]
    # Which steps the record shows done, also once the loop is over.
    shown: tuple[tuple[str, ShownBy], ...] = ()
    labels: Labels
    close_evidence: ShownBy | None = None
    closed_by_id: UUID | None = None
