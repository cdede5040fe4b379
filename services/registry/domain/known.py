"""What a batch of reports touches: as it was before, and what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.registry.domain.appointment import ToldAppointment
from services.registry.domain.encounter import Encounter
from services.registry.domain.observation import Observation
from services.registry.domain.patient import Patient, Program
from services.registry.domain.report import Handled
from services.registry.domain.told import VisitMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A key and the record that it leads to; `retired_into` is the key of the survivor that a merge named."""

    key: UUID
    patient_id: UUID
    retired_into: UUID | None = None


def was_retired_into(links: Mapping[UUID, Link], key: UUID, target: UUID) -> bool:
    """Whether merges told before lead from `key` to `target`, directly or not."""
    seen: set[UUID] = set()
    following: UUID | None = key
    while following and following not in seen:
        seen.add(following)
        link = links.get(following)
        following = link.retired_into if link else None
        if following == target:
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Two records that became one, and what said so: kept, so that it can be undone."""

    retired_id: UUID
    survivor_id: UUID
    facility_id: UUID
    message_id: UUID
    reason: str
    merged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that the keys of a batch lead to, as it was before."""

    handled: Mapping[UUID, Handled] = field(default_factory=dict)
    links: Mapping[UUID, Link] = field(default_factory=dict)
    patients: Mapping[UUID, Patient] = field(default_factory=dict)
    messages: Iterable[VisitMessage] = ()
    encounters: Mapping[UUID, Encounter] = field(default_factory=dict)
    appointments: Mapping[UUID, ToldAppointment] = field(default_factory=dict)
    observations: Mapping[UUID, Observation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a batch changed. Of `remembered` patients only the memory is better: nobody needs to hear of it.

    `programs` is what programs under 42 CFR Part 2 told, to be kept and told apart.
    """

    handled: tuple[Handled, ...]
    links: tuple[Link, ...]
    patients: tuple[Patient, ...]
    remembered: tuple[Patient, ...]
    programs: tuple[Program, ...]
    joined: tuple[Joined, ...]
    messages: tuple[VisitMessage, ...]
    encounters: tuple[Encounter, ...]
    appointments: tuple[ToldAppointment, ...]
    observations: tuple[Observation, ...]
