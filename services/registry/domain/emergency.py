"""Finding in an emergency somebody whom one may not see: exactly, a few, and no more than tells who it is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from services.registry.domain.demographics import Facts
from services.registry.domain.normal import plain_name
from services.registry.domain.report import Person

MOST = 3
# As sure of the person as a second factor makes the provider, and no longer ago; identity asks the same (break_glass.py).
CERTAIN = 2
FRESH = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record as it is looked up for an emergency, whoever may see it."""

    patient_id: UUID
    facts: Facts
    facility_count: int

    @property
    def person(self) -> Person:
        return self.facts.person()


def check_emergency(
    purposes: Collection[str], acr: str, authenticated_at: datetime | None, at: datetime
) -> None:
    """Refuse who has not just confirmed who they are, or does not say that it is an emergency: the ledger is to say so."""
    is_sure = acr.isdecimal() and int(acr) >= CERTAIN
    if not is_sure or authenticated_at is None or not -LEEWAY <= at - authenticated_at <= FRESH:
        raise PermissionDenied(
            "SECOND_FACTOR_NEEDED",
            "Confirm that it is you, with your second factor, then do it again.",
            acr=str(CERTAIN),
            max_age=str(int(FRESH.total_seconds())),
        )
    if "EMERGENCY" not in purposes:
        raise FailedPrecondition(
            "EMERGENCY_NOT_SAID", "Ask with the purpose EMERGENCY (X-Purpose: EMERGENCY)."
        )


def check_asked(family: str, born_on: str) -> None:
    """A whole name and a whole day: half of one would be a way to read through everybody."""
    if not plain_name(family):
        raise InvalidArgument("FAMILY_MISSING", "Say the family name.", field="family")
    if len(born_on) != len("2026-11-28"):
        raise InvalidArgument("BIRTH_DATE_MISSING", "Say the day of birth.", field="birth_date")


def named_so(found: Sequence[Found], family: str) -> list[Found]:
    """Those whose family name it is, and not only a word of some name."""
    wanted = plain_name(family)
    return [
        one for one in found if wanted in {plain_name(name.family) for name in one.person.names}
    ]
