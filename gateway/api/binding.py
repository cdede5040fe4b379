"""A request of HTTP becomes a request message: path, query and body, as google.api.http says."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.api.image import Endpoint, field_at
from gateway.api.problems import Problem, camel, invalid
from gateway.api.proto_json import WELL_KNOWN, Form, Reading, TooMuch, form_of
from gateway.api.scalars import Scalar, scalar_of

MOST_PARAMETERS = 100
DEEPEST_PARAMETER = 5
# More would keep the event loop from everybody else; texts may hold some as well.
MOST_BRACKETS = 100_000

_TRUTHS = {"true": True, "false": False}
_ENUM_NUMBER = re.compile("-?[0-9]{1,9}")


class Binder:
    """Binds the requests of one endpoint. What can be worked out beforehand is."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._class = GetMessageClass(endpoint.request)
        self._form = form_of(endpoint.request)
        self._resource_form = form_of(endpoint.resource) if endpoint.resource else None
        self._mask = endpoint.mask_field
        self._parameters: dict[str, _Parameter] = {}
        self._variables = [
            (variable, _Parameter(_fields_at(endpoint.request, variable.field)))
            for variable in endpoint.template.variables
        ]
        self._from_path = {variable.field for variable in endpoint.template.variables}

    def bind(self, segments: Sequence[str], query: bytes, body: bytes) -> Message:
        """Return the request message, or raise a Problem that names every field that is wrong."""
        message = self._class()
        reading = Reading()
        try:
            if self._endpoint.body:
                self._bind_body(message, body, reading)
            if query:
                self._bind_query(message, query, reading)
            self._bind_path(message, segments, reading)
        except TooMuch:
            raise Problem(413, "TOO_MANY_VALUES", "The request holds too many values.") from None
        if reading.violations:
            raise invalid(reading.violations)
        return message

    def _bind_body(self, message: Any, body: bytes, reading: Reading) -> None:
        value = parse_json(body) if body.strip() else {}
        if self._endpoint.body == "*":
            self._form.read(value, message, "", reading)
            return
        resource = getattr(message, self._endpoint.body)
        resource.SetInParent()
        if self._resource_form:
            self._resource_form.read(value, resource, camel(self._endpoint.body), reading)
        if self._mask and isinstance(value, dict):
            getattr(message, self._mask).paths.extend(self._changed(self._resource_form, value))

    def _changed(self, form: Form | None, value: dict[str, Any]) -> Iterable[str]:
        """Return the fields that a PATCH names; not those that only say which resource is meant."""
        means = {"etag"} | {path.rpartition(".")[2] for path in self._from_path}
        named = (form.by_name.get(key) for key in value) if form else ()
        return [one.name for one in named if one and one.name not in means]

    def _bind_query(self, message: Any, query: bytes, reading: Reading) -> None:
        given: dict[str, list[str]] = {}
        for name, text in _parse_query(query):
            given.setdefault(name, []).append(text)
        for name, texts in given.items():
            parameter = self._parameters.get(name) or self._parameter(name)
            if parameter is None:
                reading.refuse(name[:64], "There is no such parameter.")
            else:
                parameter.set(message, texts, name, reading)

    def _parameter(self, name: str) -> "_Parameter | None":
        """Return what a name of the query means; only names that mean something are remembered."""
        if self._endpoint.body == "*" or name.count(".") >= DEEPEST_PARAMETER:
            return None
        fields = _fields_of(self._endpoint.request, name)
        if not fields or fields[0].name == self._endpoint.body:
            return None
        if ".".join(one.name for one in fields) in self._from_path or not _fits(fields[-1]):
            return None
        self._parameters[name] = _Parameter(fields)
        return self._parameters[name]

    def _bind_path(self, message: Any, segments: Sequence[str], reading: Reading) -> None:
        for variable, parameter in self._variables:
            text = variable.value(segments)
            before = parameter.get(message)
            parameter.set(message, [text], camel(variable.field), reading)
            if before and before != parameter.get(message):
                reading.refuse(camel(variable.field), "The body names another one than the path.")


class _Parameter:
    """A field, maybe inside of others, that texts of a URL go into."""

    def __init__(self, fields: Sequence[FieldDescriptor]) -> None:
        *parents, self._field = fields
        self._parents = [one.name for one in parents]
        self._name = self._field.name
        self._form = form_of(self._field.message_type) if self._field.message_type else None
        self._scalar: Scalar | None = None if self._form else scalar_of(self._field)

    def set(self, message: Any, texts: Sequence[str], path: str, reading: Reading) -> None:
        for parent in self._parents:
            message = getattr(message, parent)
        if not self._field.is_repeated and len(texts) > 1:
            reading.refuse(path, "This is given twice.")
            return
        if self._form:
            self._form.read(texts[0], getattr(message, self._name), path, reading)
        elif self._scalar:
            self._set_scalars(self._scalar, message, texts, path, reading)

    def _set_scalars(
        self, scalar: Scalar, message: Any, texts: Sequence[str], path: str, reading: Reading
    ) -> None:
        try:
            values = [scalar.read(self._json(text)) for text in texts]
            if self._field.is_repeated:
                getattr(message, self._name).extend(values)
            else:
                setattr(message, self._name, values[0])
        except (ValueError, TypeError, OverflowError):
            reading.refuse(path, f"Expected {scalar.expected}.")

    def _json(self, text: str) -> Any:
        if self._field.type == FieldDescriptor.TYPE_BOOL:
            return _TRUTHS.get(text)
        if self._field.type == FieldDescriptor.TYPE_ENUM and _ENUM_NUMBER.fullmatch(text):
            return int(text)
        return text

    def get(self, message: Any) -> Any:
        for parent in self._parents:
            message = getattr(message, parent)
        return getattr(message, self._name)


def _fits(field: FieldDescriptor) -> bool:
    """Say whether a text can hold it: a value, several of one kind, or a message that is one text."""
    if not field.message_type:
        return True
    return not field.is_repeated and field.message_type.full_name in WELL_KNOWN


def _fields_at(message: Descriptor, path: str) -> list[FieldDescriptor]:
    parts = path.split(".")
    fields = [field_at(message, ".".join(parts[: at + 1])) for at in range(len(parts))]
    return [one for one in fields if one]


def _fields_of(message: Descriptor, name: str) -> list[FieldDescriptor]:
    """Return the fields that `birthDate.year` or `birth_date.year` names, or none."""
    fields: list[FieldDescriptor] = []
    scope: Descriptor | None = message
    for part in name.split("."):
        known = form_of(scope).by_name.get(part) if scope else None
        if scope is None or known is None or (fields and fields[-1].is_repeated):
            return []
        fields.append(scope.fields_by_name[known.name])
        scope = fields[-1].message_type
    return fields


def _parse_query(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise Problem(400, "QUERY_UNREADABLE", "The query is not UTF-8, or too long.") from None


def parse_json(body: bytes) -> Any:
    """Parse JSON more strictly than Python does: a key only once, and no NaN."""
    if body.count(b"{") + body.count(b"[") > MOST_BRACKETS:
        raise TooMuch
    try:
        return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # The parser's own words may quote the body.
        raise Problem(
            400, "BODY_UNREADABLE", "The body is not JSON, or names a key twice."
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_constant(_: str) -> Any:
    raise ValueError
