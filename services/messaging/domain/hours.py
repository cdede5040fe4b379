"""When a patient may be written to: permitted hours where they are, days as they count them, and a little chance."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

# 47 CFR 64.1200(c)(1): not before 8 and not after 21 o'clock where the recipient is; here for all that nobody asked for.
FIRST_HOUR, LAST_HOUR = 8, 21
PERMITTED = frozenset(range(FIRST_HOUR, LAST_HOUR))
# Messages of one cause do not leave all at once.
MOST_JITTER = timedelta(minutes=10)
_HOUR, _DAY = 60, 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours of a day at which somebody may be written to, where they are: 8 is from 8:00 until before 9:00."""

    zone: str
    permitted: Set[int] = PERMITTED

    def within(self, liked: Set[int]) -> "Hours":
        """As they like it, as far as it is permitted; without a wish, or with one that cannot be met, as it was."""
        return Hours(zone=self.zone, permitted=self.permitted & liked or self.permitted)

    def without(self, disliked: Set[int]) -> "Hours":
        """Not while they sleep; if they sleep through all that is permitted, as it was."""
        return Hours(zone=self.zone, permitted=self.permitted - disliked or self.permitted)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def day(self, at: datetime) -> date:
        """The day that it is where they are."""
        return self.local(at).date()

    def allow(self, at: datetime) -> bool:
        return self.local(at).hour in self.permitted

    def next_allowed(self, at: datetime) -> datetime:
        """The moment itself, or else the next one that is permitted."""
        if self.allow(at):
            return at
        local = self.local(at)
        today = [hour for hour in self.permitted if hour > local.hour]
        if today:
            return self.at_hour(local.date(), min(today))
        return self.opening(local.date() + timedelta(days=1))

    def opening(self, day: date) -> datetime:
        """The first permitted moment of a day."""
        return self.at_hour(day, min(self.permitted))

    def at_hour(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), ZoneInfo(self.zone)).astimezone(UTC)


def whole_hours(begin: str, end: str) -> frozenset[int]:
    """The hours that are wholly within a span such as "09:15" to "12:30", which can go over midnight: 10 and 11."""
    from_, length = _span(begin, end)
    return frozenset(h for h in range(24) if (h * _HOUR - from_) % _DAY + _HOUR <= length)


def touched_hours(begin: str, end: str) -> frozenset[int]:
    """The hours of which any minute is within such a span: 9, 10, 11 and 12."""
    from_, length = _span(begin, end)
    return frozenset(
        h
        for h in range(24)
        if length and ((h * _HOUR - from_) % _DAY < length or (from_ - h * _HOUR) % _DAY < _HOUR)
    )


def _span(begin: str, end: str) -> tuple[int, int]:
    """The minute at which it begins, and how many it lasts: none where nobody said when."""
    if not begin or not end:
        return 0, 0
    return _minute(begin), (_minute(end) - _minute(begin)) % _DAY


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * _HOUR + int(minute)


def jitter(message_id: UUID) -> timedelta:
    """Between nothing and ten minutes: the same for the same message, whoever computes it."""
    return MOST_JITTER * ((message_id.int % 601) / 601)
