"""Around every RPC: who asks, may they, one transaction, the audit row, and only then the answer.

`Guard.answer` is the whole path of a request.
"""

import asyncio
import contextvars
import inspect
import logging
import time
import typing
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
from carehub.options.v1 import options_pb2
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from libs.chassis import audit, idempotency
from libs.chassis.caller import Call, Caller, CallerKind, M
from libs.chassis.contracts import ContractError, Method, methods_of
from libs.chassis.database import (
    CONNECTION_LOST,
    Database,
    Mode,
    NotBegun,
    Transaction,
    in_transaction,
)
from libs.chassis.errors import (
    Aborted,
    DeadlineExceeded,
    DomainError,
    Internal,
    PermissionDenied,
    Unavailable,
)
from libs.chassis.faults import whereabouts
from libs.chassis.sharing import Sharing
from libs.chassis.tokens import CallerVerifier
from libs.chassis.wire import CallFailed, to_status
from libs.telemetry import metrics, tracing

log = logging.getLogger(__name__)
Answer = Callable[[Message, Call], Awaitable[Message]]

CALLER_TOKEN = "x-caller-token"  # noqa: S105 the name of a header
REQUEST_ID = "x-request-id"
IDEMPOTENCY_KEY = "idempotency-key"
CLIENT_ADDRESS = "x-client-address"
_LONGEST_ADDRESS = 45
# What is kept of a request's time to answer it, when what is done after its commit would take all of it.
_TO_ANSWER_SECONDS = 0.1

# When the request that this task works for must be answered; calls to neighbors inherit it.
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
_REFUSALS = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND"})


_KNOWN: tuple[tuple[tuple[type[Exception], ...], type[DomainError], str, str], ...] = (
    (
        (CallFailed,),
        Unavailable,
        "NEIGHBOR_FAILED",
        "A part of CareHub did not answer as it should. Try again.",
    ),
    (
        (TimeoutError, asyncpg.QueryCanceledError),
        DeadlineExceeded,
        "TOOK_TOO_LONG",
        "It took too long. Whether it was done is unknown.",
    ),
    (
        (asyncpg.UniqueViolationError, asyncpg.TransactionRollbackError),
        Aborted,
        "CHANGED_MEANWHILE",
        "Another request changed the same thing at the same time. Try again.",
    ),
    (
        CONNECTION_LOST,
        Unavailable,
        "DATABASE_AWAY",
        "The database does not answer. Try again.",
    ),
)


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


@dataclass(slots=True)
class _Work:
    """A request that may be answered: its method and the code of it, its call, and the context that it arrived in.

    `ready`: its answer, and what has to be committed before it is given, where both needed no transaction.
    """

    method: Method
    request: Request
    call: Call
    code: Answer
    context: contextvars.Context
    ready: tuple[Message, Transaction] | None = None

    @property
    def key(self) -> str:
        """Under which its answer is kept; empty where asking twice is the same as asking once."""
        return "" if self.method.is_idempotent else self.request.headers.get(IDEMPOTENCY_KEY, "")

    def answer(self) -> Awaitable[Message]:
        return self.code(self.request.message, self.call)


@dataclass(slots=True)
class _Own:
    """The transactions of a method that opens them itself."""

    guard: "Guard"
    work: _Work
    has_changed: bool = False

    def look(self) -> typing.AsyncContextManager[Transaction]:
        return self.guard._open(self.work.call, Mode.READ)

    async def change(self, change: Callable[[Transaction], Awaitable[M]]) -> M:
        async with self.guard._open(self.work.call, Mode.WRITE) as tx:
            answer = typing.cast("M", await self.guard._within(tx, self.work, lambda: change(tx)))
        self.has_changed = True
        return answer


class Guard:
    """The guarded methods of one contract. Refuses to be built for a contract that is not kept in full."""

    def __init__(
        self,
        servicer: Servicer,
        database: Database,
        verifier: CallerVerifier,
        alike: Sequence[object] = (),
        let_in: Collection[str] | None = None,
    ) -> None:
        """`alike` have the methods that every service answers alike, where its contract has them.

        `let_in` are the services that may call here at all, of those that contracts list; None: all of them.
        """
        self.contract = servicer.contract
        self.methods = {method.path: method for method in methods_of(servicer.contract)}
        self._answers = {
            m.path: _checked(m, servicer.methods, *alike) for m in self.methods.values()
        }
        self._database = database
        self._verifier = verifier
        self._let_in = let_in
        self._sharing = Sharing(self._together)

    async def answer(self, path: str, request: Request) -> Message:
        """Answer one request, or raise CallFailed: never anything else, and never a text that we did not write."""
        method = self.methods[path]
        call = Call(
            method=path,
            request_id=request.headers.get(REQUEST_ID) or str(uuid4()),
            deadline=time.monotonic() + request.timeout,
            address=request.headers.get(CLIENT_ADDRESS, "")[:_LONGEST_ADDRESS],
        )
        started = time.monotonic()
        token = deadline.set(call.deadline)
        try:
            with tracing.span(path, request.headers, **{"carehub.request_id": call.request_id}):
                async with asyncio.timeout(request.timeout):
                    call.maybe_caller = await self._authenticate(method, request)
                    call.facilities = self._authorize(method, call.maybe_caller)
                    response = await self._run(method, request, call)
            metrics.REQUESTS.labels(path, "OK").inc()
        except Exception as error:
            raise await self._refuse(method, request, call, _understood(error, call)) from error
        finally:
            deadline.reset(token)
            metrics.REQUEST_SECONDS.labels(path).observe(time.monotonic() - started)
        return response

    async def _authenticate(self, method: Method, request: Request) -> Caller | None:
        if method.access.is_anonymous:
            return None
        return await self._verifier.verify(request.headers.get(CALLER_TOKEN, ""))

    def _authorize(self, method: Method, caller: Caller | None) -> frozenset[UUID]:
        """Where the caller may do this: where they hold its permission; PERMISSION_DENIED if nowhere."""
        if caller is None:
            return frozenset()
        if caller.kind is CallerKind.SERVICE:
            self._check_service(method, caller.name)
            return frozenset()
        if method.access.is_self:
            return frozenset[UUID]().union(*caller.roles.values())
        held = caller.permissions.get(method.access.permission)
        if held is None or not method.access.permission:
            raise PermissionDenied(
                "PERMISSION_MISSING",
                "Your roles do not allow this. An administrator of your facility can change them.",
                permission=method.access.permission,
            )
        return held

    def _check_service(self, method: Method, name: str) -> None:
        if name not in method.access.called_by or not (
            self._let_in is None or name in self._let_in
        ):
            raise PermissionDenied(
                "SERVICE_NOT_LISTED", f"{name} is not among the services that may call this."
            )

    async def _run(self, method: Method, request: Request, call: Call) -> Message:
        work = _Work(method, request, call, self._answers[method.path], contextvars.copy_context())
        if method.access.transaction == options_pb2.Access.TRANSACTION_NONE:
            return await work.answer()
        if method.access.transaction == options_pb2.Access.TRANSACTION_OWN:
            response = await self._by_itself(work)
        elif method.access.may_share and IDEMPOTENCY_KEY not in request.headers:
            await self._prepare(work)
            response = await self._sharing.join(
                (method.path, _subject(call), call.facilities, call.capacity), work
            )
        else:
            mode = Mode.READ if method.is_idempotent else Mode.WRITE
            async with self._open(call, mode) as tx:
                response = await self._within(tx, work, work.answer)
        for step in call.steps:
            await _do(step, call)
        return response

    async def _prepare(self, work: "_Work") -> None:
        """Answer before there is a transaction, if it takes none but to write: others may be committing meanwhile."""
        gathered = self._database.not_begun()
        token = in_transaction.set(True)
        try:
            work.ready = (await self._within(gathered, work, work.answer), gathered)
        except NotBegun:
            work.call.forget()
        finally:
            in_transaction.reset(token)

    async def _together(self, group: Sequence["_Work"]) -> list[Message]:
        """Requests of one caller in one transaction, each with the trace and the deadline of its own."""
        last = max((work.call for work in group), key=lambda call: call.deadline)
        answers = []
        async with self._open(last, Mode.WRITE) as tx:
            for work in group:
                if work.ready:
                    answer, gathered = work.ready
                    tx.take_over(gathered)
                    answers.append(answer)
                    continue
                work.call.forget()
                work.context.run(in_transaction.set, True)
                answering = self._within(tx, work, work.answer)
                task = asyncio.create_task(answering, context=work.context)
                answers.append(await task)
        return answers

    async def _by_itself(self, work: "_Work") -> Message:
        """Have a method open its transactions, unless its key has an answer; also one that came while it was refused."""
        if kept := await self._kept(work):
            return kept
        own = work.call.maybe_own = _Own(self, work)
        try:
            answer = await work.answer()
        except DomainError:
            work.call.forget()
            if kept := await self._kept(work):
                return kept
            raise
        if own.has_changed:
            return answer
        raise RuntimeError(f"{work.method.path} was answered without own.change: not audited")

    async def _kept(self, work: "_Work") -> Message | None:
        """What the key of a request was answered with before, if it was."""
        if not work.key:
            return None
        method, message, call = work.method, work.request.message, work.call
        async with self._open(call, Mode.READ) as tx:
            if kept := await idempotency.find(tx, method, call, work.key, message):
                audit.record(tx, call, method.resource_of(message), reason="REPLAYED")
        return kept

    async def _within(
        self, tx: Transaction, work: "_Work", answer: Callable[[], Awaitable[Message]]
    ) -> Message:
        """Answer in a transaction, and leave the audit row with it."""
        method, message, call = work.method, work.request.message, work.call
        call.maybe_tx = tx
        if work.key and (kept := await idempotency.replay(tx, method, call, work.key, message)):
            audit.record(tx, call, method.resource_of(message), reason="REPLAYED")
            return kept
        response = await answer()
        if work.key:
            await idempotency.keep(tx, method, call, work.key, response)
        audit.record(tx, call, method.resource_of(message))
        return response

    def _open(self, call: Call, mode: Mode) -> typing.AsyncContextManager[Transaction]:
        return self._database.person(
            _subject(call), call.facilities, mode, call.deadline - time.monotonic(), call.capacity
        )

    async def _refuse(
        self, method: Method, request: Request, call: Call, error: DomainError
    ) -> CallFailed:
        """Audit a refusal, in a transaction of its own since the request's was rolled back, and make the status."""
        metrics.REQUESTS.labels(method.path, error.code).inc()
        if error.code in _REFUSALS and not method.access.is_anonymous:
            call.shown.clear()
            try:
                async with self._database.person(None, (), Mode.READ, 2.0) as tx:
                    audit.record(
                        tx, call, method.resource_of(request.message), error.code, error.reason
                    )
                metrics.REFUSALS.labels(method.path, error.reason).inc()
            except Exception:  # noqa: BLE001 the database is away: the refusal stands all the same
                log.warning(
                    "refusal not audited", extra={"method": method.path, "reason": error.reason}
                )
        return CallFailed(to_status(error, call.request_id))


async def _do(step: Callable[[], Awaitable[None]], call: Call) -> None:
    """What was left for after the commit. It is committed: whatever fails here, the answer is not that it failed."""
    try:
        async with asyncio.timeout(call.deadline - time.monotonic() - _TO_ANSWER_SECONDS):
            await step()
    except Exception as error:  # noqa: BLE001 what must not be lost has a timer
        log.warning(
            "left undone after a commit",
            extra={
                "method": call.method,
                "request_id": call.request_id,
                "reason": whereabouts(error),
            },
        )


def _subject(call: Call) -> UUID | None:
    return call.maybe_caller.subject if call.maybe_caller else None


def _understood(error: Exception, call: Call) -> DomainError:
    """An error that the caller may hear about, or INTERNAL for what it may not."""
    if isinstance(error, DomainError):
        return error
    for kinds, kind, reason, message in _KNOWN:
        if isinstance(error, kinds):
            return kind(reason, message)
    log.error(
        "unexpected", exc_info=error, extra={"method": call.method, "request_id": call.request_id}
    )
    return Internal("UNEXPECTED", "Something went wrong on our side. Tell us the request id.")


def _checked(method: Method, methods: object, *alike: object) -> Answer:
    """The method's code, if it fits: async, (request, call), of the contract's types."""
    found = (getattr(each, method.name, None) for each in (methods, *alike))
    answer = next(filter(None, found), None)
    if answer is None or not inspect.iscoroutinefunction(answer):
        raise ContractError(f"{type(methods).__name__} has no async method for {method.path}")
    hints = typing.get_type_hints(answer)
    expected = {"request": method.request, "call": Call, "return": method.response}
    for name, kind in expected.items():
        if hints.get(name) is not kind:
            raise ContractError(f"{method.path}: {name} must be {kind.__name__}")
    return typing.cast("Answer", answer)
