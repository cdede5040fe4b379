"""What neighbors told, as far as it matters here."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.careplans.domain.labels import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A person or a team, and whether they can answer for something."""

    id: UUID
    version: int
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFeed:
    """The facilities that a feed speaks for, and whether it is one of a program under 42 CFR Part 2."""

    id: UUID
    version: int
    facility_ids: tuple[UUID, ...]
    is_program: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Which record lives on in which."""

    retired_id: UUID
    survivor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What a list of medicines takes from the visit that it belongs to. `version` 0: a loop says it, not the visit itself."""

    encounter_id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    labels: Labels
    is_taken_back: bool = False
    left_at: datetime | None = None
