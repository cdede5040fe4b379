"""Days as a facility counts them: its time zone, its holidays, and each count in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from libs.chassis.errors import InvalidArgument

_HOLIDAYS = {file.stem: file for file in (Path(__file__).parent / "holidays").glob("*.yaml")}
NO_HOLIDAYS = "none"
HOLIDAY_CALENDARS = frozenset({NO_HOLIDAYS, *_HOLIDAYS})
YEARS = range(1971, 2101)
ONE_DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Where a count of days ends, and how it was counted."""

    on: date
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One facility's clock and its days off."""

    time_zone: str
    holidays: Mapping[date, str]

    def is_business_day(self, day: date) -> bool:
        return day.weekday() < SATURDAY and day not in self.holidays

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.time_zone))

    def local_date(self, at: datetime) -> date:
        return self.local(at).date()

    def at_wall_clock(self, local: datetime) -> datetime:
        """The moment at which the clock on the wall says so. ValueError for a time with a zone of its own."""
        if local.tzinfo is not None:
            raise ValueError("it has a time zone")
        return local.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(UTC)

    def start_of_day(self, day: date) -> datetime:
        """The first moment of a local day: midnight, or where the clock jumps over midnight, the
        jump.
        """
        return datetime.combine(day, time(), ZoneInfo(self.time_zone)).astimezone(UTC)

    def end_of_day(self, day: date) -> datetime:
        """23:59:59 local, the second one where the clock goes back over it: the last whole second
        of the day.
        """
        return self.start_of_day(day + ONE_DAY) - timedelta(seconds=1)

    def calendar_days_after(self, day: date, n: int) -> Count:
        return Count(on=day + _days(n), explanation=f"{_many(n, 'calendar day')} after {day}")

    def business_days_after(self, day: date, n: int) -> Count:
        """The n-th business day after `day`, which is itself day 0 whatever day of the week it is."""
        on, left, skipped = day, _days(n).days, list[date]()
        while left:
            on += ONE_DAY
            if self.is_business_day(on):
                left -= 1
            else:
                skipped.append(on)
        explanation = f"{_many(n, 'business day')} after {day}"
        if skipped:
            verb = "do not count" if len(skipped) > 1 else "does not count"
            explanation += f"; {_list([self._name(each) for each in skipped])} {verb}"
        return Count(on=on, explanation=explanation)

    def _name(self, day: date) -> str:
        return f"{day} ({self.holidays[day]})" if day in self.holidays else f"{day}"


def calendar_for(time_zone: str, holiday_calendar: str) -> Calendar:
    """The calendar of a facility. InvalidArgument for a time zone or a holiday calendar that nobody
    knows.
    """
    if not is_time_zone(time_zone):
        raise InvalidArgument("TIME_ZONE_UNKNOWN", "There is no such time zone.", field="time_zone")
    return Calendar(time_zone=time_zone, holidays=_holidays(holiday_calendar or NO_HOLIDAYS))


def is_time_zone(name: str) -> bool:
    """Whether this machine has the clock of that name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


@cache
def _holidays(key: str) -> Mapping[date, str]:
    if key == NO_HOLIDAYS:
        return MappingProxyType({})
    if key not in _HOLIDAYS:
        raise InvalidArgument(
            "HOLIDAY_CALENDAR_UNKNOWN",
            "There is no such holiday calendar.",
            field="holiday_calendar",
        )
    rules = yaml.safe_load(_HOLIDAYS[key].read_text("utf-8"))["holidays"]
    return MappingProxyType(
        {
            _observed(_day(rule, year)): rule["name"]
            for rule in rules
            for year in YEARS
            if year >= rule["since"]
        }
    )


def _day(rule: Mapping[str, Any], year: int) -> date:
    """A fixed day, or the n-th weekday of a month; counted from its end where n is negative."""
    if "day" in rule:
        return date(year, rule["month"], rule["day"])
    nth, month = rule["nth"], rule["month"]
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - ONE_DAY
        return last - timedelta(days=(last.weekday() - rule["weekday"]) % 7 - 7 * (nth + 1))
    first = date(year, month, 1)
    return first + timedelta(days=(rule["weekday"] - first.weekday()) % 7 + 7 * (nth - 1))


def _observed(day: date) -> date:
    """A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after."""
    return day + timedelta(days={SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0))


def _days(n: int) -> timedelta:
    if n < 0:
        raise ValueError("Deadlines are counted forward.")
    return timedelta(days=n)


def _many(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _list(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
