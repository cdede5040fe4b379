"""How proto3 JSON reads and writes the values that are no messages."""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

_EPOCH = date(1970, 1, 1)
Convert = Callable[[Any], Any]

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_SURROGATE = re.compile("[\ud800-\udfff\x00]")


@dataclass(frozen=True, slots=True)
class Scalar:
    """How one kind of value is read and written, and the words for what is expected."""

    expected: str
    read: Convert
    write: Convert | None = None


def _read_integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise ValueError
        return int(value)
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError
        return int(value)
    if not isinstance(value, int):
        raise TypeError
    return value


def _read_number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _read_float(value: Any) -> float:
    number = _read_number(value)
    try:
        struct.pack("<f", number)
    except OverflowError as error:
        raise ValueError from error
    return number


def _read_truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    # PostgreSQL stores no NUL, and UTF-8 has no lone surrogates.
    if (not value.isascii() or "\x00" in value) and _SURROGATE.search(value):
        raise ValueError
    return value


def _read_bytes(value: Any) -> bytes:
    text = read_text(value).rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _write_double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _write_float(value: float) -> float | str:
    """Write the shortest decimal that is the same 32 bits."""
    if not math.isfinite(value):
        return _write_double(value)
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == struct.pack("<f", value):
            return short
    return float(f"{value:.9g}")


TEXT = Scalar("a text without NUL characters", read_text)
_SMALL = Scalar("a whole number that fits", _read_integer)
_LARGE = Scalar("a whole number that fits", _read_integer, str)
_SCALARS: Mapping[int, Scalar] = {
    FieldDescriptor.TYPE_STRING: TEXT,
    FieldDescriptor.TYPE_BOOL: Scalar("true or false", _read_truth),
    FieldDescriptor.TYPE_BYTES: Scalar("bytes in base64", _read_bytes, _write_bytes),
    FieldDescriptor.TYPE_DOUBLE: Scalar("a number", _read_number, _write_double),
    FieldDescriptor.TYPE_FLOAT: Scalar("a number that fits", _read_float, _write_float),
    **dict.fromkeys(
        (
            FieldDescriptor.TYPE_INT32,
            FieldDescriptor.TYPE_SINT32,
            FieldDescriptor.TYPE_SFIXED32,
            FieldDescriptor.TYPE_UINT32,
            FieldDescriptor.TYPE_FIXED32,
        ),
        _SMALL,
    ),
    **dict.fromkeys(
        (
            FieldDescriptor.TYPE_INT64,
            FieldDescriptor.TYPE_SINT64,
            FieldDescriptor.TYPE_SFIXED64,
            FieldDescriptor.TYPE_UINT64,
            FieldDescriptor.TYPE_FIXED64,
        ),
        _LARGE,
    ),
}


def instant(seconds: int, nanos: int) -> str:
    """Write an instant in RFC 3339, with no, three, six or nine digits after the second.

    A page of tasks has two hundred, of few days and often of one time of day: their texts are kept.
    """
    day, second = divmod(seconds, 86_400)
    text = _day(day) + _time(second)
    if not nanos:
        return text + "Z"
    for unit, digits in ((1_000_000, 3), (1_000, 6), (1, 9)):
        if nanos % unit == 0:
            return f"{text}.{nanos // unit:0{digits}d}Z"
    raise AssertionError("unreachable")


@lru_cache(4096)
def _day(since_epoch: int) -> str:
    return (_EPOCH + timedelta(days=since_epoch)).isoformat()


@lru_cache(4096)
def _time(second: int) -> str:
    return f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def scalar_of(descriptor: FieldDescriptor) -> Scalar:
    """Return how a field that is no message is read and written."""
    if descriptor.enum_type:
        return _enum(descriptor.enum_type)
    return _SCALARS[descriptor.type]


class _Names(dict[int, Any]):
    """The name of a number; one that has none is written as it is."""

    def __missing__(self, number: int) -> int:
        return number


def _enum(enum: EnumDescriptor) -> Scalar:
    numbers = {value.name: value.number for value in enum.values}
    names = _Names({value.number: value.name for value in reversed(enum.values)})

    def read(value: Any) -> int:
        if isinstance(value, str):
            return numbers[value]
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError
        return value if value in names else numbers[""]

    return Scalar(
        "one of " + ", ".join(numbers),
        _known(read),
        names.__getitem__,
    )


def _known(read: Convert) -> Convert:
    def known(value: Any) -> Any:
        try:
            return read(value)
        except KeyError:
            raise ValueError from None

    return known
