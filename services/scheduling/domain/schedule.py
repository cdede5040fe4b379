"""Schedules, and the slots that follow from them: computed by the facility's clock, never stored."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.chassis.errors import InvalidArgument

SHORTEST, LONGEST = 5, 480
MOST_HOURS, MOST_CLOSED, MOST_TEXT = 50, 400, 200
_SEVEN = range(1, 8)


class Purpose(StrEnum):
    UNSPECIFIED = "UNSPECIFIED"
    FOLLOW_UP = "FOLLOW_UP"
    ROUTINE = "ROUTINE"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class WeeklyHours:
    """From when to when on a day of the week, 1 being Monday, by the facility's clock."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time that a schedule offers."""

    schedule_id: UUID
    facility_id: UUID
    practitioner: str
    start_at: datetime
    end_at: datetime
    purposes: tuple[Purpose, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A time of a schedule that cannot be booked any more."""

    schedule_id: UUID
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When somebody can be visited at a facility."""

    id: UUID
    version: int = 1
    facility_id: UUID
    practitioner: str
    hours: tuple[WeeklyHours, ...]
    slot_minutes: int
    start_on: date
    end_on: date | None = None
    purposes: tuple[Purpose, ...] = ()
    closed_on: tuple[date, ...] = ()

    def checked(self) -> Self:
        """Itself, if it can be: InvalidArgument names what cannot."""
        if not self.practitioner.strip() or len(self.practitioner) > MOST_TEXT:
            raise _wrong("practitioner", "Say who is visited, in at most 200 characters.")
        if not SHORTEST <= self.slot_minutes <= LONGEST:
            raise _wrong("slot_minutes", "A slot has 5 to 480 minutes.")
        if self.end_on and self.end_on < self.start_on:
            raise _wrong("end_date", "It ends before it begins.")
        if len(self.closed_on) > MOST_CLOSED:
            raise _wrong("closed_dates", "At most 400 days can be closed.")
        self._check_hours()
        return self

    def _check_hours(self) -> None:
        if not 0 < len(self.hours) <= MOST_HOURS:
            raise _wrong("hours", "Say 1 to 50 hours of the week.")
        for hours in self.hours:
            if hours.weekday not in _SEVEN or _minutes(hours.opens) + self.slot_minutes > _minutes(
                hours.closes
            ):
                raise _wrong("hours", "Each needs a day, and room for a slot before it closes.")
        for one, other in pairwise(sorted(self.hours)):
            if one.weekday == other.weekday and other.opens < one.closes:
                raise _wrong("hours", "Hours of one day overlap.")

    def changed_to(self, wanted: "Schedule") -> "Schedule":
        """The next version, unless nothing differs."""
        wanted = replace(wanted, version=self.version).checked()
        return self if wanted == self else replace(wanted, version=self.version + 1)

    def is_for(self, purpose: Purpose) -> bool:
        return purpose is Purpose.UNSPECIFIED or not self.purposes or purpose in self.purposes

    def slots(self, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[Slot]:
        """Every slot that begins from `since` on and before `until`, the soonest first.

        Wall clocks rule: a local time that does not occur on a day offers nothing, and one that occurs twice offers its
        first. A slot lasts its minutes, whatever the clocks do meanwhile.
        """
        on, last = since.astimezone(zone).date(), until.astimezone(zone).date()
        on = max(on, self.start_on)
        last = min(last, self.end_on) if self.end_on else last
        while on <= last:
            for slot in self._slots_on(on, zone):
                if since <= slot.start_at < until:
                    yield slot
            on += timedelta(days=1)

    def slot_at(self, at: datetime, zone: ZoneInfo) -> Slot | None:
        """The slot that begins at this instant, if there is one."""
        return next(self.slots(zone, at, at + timedelta(microseconds=1)), None)

    def _slots_on(self, on: date, zone: ZoneInfo) -> Iterator[Slot]:
        if on in self.closed_on:
            return
        length = timedelta(minutes=self.slot_minutes)
        for hours in sorted(self.hours):
            if hours.weekday != on.isoweekday():
                continue
            local, closes = datetime.combine(on, hours.opens), datetime.combine(on, hours.closes)
            while local + length <= closes:
                start_at = _instant(local, zone)
                if start_at is not None:
                    yield self._slot(start_at, start_at + length)
                local += length

    def _slot(self, start_at: datetime, end_at: datetime) -> Slot:
        return Slot(
            schedule_id=self.id,
            facility_id=self.facility_id,
            practitioner=self.practitioner,
            start_at=start_at,
            end_at=end_at,
            purposes=self.purposes,
        )


def free(slots: Iterator[Slot], taken: Sequence[Taken]) -> Iterator[Slot]:
    """The slots of one schedule that overlap nothing of `taken`, which does not overlap itself."""
    busy = sorted(taken, key=lambda each: each.start_at)
    starts = [each.start_at for each in busy]
    for slot in slots:
        before = bisect_left(starts, slot.end_at) - 1
        if before < 0 or busy[before].end_at <= slot.start_at:
            yield slot


def _instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant of a local time, the first of two; None for one that the clocks skip."""
    at = local.replace(tzinfo=zone).astimezone(UTC)
    return at if at.astimezone(zone).replace(tzinfo=None) == local else None


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _wrong(part: str, message: str) -> InvalidArgument:
    return InvalidArgument("SCHEDULE_INVALID", message, field=f"schedule.{part}")
