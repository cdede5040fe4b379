"""What neighbors told, as far as it matters here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.careplans.domain.labels import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """What identity told of a facility: whose it is, its clock, and the team that is always there."""

    id: UUID
    version: int
    time_zone: str
    duty_team_id: UUID | None
    organization_id: UUID | None = None

    def local_date(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def end_of_day(self, day: date) -> datetime:
        """The first instant of the next day: what is due on a day is due before it."""
        zone = ZoneInfo(self.time_zone)
        return datetime.combine(day + timedelta(days=1), time(), zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A person or a team, and whether they can answer for something. Of a team: where it works, and whose tasks are its."""

    id: UUID
    version: int
    is_active: bool
    facility_id: UUID | None = None
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A member of the network, and whether it is one of the community: not a provider, a payer or an agency."""

    id: UUID
    version: int
    is_community: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """That a patient was seen somewhere. `counts`: it took place, without staying there, and nothing about it is sensitive.

    What does not count is kept as well: an older version of it that comes later must not count, either.
    """

    encounter_id: UUID
    version: int
    patient_id: UUID
    facility_id: UUID
    began_at: datetime | None
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """What somebody may not see of a patient, as far as plans ask. `grantee_id` None: nobody may; `sources` None: of nowhere."""

    patient_id: UUID
    grantee_id: UUID | None
    sources: tuple[UUID, ...] | None
    classes: tuple[str, ...]

    def stops(self, data_class: str, source: UUID, readers: Collection[UUID | None]) -> bool:
        """Whether these may not see what that place knows."""
        return (
            data_class in self.classes
            and (self.grantee_id is None or self.grantee_id in readers)
            and (self.sources is None or source in self.sources)
        )


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
