"""Around every RPC: who asks, may they, one transaction, the audit row, and only then the answer.

`Guard.answer` is the whole path of a request.
"""

import asyncio
import inspect
import logging
import time
import typing
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import reduce
from uuid import UUID, uuid4

import asyncpg
from carehub.options.v1 import options_pb2
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from libs.chassis import audit, idempotency, telemetry
from libs.chassis.caller import Call, Caller
from libs.chassis.contracts import ContractError, Method, methods_of
from libs.chassis.database import CONNECTION_LOST, Database, Mode, Transaction
from libs.chassis.errors import (
    DeadlineExceeded,
    DomainError,
    Internal,
    PermissionDenied,
    Unavailable,
)
from libs.chassis.tokens import CallerVerifier
from libs.chassis.wire import CallFailed, to_status

log = logging.getLogger(__name__)
Answer = Callable[[Message, Call], Awaitable[Message]]

CALLER_TOKEN = "x-caller-token"  # noqa: S105 the name of a header
REQUEST_ID = "x-request-id"
IDEMPOTENCY_KEY = "idempotency-key"

# When the request that this task works for must be answered; calls to neighbours inherit it.
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_REFUSALS = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND"})


@dataclass(frozen=True, slots=True)
class Servicer:
    """A contract and the object whose methods keep it."""

    contract: ServiceDescriptor
    methods: object


@dataclass(frozen=True, slots=True)
class Request:
    """What arrives: a message, its headers, and the seconds in which to answer."""

    message: Message
    headers: Mapping[str, str]
    timeout: float


class Guard:
    """The guarded methods of one contract. Refuses to be built for a contract that is not kept in full."""

    def __init__(
        self,
        servicer: Servicer,
        database: Database,
        verifier: CallerVerifier,
        alike: object = None,
    ) -> None:
        """`alike` has the methods that every service answers alike, where its contract has them."""
        self.contract = servicer.contract
        self.methods = {method.path: method for method in methods_of(servicer.contract)}
        self._answers = {
            m.path: _checked(m, servicer.methods, alike) for m in self.methods.values()
        }
        self._database = database
        self._verifier = verifier

    async def answer(self, path: str, request: Request) -> Message:
        """Answer one request, or raise CallFailed: never anything else, and never a text that we did not write."""
        method = self.methods[path]
        call = Call(
            method=path,
            request_id=request.headers.get(REQUEST_ID) or str(uuid4()),
            deadline=time.monotonic() + request.timeout,
        )
        started = time.monotonic()
        token = deadline.set(call.deadline)
        try:
            with telemetry.span(path, request.headers):
                async with asyncio.timeout(request.timeout):
                    call.maybe_caller = await self._authenticate(method, request)
                    call.facilities = _authorize(method, call.maybe_caller)
                    response = await self._run(method, request, call)
            telemetry.REQUESTS.labels(path, "OK").inc()
        except Exception as error:
            raise await self._refuse(method, request, call, _understood(error, call)) from error
        finally:
            deadline.reset(token)
            telemetry.REQUEST_SECONDS.labels(path).observe(time.monotonic() - started)
        return response

    async def _authenticate(self, method: Method, request: Request) -> Caller | None:
        if method.access.is_anonymous:
            return None
        return await self._verifier.verify(request.headers.get(CALLER_TOKEN, ""))

    async def _run(self, method: Method, request: Request, call: Call) -> Message:
        answer = self._answers[method.path]
        if method.access.transaction == options_pb2.Access.TRANSACTION_NONE:
            return await answer(request.message, call)
        mode = Mode.WRITE if not method.is_idempotent else Mode.READ
        async with self._open(call, mode) as tx:
            call.maybe_tx = tx
            key = request.headers.get(IDEMPOTENCY_KEY, "") if mode is Mode.WRITE else ""
            if key and (kept := await idempotency.replay(tx, method, call, key, request.message)):
                await audit.record(tx, call, _resource(method, request.message), reason="REPLAYED")
                return kept
            response = await answer(request.message, call)
            if key:
                await idempotency.keep(tx, method, call, key, response)
            await audit.record(tx, call, _resource(method, request.message))
        return response

    def _open(self, call: Call, mode: Mode) -> typing.AsyncContextManager[Transaction]:
        subject = call.maybe_caller.subject if call.maybe_caller else None
        return self._database.person(
            subject, call.facilities, mode, call.deadline - time.monotonic()
        )

    async def _refuse(
        self, method: Method, request: Request, call: Call, error: DomainError
    ) -> CallFailed:
        """Audit a refusal, in a transaction of its own since the request's was rolled back, and make the status."""
        telemetry.REQUESTS.labels(method.path, error.code).inc()
        if error.code in _REFUSALS and not method.access.is_anonymous:
            call.shown.clear()
            try:
                async with self._database.person(None, (), Mode.READ, 2.0) as tx:
                    await audit.record(
                        tx, call, _resource(method, request.message), error.code, error.reason
                    )
            except Exception:  # noqa: BLE001 the database is away: the refusal stands all the same
                log.warning(
                    "refusal not audited", extra={"method": method.path, "reason": error.reason}
                )
        return CallFailed(to_status(error, call.request_id))


def _authorize(method: Method, caller: Caller | None) -> frozenset[UUID]:
    """Where the caller holds the permission of this method; PERMISSION_DENIED if nowhere."""
    if caller is None:
        return frozenset()
    if method.access.is_self:
        return frozenset[UUID]().union(*caller.roles.values())
    held = caller.permissions.get(method.access.permission)
    if held is None:
        raise PermissionDenied(
            "PERMISSION_MISSING",
            "Your roles do not allow this. An administrator of your facility can change them.",
            permission=method.access.permission,
        )
    return held


def _understood(error: Exception, call: Call) -> DomainError:
    """An error that the caller may hear about, or INTERNAL for what it may not."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, CallFailed):
        return Unavailable(
            "NEIGHBOR_FAILED", "A part of CareHub did not answer as it should. Try again."
        )
    if isinstance(error, (TimeoutError, asyncpg.QueryCanceledError)):
        return DeadlineExceeded(
            "TOOK_TOO_LONG", "It took too long. Whether it was done is unknown."
        )
    if isinstance(error, CONNECTION_LOST):
        return Unavailable("DATABASE_AWAY", "The database does not answer. Try again.")
    log.error(
        "unexpected", exc_info=error, extra={"method": call.method, "request_id": call.request_id}
    )
    return Internal("UNEXPECTED", "Something went wrong on our side. Tell us the request id.")


def _resource(method: Method, message: Message) -> str:
    """The id that the request names, as its contract says; ids only."""
    if not method.access.resource:
        return ""
    value = reduce(getattr, method.access.resource.split("."), typing.cast("typing.Any", message))
    try:
        return str(UUID(value))
    except ValueError:
        return (
            value if value.replace("-", "").replace("_", "").isalnum() and len(value) <= 64 else ""
        )


def _checked(method: Method, methods: object, alike: object) -> Answer:
    """The method's code, if it fits: async, (request, call), of the contract's types."""
    answer = getattr(methods, method.name, None) or getattr(alike, method.name, None)
    if answer is None or not inspect.iscoroutinefunction(answer):
        raise ContractError(f"{type(methods).__name__} has no async method for {method.path}")
    hints = typing.get_type_hints(answer)
    expected = {"request": method.request, "call": Call, "return": method.response}
    for name, kind in expected.items():
        if hints.get(name) is not kind:
            raise ContractError(f"{method.path}: {name} must be {kind.__name__}")
    return typing.cast("Answer", answer)
