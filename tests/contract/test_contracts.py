"""What the contracts promise beyond what buf checks, and events that stay readable.

`.venv/bin/python tests/contract/test_contracts.py` writes the golden example of each event that has none; with the
full name of an event it writes that one anew, which is right only before its first release.
"""

import json
import re
import sys
from pathlib import Path

import pytest
from carehub.options.v1 import options_pb2
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, json_format
from google.protobuf.descriptor import (
    Descriptor,
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.chassis.contracts import method_of, methods_of
from services.__main__ import SERVICES
from services.identity.domain.role import PERMISSIONS
from services.identity.domain.token import OWN_READ

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
_READS = "changes nothing"
_AS_IT_IS = "what it makes so stays so: asked again it answers the same"
_BY_LINK = "no caller whose key it could be: the same word by the same link changes nothing"
# Every other method that is no GET honors Idempotency-Key.
KEYLESS = {
    "AnswerRequest": _BY_LINK,
    "ApplyAccess": _AS_IT_IS,
    "CheckDisclosure": "its id is its key",
    "DiscardParked": _AS_IT_IS,
    "DryRunProtocol": _READS,
    "ExchangeToken": _READS,
    "FilterVisible": _READS,
    "FindForEmergency": _READS,
    "FinishRequest": _BY_LINK,
    "NamePeople": _READS,
    "OpenRequest": _BY_LINK,
    "ParseMedicines": _READS,
    "PreviewConsent": _READS,
    "ReplayParked": _AS_IT_IS,
    "SearchPatients": _READS,
    "SearchServices": _READS,
    "TryMessage": _READS,
    "ValidateProtocol": _READS,
}
_SERVICE, _RPC = 6, 2  # field numbers: FileDescriptorProto.service, ServiceDescriptorProto.method


def image() -> descriptor_pb2.FileDescriptorSet:
    return descriptor_pb2.FileDescriptorSet.FromString(
        (ROOT / "libs/contracts/contracts.binpb").read_bytes()
    )


# Loading the modules puts their descriptors into the pool.
for _file in image().file:
    if _file.name.startswith("carehub/"):
        __import__(_file.name.removesuffix(".proto").replace("/", ".") + "_pb2")


def contracts_of(service: str) -> list[ServiceDescriptor]:
    """The first, which has what every service answers alike, and those beside it."""
    names = [
        f"{file.package}.{told.name}"
        for file in image().file
        if file.package == f"carehub.{service}.v1"
        for told in file.service
    ]
    assert f"carehub.{service}.v1.{service.capitalize()}Service" in names
    return [Default().FindServiceByName(name) for name in names]


METHODS = [
    method for service in SERVICES for one in contracts_of(service) for method in one.methods
]
EVENTS = {
    name: message
    for service in SERVICES
    for messages in [
        Default()
        .FindFileByName(f"carehub/{service}/v1/{service}_events.proto")
        .message_types_by_name
    ]
    for name, message in messages.items()
    if not any(
        field.message_type is message for other in messages.values() for field in other.fields
    )
}


def comments() -> dict[str, str]:
    """What the protos say of each RPC, by its full name."""
    said = {}
    for file in image().file:
        for place in file.source_code_info.location:
            if len(place.path) == 4 and place.path[0] == _SERVICE and place.path[2] == _RPC:
                service = file.service[place.path[1]]
                name = f"{file.package}.{service.name}.{service.method[place.path[3]].name}"
                said[name] = " ".join(place.leading_comments.split())
    return said


def access(method: MethodDescriptor) -> options_pb2.Access:
    return method.GetOptions().Extensions[options_pb2.access]


# RPCs.


@pytest.mark.parametrize("service", SERVICES)
def test_every_rpc_says_who_may_call_it(service):
    for contract in contracts_of(service):
        assert len(methods_of(contract)) == len(contract.methods)


def test_every_permission_that_is_demanded_is_one_that_a_role_holds():
    held = frozenset({OWN_READ}).union(*PERMISSIONS.values())
    demanded = {access(method).permission for method in METHODS} - {""}
    assert demanded - held == set()
    assert held - demanded == set(), "held, but nothing demands it"


def test_only_services_that_there_are_are_listed_and_none_lists_itself():
    for method in METHODS:
        callers = set(access(method).called_by)
        assert callers <= set(SERVICES), method.full_name
        assert method.full_name.split(".")[1] not in callers, method.full_name


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_says_which_services_may_call_for_themselves(service):
    text = " ".join((ROOT / f"services/{service}/README.md").read_text().split())
    (said,) = re.findall(r"Called by services for themselves: ([^.]+)\.", text)
    listed = {
        method.name: set(access(method).called_by)
        for one in contracts_of(service)
        for method in one.methods
        if access(method).called_by
    }
    told = re.findall(r"`(\w+)` \(([^)]+)\)", said)
    assert {rpc: set(names.split(", ")) for rpc, names in told} == listed
    assert told or said == "nothing"


def test_every_path_is_unique():
    """Two templates that differ only in the names of their variables are one path."""
    taken: dict[str, str] = {}
    for method in METHODS:
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        kind = rule.WhichOneof("pattern")
        if kind:
            path = f"{kind} " + re.sub(r"\{[^}]*\}", "{}", getattr(rule, kind))
            assert taken.setdefault(path, method.full_name) == method.full_name


def test_a_method_that_reads_is_a_get_or_has_its_words_in_the_body():
    """No health data in URLs: a search is a POST. And what changes something is never a GET."""
    for method in METHODS:
        kind = method.GetOptions().Extensions[annotations_pb2.http].WhichOneof("pattern")
        if kind == "get":
            assert method_of(method).is_idempotent, method.full_name
        if method.name.startswith(("Get", "List")) and kind:
            assert kind == "get", method.full_name


def test_every_list_has_pages():
    for method in METHODS:
        if method.name.startswith("List"):
            assert {"page_size", "page_token"} <= set(method.input_type.fields_by_name), (
                method.full_name
            )
            assert "next_page_token" in method.output_type.fields_by_name, method.full_name


def test_no_change_ignores_its_idempotency_key():
    """Whoever repeats a change because its answer was lost is given that answer."""
    deaf = {
        method.name
        for method in METHODS
        if method_of(method).is_idempotent
        and method.GetOptions().Extensions[annotations_pb2.http].WhichOneof("pattern") != "get"
        and not method.name.startswith(("Get", "List"))
    }
    assert deaf == set(KEYLESS)


def test_every_change_says_what_it_publishes():
    said = comments()
    silent = [
        method.full_name
        for method in METHODS
        if not method_of(method).is_idempotent
        and not set(re.findall(r"\w+", said[method.full_name].partition("Publishes ")[2]))
        & set(EVENTS)
    ]
    assert silent == []


def test_a_resource_begins_with_its_id_and_its_etag():
    """What a Get returns. Whatever people change has an etag, and wherever there is one it is number 2."""
    resources = {
        m.output_type
        for m in METHODS
        if m.name.startswith("Get") and "id" in m.output_type.fields_by_name
    }
    changed = {
        m.output_type
        for m in METHODS
        if "etag" in m.input_type.fields_by_name or m.name.startswith("Update")
    }
    assert len(resources) > 8
    for resource in resources | changed:
        assert resource.fields_by_name["id"].number == 1, resource.full_name
        if resource in changed or "etag" in resource.fields_by_name:
            assert resource.fields_by_name["etag"].number == 2, resource.full_name


def test_an_event_tells_of_a_state_with_a_version_or_of_a_report_with_its_source():
    for name, event in EVENTS.items():
        if not {"version", "source"} & set(event.fields_by_name):
            (resource,) = event.fields
            assert "version" in resource.message_type.fields_by_name, name


# Events, as they lie in streams and outboxes.


def examples() -> list[str]:
    return sorted(path.name.removesuffix(".binpb") for path in GOLDEN.glob("*.binpb"))


def test_every_event_has_an_example_and_every_example_its_event():
    assert examples() == sorted(event.full_name for event in EVENTS.values())


@pytest.mark.parametrize("name", examples())
def test_an_event_of_old_still_says_the_same(name):
    event = GetMessageClass(Default().FindMessageTypeByName(name))
    read = event.FromString((GOLDEN / f"{name}.binpb").read_bytes())
    assert json.loads(json_format.MessageToJson(read)) == json.loads(
        (GOLDEN / f"{name}.json").read_text()
    )


def filled(kind: Descriptor) -> Message:
    """An example with every field set, the same every time."""
    message = GetMessageClass(kind)()
    if kind.full_name == "google.protobuf.Timestamp":
        message.FromJsonString("2026-09-04T22:40:00Z")
    elif kind.full_name == "google.type.Date":
        message.year, message.month, message.day = 2026, 9, 4
    else:
        for field in kind.fields:
            _fill(message, field)
    return message


def _fill(message: Message, field: FieldDescriptor) -> None:
    if field.message_type and field.message_type.GetOptions().map_entry:
        getattr(message, field.name)["a"] = "b"
    elif field.message_type and field.is_repeated:
        getattr(message, field.name).append(filled(field.message_type))
    elif field.message_type:
        getattr(message, field.name).CopyFrom(filled(field.message_type))
    elif field.is_repeated:
        getattr(message, field.name).append(_value(field))
    else:
        setattr(message, field.name, _value(field))


def _value(field: FieldDescriptor) -> object:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return f"{field.name} of the example"
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return True
    return 1


def write(names: list[str]) -> None:
    for event in EVENTS.values():
        if event.full_name in names or not (GOLDEN / f"{event.full_name}.binpb").exists():
            message = filled(event)
            (GOLDEN / f"{event.full_name}.binpb").write_bytes(
                message.SerializeToString(deterministic=True)
            )
            (GOLDEN / f"{event.full_name}.json").write_text(
                json_format.MessageToJson(message) + "\n"
            )
            print(event.full_name)


if __name__ == "__main__":
    write(sys.argv[1:])
