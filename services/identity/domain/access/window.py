"""Spans of time, and the birthdays that end some of them."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Self

from services.identity.domain.access.policy import Policy


def earliest(*ends: datetime | None) -> datetime | None:
    """The first of the ends that there are; None: there is no end."""
    return min((end for end in ends if end is not None), default=None)


@dataclass(frozen=True, slots=True)
class Window:
    """From an instant until just before another one; without one, open."""

    from_at: datetime
    until_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return self.from_at <= at and (self.until_at is None or at < self.until_at)

    def has_ended(self, at: datetime) -> bool:
        return self.until_at is not None and self.until_at <= at

    def cut(self, *ends: datetime | None) -> Self:
        return replace(self, until_at=earliest(self.until_at, *ends))


class Age(StrEnum):
    CHILD = "CHILD"
    ADOLESCENT = "ADOLESCENT"
    ADULT = "ADULT"
    UNKNOWN = "UNKNOWN"


def birthday(born_on: date, age: int) -> datetime:
    """When somebody becomes `age`: at 00:00 UTC, in the Americas the evening before, so that access ends early."""
    year = born_on.year + age
    try:
        return datetime(year, born_on.month, born_on.day, tzinfo=UTC)
    except ValueError:  # born on 29 February
        return datetime(year, 3, 1, tzinfo=UTC)


def adult_at(born_on: date | None, policy: Policy) -> datetime | None:
    return birthday(born_on, policy.adult_age) if born_on else None


def adolescent_at(born_on: date | None, policy: Policy) -> datetime | None:
    return birthday(born_on, policy.adolescent_age) if born_on else None


def age_at(born_on: date | None, policy: Policy, at: datetime) -> Age:
    if born_on is None:
        return Age.UNKNOWN
    if at >= birthday(born_on, policy.adult_age):
        return Age.ADULT
    return Age.ADOLESCENT if at >= birthday(born_on, policy.adolescent_age) else Age.CHILD
