"""The descriptor image: the RPCs that have a REST path, and the comments of the contracts."""

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carehub.options.v1 import options_pb2
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from gateway.api.paths import Template, parse_template

_INTERACTIVE = 3.0
_SEARCH = 10.0
_SAFE = frozenset({"GET"})

# Where the repeated fields of descriptors are, as the paths of comments count them.
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6
_FIELD, _NESTED, _NESTED_ENUM = 2, 3, 4
_VALUE, _METHOD = 2, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One REST path of one RPC."""

    method: MethodDescriptor
    access: options_pb2.Access
    http_method: str
    template: Template
    body: str

    @property
    def is_safe(self) -> bool:
        return self.http_method in _SAFE

    @property
    def timeout(self) -> float:
        return _SEARCH if self.method.name.startswith("Search") else _INTERACTIVE

    @property
    def request(self) -> Descriptor:
        return self.method.input_type

    @property
    def resource(self) -> Descriptor | None:
        """The message that the body becomes, unless that is the whole request."""
        field = self.request.fields_by_name.get(self.body)
        return field.message_type if field else None

    @property
    def etag_path(self) -> tuple[str, ...]:
        """Where the request says which version it means; nowhere if it names no resource."""
        if not self.template.variables:
            return ()
        if "etag" in self.request.fields_by_name:
            return ("etag",)
        if self.resource and "etag" in self.resource.fields_by_name:
            return (self.body, "etag")
        return ()

    @property
    def mask_field(self) -> str:
        """The field mask that the keys of a PATCH fill when the client sends none."""
        if self.http_method != "PATCH" or not self.resource:
            return ""
        for field in self.request.fields:
            if field.message_type and field.message_type.full_name == "google.protobuf.FieldMask":
                return field.name
        return ""


class Image:
    """All contracts, as protoc described them."""

    def __init__(self, image: bytes) -> None:
        self.files = descriptor_pb2.FileDescriptorSet.FromString(image)
        self.pool = descriptor_pool.Default()
        for file in self.files.file:
            self._load(file)
        self.comments: Mapping[str, str] = {
            name: text for file in self.files.file for name, text in _comments(file)
        }
        self.endpoints = tuple(self._endpoints())

    def comment(self, full_name: str) -> str:
        """Return what the contract says of a name, as one paragraph per blank line."""
        text = self.comments.get(full_name, "")
        return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text)).strip()

    def summary(self, full_name: str) -> str:
        """Return the first sentence of the comment."""
        first = re.split(r"(?<=\.) ", self.comment(full_name).partition("\n")[0], maxsplit=1)[0]
        return first.rstrip(".")

    def method(self, full_name: str) -> MethodDescriptor:
        found: MethodDescriptor = self.pool.FindMethodByName(full_name)
        return found

    def _load(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        """Put a file into the pool, as its generated module does where there is one.

        protoc strips what it generates, so the image's own text would be a second, different file.
        """
        try:
            importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
        except ModuleNotFoundError:
            try:
                self.pool.FindFileByName(file.name)
            except KeyError:
                self.pool.Add(file)

    def _endpoints(self) -> Iterator[Endpoint]:
        for file in self.files.file:
            for service in file.service:
                for method in service.method:
                    yield from self._of_method(f"{file.package}.{service.name}", method)

    def _of_method(
        self, service: str, method: descriptor_pb2.MethodDescriptorProto
    ) -> Iterator[Endpoint]:
        if not method.options.HasExtension(annotations_pb2.http):
            return
        if method.client_streaming or method.server_streaming:
            raise ValueError(f"{service}.{method.name}: a stream has no REST path")
        rule = method.options.Extensions[annotations_pb2.http]
        for one in (rule, *rule.additional_bindings):
            http_method, path = _pattern(one)
            endpoint = Endpoint(
                method=self.method(f"{service}.{method.name}"),
                access=method.options.Extensions[options_pb2.access],
                http_method=http_method,
                template=parse_template(path),
                body=one.body,
            )
            _check(endpoint)
            yield endpoint


def _pattern(rule: http_pb2.HttpRule) -> tuple[str, str]:
    kind = rule.WhichOneof("pattern")
    if kind is None:
        raise ValueError("An http option without a path")
    if kind == "custom":
        return rule.custom.kind, rule.custom.path
    return kind.upper(), getattr(rule, kind)


def _check(endpoint: Endpoint) -> None:
    """Refuse at the start what could only fail at a request."""
    name = endpoint.method.full_name
    for variable in endpoint.template.variables:
        field = field_at(endpoint.request, variable.field)
        if field is None or field.message_type or field.is_repeated:
            raise ValueError(
                f"{name}: the path has {variable.field}, the request has no such value"
            )
    if endpoint.body not in {"", "*"} and endpoint.resource is None:
        raise ValueError(f"{name}: the body is no message of the request")
    if endpoint.body and endpoint.http_method in {"GET", "HEAD", "DELETE"}:
        raise ValueError(f"{name}: {endpoint.http_method} has no body")


def field_at(message: Descriptor, path: str) -> FieldDescriptor | None:
    """Return the field that `a.b.c` names, in the spelling of protos."""
    *parents, last = path.split(".")
    for parent in parents:
        field = message.fields_by_name.get(parent)
        if field is None or field.message_type is None or field.is_repeated:
            return None
        message = field.message_type
    return message.fields_by_name.get(last)


def _comments(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, str]]:
    names = dict(_names(file))
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        if name and location.leading_comments:
            yield name, location.leading_comments.strip()


def _names(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    for at, message in enumerate(file.message_type):
        yield from _names_in(message, (_MESSAGE, at), file.package)
    for at, enum in enumerate(file.enum_type):
        yield from _names_of_enum(enum, (_ENUM, at), file.package)
    for at, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (_SERVICE, at), name
        for number, method in enumerate(service.method):
            yield (_SERVICE, at, _METHOD, number), f"{name}.{method.name}"


def _names_in(message: Any, path: tuple[int, ...], scope: str) -> Iterator[Any]:
    name = f"{scope}.{message.name}"
    yield path, name
    for at, field in enumerate(message.field):
        yield (*path, _FIELD, at), f"{name}.{field.name}"
    for at, nested in enumerate(message.nested_type):
        yield from _names_in(nested, (*path, _NESTED, at), name)
    for at, enum in enumerate(message.enum_type):
        yield from _names_of_enum(enum, (*path, _NESTED_ENUM, at), name)


def _names_of_enum(enum: Any, path: tuple[int, ...], scope: str) -> Iterator[Any]:
    name = f"{scope}.{enum.name}"
    yield path, name
    for at, value in enumerate(enum.value):
        yield (*path, _VALUE, at), f"{name}.{value.name}"
