"""Server-sent events at /v1/stream: what changed, as kinds and ids. What it is now, the client asks as always.

    event: task
    data: {"id":"…","patientId":"…"}

`resync` instead says that something may have been missed. Comments keep the connection open; the stream ends with the
caller's right to it, and browsers come back by themselves.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
from carehub.identity.v1 import identity_service_pb2
from starlette.types import Receive, Scope, Send

from gateway.api.authentication import Authenticator, Credentials
from gateway.api.edge import note_of
from gateway.api.live import Change, Live, Subscriber
from gateway.api.problems import Problem, from_call
from libs.chassis.caller import Caller
from libs.chassis.channels import Channels
from libs.chassis.errors import DomainError
from libs.chassis.tokens import CallerVerifier
from libs.chassis.wire import CallFailed, to_status

PATH = "/v1/stream"
HEARTBEAT = 15.0
RENEW_EVERY = 5.0
BURST = 0.1
# Most of what happens in a region happens elsewhere: identity is asked about it in bursts.
ASK_EVERY = 2.0
REMEMBERED = 5.0
RESYNC_EVERY = 5.0
SEND_TAKES = 20.0
MOST_STREAMS = 2000
MOST_PER_CALLER = 12

_log = logging.getLogger(__name__)
_METHODS = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"].methods_by_name
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx and its like must not collect it
]
# The id is only there for the browser to send it back: then it has been here, and may have missed something.
_WELCOME = b"retry: 3000\nid: 1\n\n"
_COMMENT = b":\n\n"
_RESYNC = b"event: resync\ndata: {}\n\n"


class Stream:
    """The ASGI app of that one path."""

    def __init__(
        self,
        live: Live | None,
        channels: Channels,
        authenticator: Authenticator,
        stopping: asyncio.Event,
    ) -> None:
        self._live = live
        self._channels = channels
        self._authenticator = authenticator
        self._stopping = stopping
        self._verifier = CallerVerifier(self._keys)
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        note = note_of(scope)
        note.route = PATH
        client = scope.get("client") or ("", 0)
        headers = dict(scope["headers"])
        credentials = Credentials(headers, client[0], is_safe=True, is_use=False)
        try:
            connection = await self._admit(scope, credentials)
        except Problem as problem:
            await problem.response(note.request_id)(scope, receive, send)
            return
        if b"last-event-id" in headers:
            connection.subscriber.miss()
        subject = str(connection.subscriber.caller.subject)
        self._open[subject] += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._run(connection, receive, send)
        finally:
            self._open[subject] -= 1
            self._open += Counter()  # forgets who has none

    async def _admit(self, scope: Scope, credentials: Credentials) -> "Connection":
        if scope["method"] != "GET":
            raise Problem(405, "METHOD_NOT_ALLOWED", "Only GET.", headers={"Allow": "GET"})
        if self._live is None:
            raise Problem(
                503, "STREAM_NOT_AVAILABLE", "This gateway was not told of a broker to listen to."
            )
        connection = Connection(credentials, self._authenticator, self._verifier, self._channels)
        caller = await connection.begin()
        is_full = self._open.total() >= MOST_STREAMS
        if is_full or self._open[str(caller.subject)] >= MOST_PER_CALLER:
            raise Problem(
                503 if is_full else 429,
                "TOO_MANY_STREAMS",
                "One stream per browser is enough. Close one, or try again later.",
                headers={"Retry-After": "10"},
            )
        return connection

    async def _run(self, connection: "Connection", receive: Receive, send: Send) -> None:
        """Tell until the client has gone, the process ends, or the caller may no longer hear it."""
        if self._live is None:
            return
        self._live.subscribe(connection.subscriber)
        telling = asyncio.create_task(connection.tell(send))
        ends = [asyncio.create_task(_gone(receive)), asyncio.create_task(self._stopping.wait())]
        try:
            await asyncio.wait([telling, *ends], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._live.leave(connection.subscriber)
            for task in (telling, *ends):
                task.cancel()
            how, *_ = await asyncio.gather(telling, *ends, return_exceptions=True)
            if isinstance(how, Exception):
                _log.error("a stream failed", exc_info=how)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(1.0):
                await send({"type": "http.response.body", "body": b""})

    async def _keys(self) -> str:
        answer: Any = await self._channels.call(
            _METHODS["GetCallerKeys"], identity_service_pb2.GetCallerKeysRequest()
        )
        return str(answer.jwks)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Connection:
    """One open stream: renews who is asking, and tells what waits for them."""

    def __init__(
        self,
        credentials: Credentials,
        authenticator: Authenticator,
        verifier: CallerVerifier,
        channels: Channels,
    ) -> None:
        self.subscriber: Subscriber
        self._credentials = credentials
        self._authenticator = authenticator
        self._verifier = verifier
        self._channels = channels
        self._token = ""
        self._renew_at = self._ask_at = self._resync_at = 0.0
        # Of patients that identity was asked about: whether they may be seen, and until when that counts.
        self._answers: dict[str, tuple[bool, float]] = {}

    async def begin(self) -> Caller:
        caller = await self._caller()
        self.subscriber = Subscriber(caller)
        self._renew_at = time.monotonic() + RENEW_EVERY
        return caller

    async def _caller(self) -> Caller:
        """Ask anew who this is, or raise a Problem: the session has ended, the person has left."""
        self._token = await self._authenticator.caller_token(self._credentials)
        try:
            return await self._verifier.verify(self._token)
        except DomainError as error:
            # Only who is not believed is nobody (401, the session's end to a browser): identity may be away as well.
            raise from_call(CallFailed(to_status(error, ""))) from error

    async def tell(self, send: Send) -> None:
        """Write until the caller is nobody any more, or the client does not read."""
        news = self.subscriber.news
        heartbeat_at = 0.0
        with contextlib.suppress(Problem, TimeoutError):
            await _write(send, _WELCOME)
            while True:
                await _wait(news, until=min(heartbeat_at, self._wakes_at()))
                if news.is_set():
                    await asyncio.sleep(BURST)
                    news.clear()
                now = time.monotonic()
                if now >= self._renew_at:
                    self.subscriber.caller = await self._caller()
                    self._renew_at = now + RENEW_EVERY
                text = await self._text(now)
                if text or now >= heartbeat_at:
                    await _write(send, text or _COMMENT)
                    heartbeat_at = time.monotonic() + HEARTBEAT

    def _wakes_at(self) -> float:
        """When there is something to do besides news."""
        waiting = self.subscriber
        ask_at = self._ask_at if waiting.foreign else self._renew_at
        resync_at = self._resync_at if waiting.has_missed else self._renew_at
        return min(self._renew_at, ask_at, resync_at)

    async def _text(self, now: float) -> bytes:
        waiting = self.subscriber
        if waiting.has_missed:
            if now < self._resync_at:
                return b""
            self._resync_at = now + RESYNC_EVERY
            waiting.has_missed = False
            return _RESYNC
        told = list(waiting.own.values())
        waiting.own.clear()
        if waiting.foreign and now >= self._ask_at:
            self._ask_at = now + ASK_EVERY
            asked = list(waiting.foreign.values())
            waiting.foreign.clear()
            visible = await self._visible({one.patient_id for one in asked}, now)
            told += [one for one in asked if one.patient_id in visible]
        return b"".join(_event(one) for one in told)

    async def _visible(self, patients: Iterable[str], now: float) -> set[str]:
        """Those of the patients whom the caller may see; while identity does not say, none."""
        self._answers = {id: known for id, known in self._answers.items() if known[1] > now}
        patients = set(patients)
        unknown = sorted(patients - self._answers.keys())
        if unknown:
            request = identity_service_pb2.FilterVisibleRequest(patient_ids=unknown)
            try:
                answer: Any = await self._channels.call(
                    _METHODS["FilterVisible"], request, caller_token=self._token
                )
            except CallFailed:
                self.subscriber.miss()
                return set()
            seen = set(answer.patient_ids)
            self._answers |= {id: (id in seen, now + REMEMBERED) for id in unknown}
        return {id for id in patients if self._answers[id][0]}


def _event(change: Change) -> bytes:
    data = {"id": change.id} | ({"patientId": change.patient_id} if change.patient_id else {})
    return b"event: %b\ndata: %b\n\n" % (change.kind.encode(), orjson.dumps(data))


async def _write(send: Send, text: bytes) -> None:
    async with asyncio.timeout(SEND_TAKES):
        await send({"type": "http.response.body", "body": text, "more_body": True})


async def _wait(news: asyncio.Event, until: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, until - time.monotonic())):
            await news.wait()
