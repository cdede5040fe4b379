"""The clock of a facility, and which day it is there."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """As identity told it last."""

    id: UUID
    version: int
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def day_of(self, at: datetime) -> date:
        """The day that it is there at an instant."""
        return at.astimezone(self.zone).date()

    def day(self, on: date) -> tuple[datetime, datetime]:
        """From which instant to which a day lasts there: 23, 24 or 25 hours."""
        return self._midnight(on), self._midnight(on + timedelta(days=1))

    def _midnight(self, on: date) -> datetime:
        return datetime(on.year, on.month, on.day, tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFeed:
    """Which facilities a feed speaks for, and whether it is a program's under 42 CFR Part 2."""

    id: UUID
    version: int
    facility_ids: tuple[UUID, ...]
    is_program: bool
