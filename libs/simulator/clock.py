"""When it is in the region, and when that is here: life goes faster than the clock on the wall, but never ahead of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# How many of a hundred daily arrivals come in each hour, midnight first.
_ROUND_THE_CLOCK = (2.3, 1.9, 1.6, 1.5, 1.5, 1.7, 2.3, 3.2, 4.3, 5.3, 6.0, 6.2, 6.0, 5.8, 5.6, 5.5, 5.5, 5.5, 5.6, 5.4, 5.0, 4.5, 3.8, 3.0)  # fmt: skip
_OFFICE_HOURS = (0, 0, 0, 0, 0, 0, 0, 4, 12, 14, 14, 11, 6, 11, 12, 10, 5, 1, 0, 0, 0, 0, 0, 0)
_EVERY_DAY = (1.06, 1.03, 1.01, 1.0, 1.0, 0.95, 0.95)
_WORKING_DAYS = (1.5, 1.45, 1.4, 1.35, 1.15, 0.15, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How busy it is by the hour and the weekday; on average 1."""

    hours: tuple[float, ...]
    days: tuple[float, ...]

    @property
    def most(self) -> float:
        return max(self.hours) * 0.24 * max(self.days)

    def busy(self, local: datetime) -> float:
        return self.hours[local.hour] * 0.24 * self.days[local.weekday()]


ROUND_THE_CLOCK = Rhythm(hours=_ROUND_THE_CLOCK, days=_EVERY_DAY)
OFFICE_HOURS = Rhythm(hours=_OFFICE_HOURS, days=_WORKING_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """From this moment on the wall, so many hours of the region's life go by in one."""

    since: datetime
    speed: float


class Clock:
    """Says for a moment of the region's life when it happens on the wall.

    Before the first spell both are the same. So a history can be told as it was, and from now on a day's work be seen
    within an hour, while every message tells of a moment that is not in the future.
    """

    def __init__(self, spells: Sequence[Spell] = ()) -> None:
        # Of each spell: when it begins in life, when on the wall, and how fast it is.
        self._spells: list[tuple[datetime, datetime, float]] = []
        for spell in spells:
            life = self.life(spell.since)
            self._spells.append((life, spell.since, spell.speed))

    def life(self, wall: datetime) -> datetime:
        """The moment of the region's life that is shown at this moment."""
        for life, since, speed in reversed(self._spells):
            if wall >= since:
                return life + (wall - since) * speed
        return wall

    def wall(self, life: datetime) -> datetime:
        """When a moment of the region's life happens on the wall, to the second."""
        for begins, since, speed in reversed(self._spells):
            if life >= begins:
                return (since + (life - begins) / speed).replace(microsecond=0)
        return life.replace(microsecond=0)


def minutes(count: float) -> timedelta:
    """Whole seconds only: messages tell no more."""
    return timedelta(seconds=math.floor(count * 60))
