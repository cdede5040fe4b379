"""Services of the directory as they are searched, and whether each takes somebody now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

DEFAULT_CAPACITY_HOURS = 72  # CareHub's own choice; a service may say otherwise


class CapacityStatus(StrEnum):
    UNVERIFIED = "UNVERIFIED"
    YES = "YES"
    NO = "NO"
    WAITLIST = "WAITLIST"
    ASSESSMENT_REQUIRED = "ASSESSMENT_REQUIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When a service is there, once a week; without days every day, without times all day."""

    days: tuple[str, ...] = ()
    opens_at: str = ""
    closes_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """`body` is what is kept of it in HSDS, as it came."""

    id: UUID
    version: int = 1
    name: str
    description: str
    body: Mapping[str, Any]

    def become(self, told: Self) -> Self:
        """The next version, saying what `told` says; this one if that is nothing new."""
        after = replace(told, version=self.version)
        return self if after == self else replace(after, version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`body` is what is kept of it in HSDS, as it came; the other fields follow from it, but for the capacity."""

    id: UUID
    version: int = 1
    organization_id: UUID
    organization_name: str = ""
    name: str
    description: str = ""
    status: str
    service_types: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    postal_codes: tuple[str, ...] = ()
    counties: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    is_wheelchair_accessible: bool = False
    eligibility: str = ""
    minimum_age: int = 0
    maximum_age: int = 0
    hours: tuple[Hours, ...] = ()
    drivers: int = 0
    answer_hours: int = 0
    capacity_hours: int = DEFAULT_CAPACITY_HOURS
    phones: tuple[str, ...] = ()
    email: str = ""
    assured_on: date | None = None
    capacity: CapacityStatus = CapacityStatus.UNVERIFIED
    capacity_at: datetime | None = None
    capacity_until: datetime | None = None
    wait: str = ""
    body: Mapping[str, Any]

    def capacity_now(self, at: datetime) -> CapacityStatus:
        """What it said, while that is young enough to be believed."""
        if self.capacity_until is None or self.capacity_until <= at:
            return CapacityStatus.UNVERIFIED
        return self.capacity

    def say_capacity(self, status: CapacityStatus, *, at: datetime, wait: str = "") -> Self:
        """The service says whether it takes somebody. It is believed for its own hours."""
        return replace(
            self,
            version=self.version + 1,
            capacity=status,
            capacity_at=at,
            capacity_until=at + timedelta(hours=self.capacity_hours),
            wait=wait,
        )

    def forget_capacity(self, *, at: datetime) -> Self:
        """What it said is too old by now; this one if it is not."""
        if self.capacity is CapacityStatus.UNVERIFIED or self.capacity_now(at) is self.capacity:
            return self
        return replace(
            self, version=self.version + 1, capacity=CapacityStatus.UNVERIFIED, capacity_until=None
        )

    def become(self, told: Self) -> Self:
        """The next version, saying what a directory says; this one if that is nothing new. The capacity stays."""
        after = replace(
            told,
            version=self.version,
            organization_name=self.organization_name,
            capacity=self.capacity,
            capacity_at=self.capacity_at,
            capacity_until=self.capacity_until,
            wait=self.wait,
        )
        return self if after == self else replace(after, version=self.version + 1)
