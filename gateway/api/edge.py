"""Around every request: its id, the security headers, one line in the log, and no error that tells too much."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.problems import internal
from libs.chassis import ids
from libs.telemetry import tracing

KEY = "carehub.note"
UNMATCHED = "unmatched"
_QUIET = frozenset({"/healthz", "/readyz"})
# A stream is no action: it lasts as long as somebody looks.
_UNTRACED = _QUIET | {"/v1/stream"}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}

# A client may make up methods; neither the log nor the metrics take them over.
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})

REQUESTS = Counter("carehub_http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "carehub_http_seconds",
    "Time from the request to the end of the answer.",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_log = logging.getLogger("gateway.access")


@dataclass(slots=True)
class Note:
    """What is known of a request: its id, and the template of its route, never its path."""

    request_id: str
    route: str = UNMATCHED


def note_of(scope: Scope) -> Note:
    note: Note = scope[KEY]
    return note


class Edge:
    """The outermost layer. Pure ASGI."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_https: bool,
        new_id: Callable[[], UUID] = ids.new_id,
        now: Callable[[], datetime] = ids.now,
    ) -> None:
        self._app = app
        self._new_id = new_id
        self._now = now
        own = HEADERS | (HSTS if is_https else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in own.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        note = Note(request_id(scope, self._new_id))
        scope[KEY] = note
        if scope["path"] in _UNTRACED:
            await self._answer(scope, receive, send, note)
            return
        told = tracing.from_outside(_traceparent(scope))
        with tracing.span(UNMATCHED, told, **{"carehub.request_id": note.request_id}) as span:
            await self._answer(scope, receive, send, note)
            if span.is_recording():
                span.update_name(f"{_method(scope)} {note.route}")

    async def _answer(self, scope: Scope, receive: Receive, send: Send, note: Note) -> None:
        started, status = time.perf_counter(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(message, note)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:  # noqa: BLE001 the last place where a bug can be kept from the client
            _log.error("failed", exc_info=True, extra={"request_id": note.request_id})
            if not status:
                await internal().response(note.request_id)(scope, receive, send_on)
        if scope["path"] not in _QUIET:
            _tell(scope, note, status, time.perf_counter() - started)

    def _complete(self, message: Message, note: Note) -> None:
        """Add the headers that the answer does not set itself, and what time it is at the hub: a client's clock may be wrong."""
        headers = list(message.get("headers", ()))
        there = {name for name, _ in headers}
        headers += [one for one in self._headers if one[0] not in there]
        headers.append((b"x-request-id", note.request_id.encode()))
        headers.append((b"x-hub-time", self._now().isoformat(timespec="milliseconds").encode()))
        message["headers"] = headers


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else "OTHER"


def _traceparent(scope: Scope) -> str:
    """What a client says of the trace that it began; whatever it is, it is checked before it is used."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return str(value.decode("latin-1"))
    return ""


def _tell(scope: Scope, note: Note, status: int, seconds: float) -> None:
    method = _method(scope)
    REQUESTS.labels(method, note.route, status).inc()
    SECONDS.labels(note.route).observe(seconds)
    _log.info(
        "request",
        extra={
            "method": method,
            "route": note.route,
            "status": status,
            "seconds": round(seconds, 6),
            "request_id": note.request_id,
        },
    )


def request_id(scope: Scope, new_id: Callable[[], UUID]) -> str:
    """Return the client's id of the request if it is a UUID, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and len(value) == 36:
            try:
                return str(UUID(value.decode("ascii")))
            except ValueError:
                break
    return str(new_id())
