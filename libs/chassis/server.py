"""The gRPC server: guarded methods on the wire, health, reflection, and an end that drops nothing."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from libs.chassis.contracts import Method
from libs.chassis.guard import Guard, Request
from libs.chassis.tls import Certificates
from libs.chassis.wire import CallFailed, abort

log = logging.getLogger(__name__)
_DEFAULT_SECONDS = 10.0
_LONGEST_SECONDS = 60.0
# Who watches this server's health goes elsewhere in a few milliseconds. Once nobody has asked anything for a moment, all have.
_QUIET_SECONDS = 0.25
_LEAVE_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_OPTIONS = (
    ("grpc.max_metadata_size", 64 * 1024),  # a caller token of a network of many facilities
    ("grpc.absolute_max_metadata_size", 96 * 1024),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_connection_age_ms", 300_000),  # so that new pods get their share
    ("grpc.max_connection_age_grace_ms", 30_000),
)


async def serve(
    guards: Sequence[Guard],
    address: str,
    stopping: asyncio.Event,
    tls: Certificates | None = None,
) -> asyncio.Task[None]:
    """Listen, with `tls` to those only who show a certificate. Returns the task that ends the server, within its grace, once `stopping` is set."""
    server = grpc.aio.server(options=_OPTIONS)
    names = [guard.contract.full_name for guard in guards]
    leaving = _Leaving()
    for guard in guards:
        server.add_generic_rpc_handlers((_handlers(guard, leaving),))
    status = _Health()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    reflection.enable_server_reflection(
        (*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    if tls:
        port = server.add_secure_port(address, tls.for_server())
    else:
        port = server.add_insecure_port(address)
    await server.start()
    for name in ("", *names):
        await status.set(name, health_pb2.HealthCheckResponse.SERVING)
    log.info("listening", extra={"port": port})
    return asyncio.create_task(_end(server, status, leaving, stopping), name="grpc")


class _Leaving:
    """Notes when somebody last asked something, and waits until they have all gone elsewhere."""

    def __init__(self) -> None:
        self._asked_at = 0.0

    def note(self) -> None:
        self._asked_at = time.monotonic()

    async def wait(self) -> None:
        began = time.monotonic()
        while (now := time.monotonic()) - began < _LEAVE_SECONDS:
            if now - max(began, self._asked_at) > _QUIET_SECONDS:
                return
            await asyncio.sleep(_LOOK_SECONDS)


class _Health(health.aio.HealthServicer):  # type: ignore[misc]
    """Health, whose watches end before the server does: it would wait its whole grace for them."""

    def __init__(self) -> None:
        super().__init__()
        self._over = asyncio.Event()

    async def Watch(  # noqa: N802 the name of the RPC
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> None:
        watch = asyncio.create_task(super().Watch(request, context), name="health-watch")
        over = asyncio.create_task(self._over.wait(), name="health-over")
        try:
            await asyncio.wait((watch, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            over.cancel()

    def end(self) -> None:
        self._over.set()


async def _end(
    server: grpc.aio.Server, status: _Health, leaving: _Leaving, stopping: asyncio.Event
) -> None:
    """A request that arrived after `stop` would be refused: first whoever sends them has to know."""
    await stopping.wait()
    await status.enter_graceful_shutdown()
    await leaving.wait()
    status.end()
    await server.stop(grace=20.0)


def _handlers(guard: Guard, leaving: _Leaving) -> grpc.GenericRpcHandler:
    methods = {
        method.name: grpc.unary_unary_rpc_method_handler(
            _handler(guard, method, leaving),
            request_deserializer=method.request.FromString,
            response_serializer=method.response.SerializeToString,
        )
        for method in guard.methods.values()
    }
    return grpc.method_handlers_generic_handler(guard.contract.full_name, methods)


def _handler(guard: Guard, method: Method, leaving: _Leaving) -> Any:
    async def answer(
        message: Message, context: "grpc.aio.ServicerContext[Message, Message]"
    ) -> Message | None:
        leaving.note()
        left = context.time_remaining()
        timeout = min(left or _DEFAULT_SECONDS, _LONGEST_SECONDS)
        headers = {k: v for k, v in (context.invocation_metadata() or ()) if isinstance(v, str)}
        try:
            return await guard.answer(method.path, Request(message, headers, timeout))
        except CallFailed as failure:
            await abort(context, failure)
            return None

    return answer
