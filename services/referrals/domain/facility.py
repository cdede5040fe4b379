"""A facility as identity told of it: whose clock and calendar count, and whom a partner calls."""

from dataclasses import dataclass
from uuid import UUID

from services.referrals.domain.calendar import Calendar, calendar_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    id: UUID
    version: int = 0
    name: str = ""
    time_zone: str = "UTC"
    holiday_calendar: str = "none"
    phone: str = ""

    @property
    def calendar(self) -> Calendar:
        return calendar_for(self.time_zone, self.holiday_calendar)
