"""Words, days and ids that every message has."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from carehub.access.v1 import access_pb2
from google.type.date_pb2 import Date

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_uuid
from services.careplans.domain.labels import WITHHELD, Label, Labels, inherit


def labels_to_proto(labels: Labels) -> list["access_pb2.Label.ValueType"]:
    return [access_pb2.Label.Value(f"LABEL_{label}") for label in labels]


def to_labels(numbers: Iterable["access_pb2.Label.ValueType"]) -> Labels:
    """The labels that a neighbor told. None, or one that this version does not know: it never leaves its facility."""
    try:
        named = [access_pb2.Label.Name(number).removeprefix("LABEL_") for number in numbers]
        return inherit(tuple(map(Label, named)))
    except ValueError:
        return WITHHELD


def date_to_proto(day: date) -> Date:
    return Date(year=day.year, month=day.month, day=day.day)


def to_date(field: str, told: Date) -> date:
    """The day, or INVALID_ARGUMENT for one that the calendar does not have."""
    try:
        return date(told.year, told.month, told.day)
    except ValueError:
        raise InvalidArgument("DATE_INVALID", "Say a day, month and year.", field=field) from None


def id_to_proto(value: UUID | None) -> str:
    return str(value) if value else ""


def to_optional_id(field: str, value: str) -> UUID | None:
    return to_uuid(field, value) if value else None


def to_text(field: str, value: str, most: int, *, is_required: bool = False) -> str:
    """A text without blanks around it, if it is not too long."""
    text = value.strip()
    if is_required and not text:
        raise InvalidArgument("TEXT_MISSING", "Write a few words.", field=field)
    if len(text) > most:
        raise InvalidArgument("TEXT_TOO_LONG", f"At most {most} characters.", field=field)
    return text
