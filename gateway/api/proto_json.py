"""proto3 JSON, prepared once per message type: strict and telling when it reads, quick when it writes.

json_format is the reference that tests compare this with, and still does google's own messages. It is not used
for the rest because its errors quote what was sent, it takes `patientId` and `patient_id` together, lets unknown
enum numbers through, and needs ten times as long.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from math import isfinite
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway.api.problems import Violation
from gateway.api.scalars import TEXT, Convert, instant, read_text, scalar_of

Json = Any
ReadInto = Callable[[Json, Any, str, "Reading", int], None]

MOST_VALUES = 20_000
MOST_VIOLATIONS = 20
DEEPEST = 32

_UNREADABLE = (ValueError, TypeError, OverflowError, AttributeError, json_format.ParseError)


class TooMuch(Exception):
    """More values, or deeper ones, than any honest request has."""


@dataclass(slots=True)
class Reading:
    """One request being read: what is wrong with it so far, and how much it may still hold."""

    violations: list[Violation] = field(default_factory=list)
    left: int = MOST_VALUES

    def count(self, values: int, depth: int) -> None:
        self.left -= values
        if self.left < 0 or depth > DEEPEST:
            raise TooMuch

    def refuse(self, path: str, description: str) -> None:
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(Violation(path, description))


# google's own messages that are one JSON value, and the words for it.
WELL_KNOWN: Mapping[str, str] = {
    "google.protobuf.Timestamp": "an instant such as 2026-11-21T10:00:00Z",
    "google.protobuf.Duration": "a duration in seconds such as 3600s",
    "google.protobuf.FieldMask": "field names joined by commas",
    "google.protobuf.Struct": "an object",
    "google.protobuf.Value": "any JSON",
    "google.protobuf.ListValue": "a list",
    "google.protobuf.Empty": "an empty object",
    "google.protobuf.Any": "an object with @type",
    "google.protobuf.DoubleValue": "a number",
    "google.protobuf.FloatValue": "a number",
    "google.protobuf.Int64Value": "a whole number",
    "google.protobuf.UInt64Value": "a whole number",
    "google.protobuf.Int32Value": "a whole number",
    "google.protobuf.UInt32Value": "a whole number",
    "google.protobuf.BoolValue": "true or false",
    "google.protobuf.StringValue": "a text",
    "google.protobuf.BytesValue": "bytes in base64",
}
_AS_TEXT = frozenset({"Timestamp", "Duration", "FieldMask"})


class Form:
    """How one message type is read from JSON and written as JSON."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._expected = WELL_KNOWN.get(descriptor.full_name, "an object")
        self.is_well_known = descriptor.full_name in WELL_KNOWN
        self._is_instant = descriptor.full_name == "google.protobuf.Timestamp"
        self._is_text = self.is_well_known and descriptor.name in _AS_TEXT
        self.by_name: dict[str, _Field] = {}
        self.write: Convert = _write_instant if self._is_instant else self._write_well_known
        self.is_ready = self.is_well_known

    def prepare(self, descriptor: Descriptor) -> None:
        """Look at the fields; apart from the constructor, since a message may hold itself."""
        fields = [_Field(one) for one in descriptor.fields]
        for one in fields:
            self.by_name[one.name] = self.by_name[one.json_name] = one
        self.write = _writer(fields)
        self.is_ready = True

    def read(self, value: Json, into: Message, path: str, reading: Reading, depth: int = 0) -> None:
        """Read a JSON value into a message; what is wrong goes into the reading."""
        if self.is_well_known:
            self._read_well_known(value, into, path, reading)
            return
        if not isinstance(value, dict):
            reading.refuse(path, "Expected an object.")
            return
        reading.count(len(value), depth)
        seen: set[str] = set()
        for name, one in value.items():
            here = f"{path}.{name[:64]}" if path else name[:64]
            found = self.by_name.get(name)
            if found is None:
                reading.refuse(here, "There is no such field.")
            elif not found.groups.isdisjoint(seen):
                reading.refuse(here, "This is given twice, or together with its alternative.")
            elif one is not None:
                seen |= found.groups
                found.read(one, into, here, reading, depth + 1)

    def _write_well_known(self, message: Any) -> Json:
        return message.ToJsonString() if self._is_text else json_format.MessageToDict(message)

    def _read_well_known(self, value: Json, into: Any, path: str, reading: Reading) -> None:
        try:
            if self._is_text:
                into.FromJsonString(read_text(value))
            else:
                reading.count(_size(value), 0)
                json_format.ParseDict(value, into)
        except _UNREADABLE:
            reading.refuse(path, f"Expected {self._expected}.")


def _size(value: Json, depth: int = 0) -> int:
    """Count the values of free JSON, and see that its texts can be stored and its numbers written."""
    if depth > DEEPEST:
        raise TooMuch
    if isinstance(value, str):
        read_text(value)
    if isinstance(value, float) and not isfinite(value):
        raise ValueError
    if isinstance(value, dict):
        return sum(_size(key, depth) + _size(one, depth + 1) for key, one in value.items()) + 1
    if isinstance(value, list):
        return sum(_size(one, depth + 1) for one in value) + 1
    return 1


class _Field:
    """How one field is read and written."""

    def __init__(self, descriptor: FieldDescriptor) -> None:
        self.name = descriptor.name
        self.json_name = descriptor.json_name
        self.has_presence = descriptor.has_presence
        oneof = descriptor.containing_oneof
        self.groups = {self.name, f"oneof {oneof.name}"} if oneof else {self.name}
        message = descriptor.message_type
        entry = message.fields_by_name if message and message.GetOptions().map_entry else None
        element = entry["value"] if entry else descriptor
        self._key = scalar_of(entry["key"]) if entry else TEXT
        self._is_key_truth = entry is not None and entry["key"].type == FieldDescriptor.TYPE_BOOL
        self._form = form_of(element.message_type) if element.message_type else None
        self._scalar = TEXT if self._form else scalar_of(element)
        self.read: ReadInto = self._read_message if self._form else self._read_scalar
        self.write: Convert | None = _writer_of(self._form) if self._form else self._scalar.write
        if entry:
            self.read, self.write = self._read_map, self._map_writer(self.write)
        elif descriptor.is_repeated:
            self.read, self.write = self._read_list, _list_writer(self.write)

    def _map_writer(self, write: Convert | None) -> Convert:
        def key(value: Any) -> str:
            return str(value).lower() if self._is_key_truth else str(value)

        if write is None:
            return lambda entries: {key(one): entries[one] for one in entries}
        return lambda entries: {key(one): write(entries[one]) for one in entries}

    def _read_scalar(self, value: Json, into: Any, path: str, reading: Reading, _: int) -> None:
        try:
            setattr(into, self.name, self._scalar.read(value))
        except _UNREADABLE:
            reading.refuse(path, f"Expected {self._scalar.expected}.")

    def _read_message(
        self, value: Json, into: Any, path: str, reading: Reading, depth: int
    ) -> None:
        message = getattr(into, self.name)
        message.SetInParent()
        if self._form:
            self._form.read(value, message, path, reading, depth)

    def _read_list(self, value: Json, into: Any, path: str, reading: Reading, depth: int) -> None:
        if not isinstance(value, list):
            reading.refuse(path, "Expected a list.")
            return
        reading.count(len(value), depth)
        elements = getattr(into, self.name)
        for at, one in enumerate(value):
            here = f"{path}[{at}]"
            try:
                if self._form:
                    self._form.read(one, elements.add(), here, reading, depth + 1)
                else:
                    elements.append(self._scalar.read(one))
            except _UNREADABLE:
                reading.refuse(here, f"Expected {self._scalar.expected}.")

    def _read_map(self, value: Json, into: Any, path: str, reading: Reading, depth: int) -> None:
        if not isinstance(value, dict):
            reading.refuse(path, "Expected an object.")
            return
        reading.count(len(value), depth)
        entries = getattr(into, self.name)
        for name, one in value.items():
            here = f"{path}[{name[:64]}]"
            try:
                key = self._key.read(
                    {"true": True, "false": False}[name] if self._is_key_truth else name
                )
                if self._form:
                    self._form.read(one, entries[key], here, reading, depth + 1)
                else:
                    entries[key] = self._scalar.read(one)
            except (*_UNREADABLE, KeyError):
                reading.refuse(here, f"Expected {self._scalar.expected}.")


def _writer(fields: Sequence[_Field]) -> Convert:
    """A function that writes a message; fields without presence always, so that readers need no defaults.

    Made as text: a page of the worklist has 3,000 values, and a loop over their fields took twice as long.
    """
    always, sometimes, names = list[str](), list[str](), dict[str, Any]()
    for number, one in enumerate(fields):
        value = f"getattr(message, {one.name!r})" if iskeyword(one.name) else f"message.{one.name}"
        if one.write is not None:
            names[f"write_{number}"] = one.write
            value = f"write_{number}({value})"
        if one.has_presence:
            sometimes.append(
                f"    if message.HasField({one.name!r}): written[{one.json_name!r}] = {value}"
            )
        else:
            always.append(f"{one.json_name!r}: {value}")
    lines = ["def write(message):", f"    written = {{{', '.join(always)}}}", *sometimes]
    exec("\n".join([*lines, "    return written"]), names)  # noqa: S102 names of our own contracts only
    return cast("Convert", names["write"])


def _write_instant(message: Any) -> str:
    return instant(message.seconds, message.nanos)


def _writer_of(form: "Form") -> Convert:
    """Its writer; one that is looked up later where a message holds itself and has none yet."""
    if form.is_ready:
        return form.write
    return lambda message: form.write(message)


def _list_writer(write: Convert | None) -> Convert:
    """A slice is a list already, made at once; reading one by one takes twice as long."""
    if write is None:
        return lambda values: values[:]
    return lambda values: [write(one) for one in values[:]]


_FORMS: dict[str, Form] = {}


def form_of(descriptor: Descriptor) -> Form:
    """Return the form of a message type, made the first time it is asked for."""
    form = _FORMS.get(descriptor.full_name)
    if form is None:
        form = _FORMS[descriptor.full_name] = Form(descriptor)
        if not form.is_well_known:
            form.prepare(descriptor)
    return form
