"""Calls to services: in this process where they live here, otherwise over gRPC. Code cannot tell the difference.

A call has a deadline (of its own, or what is left of the request it is made for), carries caller and trace on, and is
tried again only if asking twice is the same as asking once.
"""

import asyncio
import contextvars
import random
import time
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2

from libs.chassis.contracts import Method, method_of
from libs.chassis.database import in_transaction
from libs.chassis.errors import DeadlineExceeded
from libs.chassis.guard import CALLER_TOKEN, Guard, Request, deadline
from libs.chassis.tls import Certificates, Pems, for_channel
from libs.chassis.wire import CallFailed, from_rpc_error, to_status
from libs.telemetry import tracing

HOP_SECONDS = 0.020  # so that what times out below is still reported as itself above
LEAST_SECONDS = 0.050
_TRIES = 3
_GRACE_SECONDS = 60.0
_OPTIONS = (
    ("grpc.max_metadata_size", 64 * 1024),  # a caller token of a network of many facilities
    ("grpc.absolute_max_metadata_size", 96 * 1024),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    # A service that comes back is found at once: what is taken away is pushed to it.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Where all pods are replaced within half a minute, gRPC would go on asking for the old ones.
    ("grpc.dns_min_time_between_resolutions_ms", 500),
    # A server that is about to end says so by its health, and is sent nothing from then on.
    (
        "grpc.service_config",
        '{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}',
    ),
)
# Between the end of a service's last process that was known here and the address of the next one lie milliseconds.
_REACHED_WITHIN = 1.0
_LOOK_SECONDS = 0.01


class NoAddress(CallFailed):
    """Nobody has said where a service is: to wait and ask again is no use."""

    def __init__(self, service: str) -> None:
        message = f"no address of {service} is known"
        super().__init__(status_pb2.Status(code=code_pb2.UNAVAILABLE, message=message))


class Channels:
    """The way to every service: `local` ones by their guards, the others by address ("host:port")."""

    def __init__(
        self, targets: Mapping[str, str] | None = None, tls: Certificates | None = None
    ) -> None:
        """With `tls` the others are spoken to by it only, else in plain text."""
        self._targets = dict(targets or {})
        self._tls = tls
        self._local: dict[str, Guard] = {}
        self._remote: dict[str, tuple[Pems | None, grpc.aio.Channel]] = {}
        self._retired = set[asyncio.Task[None]]()
        self._methods: dict[MethodDescriptor, Method] = {}

    def add_local(self, guard: Guard) -> None:
        self._local[guard.contract.full_name] = guard

    async def call(
        self,
        method: MethodDescriptor,
        request: Message,
        *,
        caller_token: str | None = None,
        timeout: float = 3.0,
        metadata: Mapping[str, str] | None = None,
    ) -> Message:
        """Call a method. Raises CallFailed with the status of the other side, or of the way there."""
        if in_transaction.get():
            raise RuntimeError("a call to a neighbor inside a transaction would hold its locks")
        known = self._methods.get(method) or self._methods.setdefault(method, method_of(method))
        headers = dict(metadata or {})
        if caller_token:
            headers[CALLER_TOKEN] = caller_token
        if traceparent := tracing.current_traceparent():
            headers[tracing.TRACEPARENT] = traceparent
        began = time.monotonic()
        ends = began + _allowed(timeout)
        reached_by = min(ends, began + _REACHED_WITHIN)
        for attempt in range(_TRIES):
            try:
                return await self._once(known, request, headers, ends, reached_by)
            except CallFailed as failure:
                pause = random.uniform(0, 0.05 * 2**attempt)  # noqa: S311 jitter
                left = ends - time.monotonic() - pause
                again = (
                    failure.code == "UNAVAILABLE"
                    and not isinstance(failure, NoAddress)
                    and known.is_idempotent
                    and attempt < _TRIES - 1
                )
                if not again or left < LEAST_SECONDS:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _once(
        self,
        method: Method,
        request: Message,
        headers: dict[str, str],
        ends: float,
        reached_by: float,
    ) -> Message:
        service = method.path.split("/")[1]
        guard = self._local.get(service)
        if guard is None:
            channel = self._channel(method.path)
            is_there = await _reached(channel, reached_by)
            return await _over_the_wire(channel, method, request, headers, ends, is_there)
        # As the wire does: bytes both ways, and a task with a context of its own.
        arrived = Request(
            method.request.FromString(request.SerializeToString()), headers, ends - time.monotonic()
        )
        task = asyncio.get_running_loop().create_task(
            guard.answer(method.path, arrived), context=contextvars.Context()
        )
        try:
            response = await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise
        return method.response.FromString(response.SerializeToString())

    def _channel(self, path: str) -> grpc.aio.Channel:
        service = path.split("/")[1].split(".")[1]  # carehub.tasking.v1.TaskingService -> tasking
        target = self._targets.get(service)
        if target is None:
            raise NoAddress(service)
        pems = self._tls.refresh() if self._tls else None
        known = self._remote.get(service)
        if known is None or known[0] is not pems:
            if known:
                self._retire(known[1])
            known = self._remote[service] = (pems, _open(target, pems))
        return known[1]

    def _retire(self, channel: grpc.aio.Channel) -> None:
        """End a channel once the calls on it have ended."""
        task = asyncio.create_task(channel.close(grace=_GRACE_SECONDS), name="retired-channel")
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    async def close(self) -> None:
        for _, channel in self._remote.values():
            await channel.close()
        for task in self._retired:
            task.cancel()


def _open(target: str, pems: Pems | None) -> grpc.aio.Channel:
    if pems is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    return grpc.aio.secure_channel(target, for_channel(pems), options=_OPTIONS)


async def _reached(channel: grpc.aio.Channel, by: float) -> bool:
    """Whether somebody is there, or came in time: a request that waits here was not sent, and so is not lost."""
    while channel.get_state(try_to_connect=True) is not grpc.ChannelConnectivity.READY:
        if time.monotonic() > by:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return True


async def _over_the_wire(
    channel: grpc.aio.Channel,
    method: Method,
    request: Message,
    headers: dict[str, str],
    ends: float,
    is_there: bool,
) -> Message:
    """Where somebody is there, who may go in this very moment, it waits for the next one; else it fails at once."""
    call: Any = channel.unary_unary(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )
    try:
        response: Message = await call(
            request,
            timeout=ends - time.monotonic(),
            metadata=tuple(headers.items()),
            wait_for_ready=is_there,
        )
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    return response


def _allowed(timeout: float) -> float:
    """The seconds that this call may take: what it asks for, within what is left of the request it serves."""
    ends = deadline.get()
    if ends is None:
        return timeout
    left = ends - time.monotonic() - HOP_SECONDS
    if left < LEAST_SECONDS:
        raise CallFailed(
            to_status(DeadlineExceeded("TOO_LITTLE_TIME_LEFT", "Too little time was left."), "")
        )
    return min(timeout, left)
