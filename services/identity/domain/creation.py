"""What happens when something is created twice."""

from dataclasses import replace
from typing import TypeVar

from libs.chassis.errors import FailedPrecondition
from services.identity.domain.facility import Facility
from services.identity.domain.fact import Signed
from services.identity.domain.organization import Organization
from services.identity.domain.staff import StaffMember
from services.identity.domain.team import Team

T = TypeVar("T", Organization, Facility, StaffMember, Team, Signed)


def already_created(existing: T | None, wanted: T) -> T | None:
    """The existing one, if the request only repeats what created it; None if there is none.

    Another content under a known id is refused: a create never overwrites.
    """
    if existing is None or replace(wanted, version=existing.version) == existing:
        return existing
    raise FailedPrecondition(
        "ALREADY_EXISTS", "This id is taken by one that says something else.", id=str(wanted.id)
    )
