"""A facility as identity told of it: whose clock and calendar count, and whom a partner calls."""

from dataclasses import dataclass
from uuid import UUID

from libs.calendars.calendar import (
    HOLIDAY_CALENDARS,
    NO_HOLIDAYS,
    Calendar,
    calendar_for,
    is_time_zone,
)


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
        """What this version does not know counts as UTC, and as no holidays: identity checks both."""
        is_known = self.holiday_calendar in HOLIDAY_CALENDARS
        return calendar_for(
            self.time_zone if is_time_zone(self.time_zone) else "UTC",
            self.holiday_calendar if is_known else NO_HOLIDAYS,
        )
