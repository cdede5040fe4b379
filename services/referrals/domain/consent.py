"""What a patient agreed to before a partner is told anything, and what the partner is told then."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument

MOST_SERVICES = 20
CLOCK_SKEW = timedelta(minutes=1)
_DIGITS, _FEWEST_DIGITS = re.compile(r"[0-9]"), 7


class Form(StrEnum):
    ELECTRONIC = "ELECTRONIC"
    VERBAL = "VERBAL"
    PAPER = "PAPER"


class Item(StrEnum):
    FIRST_NAME = "FIRST_NAME"
    TELEPHONE = "TELEPHONE"
    ADDRESS = "ADDRESS"
    DESTINATION = "DESTINATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Given by the patient, recorded by a member of staff: to which services which items may be told."""

    id: UUID
    form: Form
    given_at: datetime
    service_ids: tuple[UUID, ...]
    items: tuple[Item, ...] = ()
    witness: str = ""
    evidence_id: UUID | None = None
    recorded_by: UUID
    recorded_at: datetime

    def check(self) -> None:
        """Refuse to record what is no consent: one that names nobody, or has no witness and no signature."""
        if not 0 < len(self.service_ids) <= MOST_SERVICES:
            raise InvalidArgument(
                "CONSENT_SERVICES", f"Name 1 to {MOST_SERVICES} services.", field="consent"
            )
        if self.given_at > self.recorded_at + CLOCK_SKEW:
            raise InvalidArgument(
                "CONSENT_AHEAD", "Record it when it is given.", field="consent.give_time"
            )
        if self.form is Form.VERBAL and not self.witness:
            raise InvalidArgument("CONSENT_WITNESS", "Say who heard it.", field="consent.witness")
        if self.form is not Form.VERBAL and self.evidence_id is None:
            raise InvalidArgument(
                "CONSENT_SIGNATURE", "Name the signature or the scan.", field="consent.evidence_id"
            )

    def names(self, service_id: UUID) -> bool:
        return service_id in self.service_ids

    def check_names(self, service_id: UUID) -> None:
        if not self.names(service_id):
            raise FailedPrecondition(
                "CONSENT_FOR_OTHERS", "The patient agreed to other partners. Ask about this one."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a partner needs to help. Nothing about health: there is no field for a remark."""

    first_name: str = ""
    telephone: str = ""
    address: str = ""
    destination: str = ""
    area: str = ""
    postal_code: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None
    language: str = ""
    needs_wheelchair: bool = False

    def check(self) -> None:
        if len(self.first_name.split()) > 2:
            raise InvalidArgument(
                "FIRST_NAME_ONLY", "The first name, and no more.", field="details.first_name"
            )
        if self.telephone and len(_DIGITS.findall(self.telephone)) < _FEWEST_DIGITS:
            raise InvalidArgument(
                "TELEPHONE_UNREADABLE", "Enter a telephone number.", field="details.telephone"
            )
        if bool(self.start_at) != bool(self.end_at) or (
            self.start_at and self.end_at and self.start_at >= self.end_at
        ):
            raise InvalidArgument(
                "TIME_UNCLEAR", "Say from when until when.", field="details.end_time"
            )


def told(details: Details, items: Collection[Item]) -> Details:
    """The details without what the patient did not agree to."""
    return replace(
        details,
        first_name=details.first_name if Item.FIRST_NAME in items else "",
        telephone=details.telephone if Item.TELEPHONE in items else "",
        address=details.address if Item.ADDRESS in items else "",
        destination=details.destination if Item.DESTINATION in items else "",
        postal_code="",
    )
