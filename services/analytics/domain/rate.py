"""Numerators, denominators and how sure one can be of a rate."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil, sqrt
from uuid import UUID

# Cells with fewer people are not published (CMS cell size policy).
LEAST_PUBLISHED = 11
_Z = 1.959963984540054  # of the normal distribution, for 95 %


class Status(StrEnum):
    """What one unit of a measure came to."""

    MET = "MET"
    NOT_MET = "NOT_MET"
    # Its window is still open: neither, yet.
    PENDING = "PENDING"
    EXCLUDED = "EXCLUDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of a denominator, such as a discharge: what it came to, why, and what shows it.

    `on` is the day that it counts for, where the facility is. It counts from `settles_at` on, when its window has closed;
    one that is pending then is not met. Were what is met counted at once, and what is missed only when nothing can come
    any more, every young month would look better than it is, and every young rate of readmissions worse. `took`: how long it
    took until it was done, in time or not.
    """

    id: UUID
    patient_id: UUID
    facility_id: UUID
    on: date
    status: Status
    reason: str
    settles_at: datetime
    evidence_id: UUID | None = None
    took: timedelta | None = None

    def status_at(self, now: datetime) -> Status:
        if self.status is Status.EXCLUDED:
            return Status.EXCLUDED
        if now < self.settles_at:
            return Status.PENDING
        return Status.NOT_MET if self.status is Status.PENDING else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long units took: half of them at most `median`, nine in ten at most `ninetieth`.

    None where fewer than that were done. Were those that are not done left out, who never calls would look quick.
    """

    median: timedelta | None = None
    ninetieth: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its 95 % range by Wilson."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None

    @property
    def is_small(self) -> bool:
        return self.denominator < LEAST_PUBLISHED

    @property
    def range(self) -> tuple[float, float] | None:
        """The lower and the upper end. None without a denominator."""
        n, x = self.denominator, self.numerator
        if not n:
            return None
        share, z2 = x / n, _Z * _Z
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def rate(units: Iterable[Unit], now: datetime) -> Rate:
    """Of the units whose window has closed and that are not excluded, the share that was met."""
    told = [unit.status_at(now) for unit in units]
    met = told.count(Status.MET)
    return Rate(numerator=met, denominator=met + told.count(Status.NOT_MET))


def times(units: Iterable[Unit], now: datetime) -> Times:
    """Of the units whose window has closed and that are not excluded, by the nearest rank."""
    counted = [u for u in units if u.status_at(now) in (Status.MET, Status.NOT_MET)]
    done = sorted(unit.took for unit in counted if unit.took is not None)

    def at(share: float) -> timedelta | None:
        rank = ceil(share * len(counted))
        return done[rank - 1] if 0 < rank <= len(done) else None

    return Times(median=at(0.5), ninetieth=at(0.9))
