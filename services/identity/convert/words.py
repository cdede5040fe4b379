"""The words of access, and instants, between protobuf and the domain."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from carehub.access.v1 import access_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_datetime
from services.identity.domain.access.terms import DataClass, Label, Purpose

W = TypeVar("W", bound=StrEnum)


def to_word(field: str, number: int, enum: Any, word: type[W]) -> W:
    """The word that a number stands for. INVALID_ARGUMENT for none, and for one that this version does not know."""
    prefix = _prefix(enum)
    name = enum.Name(number).removeprefix(prefix) if number in enum.values() else ""
    if name not in word.__members__:
        raise InvalidArgument("VALUE_MISSING", "Choose one of the values.", field=field)
    return word(name)


def from_word(word: StrEnum, enum: Any) -> Any:
    return enum.Value(f"{_prefix(enum)}{word}")


def _prefix(enum: Any) -> str:
    """What the names of an enum begin with: that of its zero says."""
    name: str = enum.Name(0)
    return name.removesuffix("UNSPECIFIED")


def to_purposes(field: str, numbers: Iterable[int]) -> frozenset[Purpose]:
    return frozenset(to_word(field, number, access_pb2.Purpose, Purpose) for number in numbers)


def to_labels(field: str, numbers: Iterable[int]) -> frozenset[Label]:
    return frozenset(to_word(field, number, access_pb2.Label, Label) for number in numbers)


def to_classes(field: str, numbers: Iterable[int]) -> frozenset[DataClass]:
    return frozenset(to_word(field, number, access_pb2.DataClass, DataClass) for number in numbers)


def from_purposes(words: Iterable[Purpose]) -> list[access_pb2.Purpose.ValueType]:
    return sorted(from_word(word, access_pb2.Purpose) for word in words)


def from_labels(words: Iterable[Label]) -> list[access_pb2.Label.ValueType]:
    return sorted(from_word(word, access_pb2.Label) for word in words)


def from_classes(words: Iterable[DataClass]) -> list[access_pb2.DataClass.ValueType]:
    return sorted(from_word(word, access_pb2.DataClass) for word in words)


def to_instant(field: str, message: Any) -> datetime | None:
    """The instant in a field that may be absent; whatever the offset it was sent with, it is UTC here."""
    name = field.rpartition(".")[2]
    if not message.HasField(name):
        return None
    value: Timestamp = getattr(message, name)
    try:
        return to_datetime(value)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(
            "INSTANT_INVALID", "There is no such instant.", field=field
        ) from error
