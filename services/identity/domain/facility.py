"""A place where care is given or arranged: one clock, one calendar, one duty team."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Self
from uuid import UUID
from zoneinfo import available_timezones

from libs.calendars.calendar import HOLIDAY_CALENDARS, NO_HOLIDAYS
from libs.chassis.errors import InvalidArgument
from services.identity.domain.text import check_name, check_phone

# Whatever the machine's own zone is: not a place, so not a facility's.
_NO_PLACES = frozenset({"localtime", "Factory"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """`duty_team_id` is where every escalation ladder ends. A new facility has none until its first team is named."""

    id: UUID
    organization_id: UUID
    name: str
    time_zone: str
    holiday_calendar: str = NO_HOLIDAYS
    duty_team_id: UUID | None = None
    phone: str = ""
    version: int = 1

    def check(self) -> None:
        check_name("facility.name", self.name)
        check_phone("facility.phone", self.phone)
        if self.time_zone not in _time_zones():
            raise InvalidArgument(
                "TIME_ZONE_UNKNOWN",
                "An IANA name such as America/Chicago is needed.",
                field="facility.time_zone",
            )
        if self.holiday_calendar not in HOLIDAY_CALENDARS:
            raise InvalidArgument(
                "HOLIDAY_CALENDAR_UNKNOWN",
                f"Known calendars: {', '.join(sorted(HOLIDAY_CALENDARS))}.",
                field="facility.holiday_calendar",
            )

    def changed_to(self, wanted: Self) -> Self:
        """The next version, saying what `wanted` says; this one if that is nothing new."""
        wanted = replace(wanted, id=self.id, version=self.version)
        if self.duty_team_id and not wanted.duty_team_id:
            raise InvalidArgument(
                "DUTY_TEAM_MISSING",
                "A facility keeps a duty team: name another one instead.",
                field="facility.duty_team_id",
            )
        if wanted == self:
            return self
        wanted.check()
        return replace(wanted, version=self.version + 1)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES
