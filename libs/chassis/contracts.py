"""The methods of a contract, read from its descriptors: paths, messages, and who may call."""

from dataclasses import dataclass
from functools import reduce
from typing import Any, cast
from uuid import UUID

from carehub.options.v1 import options_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_LONGEST_ID = 64
_CHANGES = (options_pb2.Access.TRANSACTION_WRITE, options_pb2.Access.TRANSACTION_OWN)


class ContractError(Exception):
    """A service that does not fit its contract. It must not start."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC, as its contract has it."""

    name: str
    path: str
    request: type[Message]
    response: type[Message]
    access: options_pb2.Access

    @property
    def is_idempotent(self) -> bool:
        """Whether asking twice is the same as asking once."""
        return self.access.transaction not in _CHANGES

    def resource_of(self, message: Message) -> str:
        """The id that a request names, as its contract says; ids only."""
        if not self.access.resource:
            return ""
        value = reduce(getattr, self.access.resource.split("."), cast("Any", message))
        try:
            return str(UUID(value))
        except ValueError:
            is_id = value.replace("-", "").replace("_", "").isalnum() and len(value) <= _LONGEST_ID
            return value if is_id else ""


def method_of(descriptor: MethodDescriptor) -> Method:
    """The method. Raises if it does not say who may call it."""
    path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
    access = descriptor.GetOptions().Extensions[options_pb2.access]
    if access.transaction == options_pb2.Access.TRANSACTION_UNSPECIFIED:
        raise ContractError(f"{path} has no access option, or one without a transaction")
    open_to = sum((bool(access.permission), access.is_anonymous, access.is_self))
    if open_to > 1 or (not open_to and not access.called_by):
        raise ContractError(
            f"{path} must name one of permission, is_anonymous and is_self, or called_by alone"
        )
    if access.called_by and (access.is_anonymous or access.is_self):
        raise ContractError(f"{path} is open to everybody: called_by says nothing there")
    return Method(
        name=descriptor.name,
        path=path,
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        access=access,
    )


def methods_of(service: ServiceDescriptor) -> list[Method]:
    return [method_of(descriptor) for descriptor in service.methods]
