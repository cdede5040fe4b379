"""When a patient may be written to: permitted hours where they are, days as they count them, and a little chance."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

# 47 CFR 64.1200(c)(1): not before 8 and not after 21 o'clock where the recipient is; here for all that nobody asked for.
FIRST_HOUR, LAST_HOUR = 8, 21
# Messages of one cause do not leave all at once.
MOST_JITTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours of a day at which somebody may be written to, where they are: from the first, until before the last."""

    zone: str
    first: int = FIRST_HOUR
    last: int = LAST_HOUR

    def narrowed(self, best_from: int, best_until: int) -> "Hours":
        """As they like it, as far as it is permitted; without a wish, or with one that cannot be met, as it was."""
        first, last = max(self.first, best_from), min(self.last, best_until)
        if not best_until or first >= last:
            return self
        return Hours(zone=self.zone, first=first, last=last)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def day(self, at: datetime) -> date:
        """The day that it is where they are."""
        return self.local(at).date()

    def allow(self, at: datetime) -> bool:
        return self.first <= self.local(at).hour < self.last

    def next_allowed(self, at: datetime) -> datetime:
        """The moment itself, or else the next one that is permitted."""
        if self.allow(at):
            return at
        local = self.local(at)
        day = local.date() if local.hour < self.first else local.date() + timedelta(days=1)
        return self.opening(day)

    def opening(self, day: date) -> datetime:
        """The first permitted moment of a day."""
        return datetime.combine(day, time(self.first), ZoneInfo(self.zone)).astimezone(UTC)

    def at_hour(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), ZoneInfo(self.zone)).astimezone(UTC)


def jitter(message_id: UUID) -> timedelta:
    """Between nothing and ten minutes: the same for the same message, whoever computes it."""
    return MOST_JITTER * ((message_id.int % 601) / 601)
