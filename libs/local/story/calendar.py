"""The Friday before a long weekend on which the story's patient is sent home."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOSPITAL, CLINIC = ZoneInfo("America/Chicago"), ZoneInfo("America/Denver")
# Federal holidays that are Mondays by law (5 USC 6103): the month, and which Monday of it; -1 is the last one.
MONDAYS = ((1, 3), (2, 3), (5, -1), (9, 1), (10, 2))


def long_weekend(after: datetime) -> date:
    """The first Friday before a holiday whose week has not begun at this time."""
    year = after.astimezone(HOSPITAL).year
    fridays = sorted(
        _monday(y, month, which) - timedelta(days=3)
        for y in (year, year + 1)
        for month, which in MONDAYS
    )
    return next(day for day in fridays if at(day - timedelta(days=4), 9, 0) > after)


def at(day: date, hour: int, minute: int, zone: ZoneInfo = HOSPITAL) -> datetime:
    """A time of a day, by the clock on the wall there."""
    return datetime.combine(day, time(hour, minute), zone)


def _monday(year: int, month: int, which: int) -> date:
    if which < 0:
        last = date(year, month + 1, 1) - timedelta(days=1)
        return last - timedelta(days=last.weekday())
    first = date(year, month, 1)
    return first + timedelta(days=(-first.weekday()) % 7 + 7 * (which - 1))
