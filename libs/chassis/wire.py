"""Between our errors and the wire's statuses (AIP-193): the one place that knows both."""

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from libs.chassis.errors import DomainError, InvalidArgument

DOMAIN = "carehub"
_STATUS = {
    name: getattr(grpc.StatusCode, name)
    for name in code_pb2.Code.DESCRIPTOR.values_by_name
    if name != "OK"
}


class CallFailed(Exception):
    """What a caller of an RPC gets when it failed: the canonical code, a message, and the details."""

    def __init__(self, details: status_pb2.Status) -> None:
        super().__init__(f"{code_pb2.Code.Name(details.code)}: {reason_of(details)}")
        self.code: str = code_pb2.Code.Name(details.code)
        self.message = details.message
        self.details = details

    @property
    def reason(self) -> str:
        return reason_of(self.details)


def to_status(error: DomainError, request_id: str) -> status_pb2.Status:
    """The status that tells of an error: its code, its sentence, its ErrorInfo and, for forms, the fields to mend."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=DOMAIN, metadata={**error.metadata, "request_id": request_id}
    )
    details: list[Message] = [info]
    if isinstance(error, InvalidArgument) and error.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=field, description=description
                    )
                    for field, description in error.violations
                ]
            )
        )
    return status_pb2.Status(
        code=code_pb2.Code.Value(error.code),
        message=error.message,
        details=[_packed(d) for d in details],
    )


def _packed(message: Message) -> AnyMessage:
    out = AnyMessage()
    out.Pack(message)
    return out


def reason_of(status: status_pb2.Status) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def from_rpc_error(error: grpc.aio.AioRpcError) -> CallFailed:
    """The failure that came over the wire, with its details where the other side sent any."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            return CallFailed(status_pb2.Status.FromString(value))
    return CallFailed(status_pb2.Status(code=error.code().value[0], message=error.details() or ""))


async def abort(context: "grpc.aio.ServicerContext[Message, Message]", failure: CallFailed) -> None:
    """End a call over the wire with this failure."""
    context.set_trailing_metadata(
        (("grpc-status-details-bin", failure.details.SerializeToString()),)
    )
    await context.abort(_STATUS[failure.code], failure.message)
