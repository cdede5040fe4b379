"""Times and days as HL7 v2 writes them: YYYY[MM[DD[HH[MM[SS[.S...]]]]]][+/-ZZZZ]."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from services.interop.domain.report import PartialDate

_TIME = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6})\d*)?)?)?)?)?)?"
    r"([+-]\d{4})?",
    re.ASCII,
)
_YEARS = range(1800, 2200)


class NotATime(ValueError):
    """What stands there cannot be read as a time or a day."""


def is_blank(text: str) -> bool:
    """Whether a time says nothing: empty, or the zeros that some systems send for unknown."""
    return not text.strip("0")


def to_instant(text: str, zone: tzinfo) -> datetime:
    """The instant in UTC. Without an offset the time is in `zone`; missing parts are the earliest.

    A local time that occurs twice (the clocks went back) is the first of the two; one that never
    occurs (they went forward) is read with the offset that held before: as if nobody had moved
    the clock yet. Both are what PEP 495 calls fold 0, and the same each time it is asked.
    """
    found = _match(text)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        at = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int(fraction.ljust(6, "0")) if fraction else 0,
            tzinfo=_offset(offset) if offset else zone,
        )
    except ValueError as error:
        raise NotATime from error
    return at.astimezone(UTC)


def to_day(text: str) -> PartialDate:
    """The day, as precise as it was sent. A time of day and an offset are dropped: they do not move a birthday."""
    found = _match(text)
    year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    try:
        datetime(year, month or 1, day or 1, tzinfo=UTC)
    except ValueError as error:
        raise NotATime from error
    return PartialDate(year, month, day if month else 0)


def _match(text: str) -> re.Match[str]:
    found = _TIME.fullmatch(text)
    if found is None or int(found[1]) not in _YEARS:
        raise NotATime
    return found


@lru_cache(maxsize=128)
def _offset(text: str) -> timezone:
    hours, minutes = int(text[1:3]), int(text[3:5])
    if hours > 14 or minutes > 59:
        raise ValueError
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if text[0] == "-" else ahead)
