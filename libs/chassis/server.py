"""The gRPC server: guarded methods on the wire, health, reflection, and an end that drops nothing."""

import asyncio
import logging
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
    for guard in guards:
        server.add_generic_rpc_handlers((_handlers(guard),))
    status = health.aio.HealthServicer()
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
    return asyncio.create_task(_end(server, status, stopping), name="grpc")


async def _end(server: grpc.aio.Server, status: Any, stopping: asyncio.Event) -> None:
    await stopping.wait()
    await status.enter_graceful_shutdown()
    await server.stop(grace=20.0)


def _handlers(guard: Guard) -> grpc.GenericRpcHandler:
    methods = {
        method.name: grpc.unary_unary_rpc_method_handler(
            _handler(guard, method),
            request_deserializer=method.request.FromString,
            response_serializer=method.response.SerializeToString,
        )
        for method in guard.methods.values()
    }
    return grpc.method_handlers_generic_handler(guard.contract.full_name, methods)


def _handler(guard: Guard, method: Method) -> Any:
    async def answer(
        message: Message, context: "grpc.aio.ServicerContext[Message, Message]"
    ) -> Message | None:
        left = context.time_remaining()
        timeout = min(left or _DEFAULT_SECONDS, _LONGEST_SECONDS)
        headers = {k: v for k, v in (context.invocation_metadata() or ()) if isinstance(v, str)}
        try:
            return await guard.answer(method.path, Request(message, headers, timeout))
        except CallFailed as failure:
            await abort(context, failure)
            return None

    return answer
