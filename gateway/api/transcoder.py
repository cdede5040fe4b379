"""REST to gRPC and back, for every RPC whose contract has a path: one ASGI app, no endpoint by hand."""

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

import orjson
from google.protobuf.message import Message
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.api import etags
from gateway.api.authentication import Authenticator, Credentials
from gateway.api.binding import Binder
from gateway.api.edge import Note, note_of
from gateway.api.image import Endpoint, Image
from gateway.api.paths import BadPath, Trie, split_path
from gateway.api.problems import Problem, Violation, from_call, internal, invalid
from gateway.api.proto_json import form_of
from gateway.api.step_up import Level
from libs.chassis.channels import Channels
from libs.chassis.guard import CLIENT_ADDRESS, IDEMPOTENCY_KEY, REQUEST_ID
from libs.chassis.wire import CallFailed

LARGEST_BODY = 3 * 512 * 1024
LONGEST_URL = 8 * 1024
BODY_TAKES = 10.0
MEDIA_TYPES = frozenset({"application/json", "application/merge-patch+json"})

_IDEMPOTENCY_KEY = re.compile(rb"[\x21-\x7e]{1,128}")
_log = logging.getLogger(__name__)


class Route:
    """An endpoint with all that can be prepared for it."""

    def __init__(self, endpoint: Endpoint, level: Level | None = None) -> None:
        self.method = endpoint.method
        self.level = level
        self.template = endpoint.template.text
        self.is_safe = endpoint.is_safe
        self.is_anonymous = endpoint.access.is_anonymous
        self.has_body = bool(endpoint.body)
        self.timeout = endpoint.timeout
        self.etag_path = endpoint.etag_path
        self.binder = Binder(endpoint)
        self.answer = form_of(endpoint.method.output_type)
        self.answers_etag = "etag" in endpoint.method.output_type.fields_by_name


class Transcoder:
    """Answers every path of the contracts."""

    def __init__(
        self,
        image: Image,
        channels: Channels,
        authenticator: Authenticator,
        levels: Mapping[str, Level] | None = None,
    ) -> None:
        self._channels = channels
        self._authenticator = authenticator
        self._trie: Trie[Route] = Trie()
        for endpoint in image.endpoints:
            level = (levels or {}).get(endpoint.method.name)
            self._trie.add(endpoint.http_method, endpoint.template, Route(endpoint, level))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        note = note_of(scope)
        headers = dict(scope["headers"])
        try:
            response = await self._respond(scope, headers, receive, note)
        except Problem as problem:
            response = problem.response(note.request_id)
        except CallFailed as failed:
            refused = from_call(failed, was_conditional=b"if-match" in headers)
            response = refused.response(note.request_id)
        except Exception:  # noqa: BLE001 a bug of ours; the client hears nothing of it
            _log.error("failed", exc_info=True, extra={"request_id": note.request_id})
            response = internal().response(note.request_id)
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    async def _respond(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, note: Note
    ) -> Response:
        route, segments = self._route(scope)
        note.route = route.template
        client = scope.get("client") or ("", 0)
        metadata = _metadata(headers, note) | ({CLIENT_ADDRESS: client[0]} if client[0] else {})
        caller_token = None
        if not route.is_anonymous:
            credentials = Credentials(headers, client[0], is_safe=route.is_safe, level=route.level)
            caller_token = await self._authenticator.caller_token(credentials)
        body = await read_body(headers, receive) if route.has_body else b""
        request = route.binder.bind(segments, scope["query_string"], body)
        _set_version(request, route, headers)
        answer = await self._channels.call(
            route.method,
            request,
            caller_token=caller_token,
            timeout=route.timeout,
            metadata=metadata,
        )
        return _response(route, answer, headers)

    def _route(self, scope: Scope) -> tuple[Route, list[str]]:
        raw = scope.get("raw_path") or scope["path"].encode("ascii", "replace")
        if len(raw) + len(scope["query_string"]) > LONGEST_URL:
            raise Problem(414, "URL_TOO_LONG", "What is long goes into the body.")
        try:
            segments, verb = split_path(raw.partition(b"?")[0])
        except BadPath as bad:
            raise Problem(400, "PATH_UNREADABLE", str(bad)) from None
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if route := self._trie.find(segments, verb, method):
            return route, segments
        allowed = self._trie.methods(segments, verb)
        if not allowed:
            raise Problem(404, "PATH_NOT_FOUND", "The API has no such path. See /docs.")
        allowed += ["HEAD"] if "GET" in allowed else []
        allow = {"Allow": ", ".join(allowed)}
        raise Problem(405, "METHOD_NOT_ALLOWED", f"Only {allow['Allow']}.", headers=allow)


def _metadata(headers: Mapping[bytes, bytes], note: Note) -> dict[str, str]:
    metadata = {REQUEST_ID: note.request_id}
    key = headers.get(b"idempotency-key")
    if key is not None:
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            raise Problem(
                400,
                "IDEMPOTENCY_KEY_UNREADABLE",
                "Idempotency-Key is 1 to 128 visible ASCII characters.",
            )
        metadata[IDEMPOTENCY_KEY] = key.decode()
    return metadata


def _set_version(request: Any, route: Route, headers: Mapping[bytes, bytes]) -> None:
    """Put the version of If-Match where the request has its etag."""
    if route.is_safe or not (wanted := etags.wanted_version(headers)):
        return
    if not route.etag_path:
        raise Problem(
            400, "IF_MATCH_NOT_SUPPORTED", "This has no versions that If-Match could name."
        )
    *parents, name = route.etag_path
    for parent in parents:
        request = getattr(request, parent)
    if getattr(request, name) not in {"", wanted}:
        raise invalid([Violation("etag", "The body names another version than If-Match.")])
    setattr(request, name, wanted)


def _response(route: Route, answer: Message, headers: Mapping[bytes, bytes]) -> Response:
    extra = {}
    if route.answers_etag and (etag := getattr(answer, "etag", "")):
        extra["ETag"] = etags.header_of(etag)
        if route.is_safe and etags.is_known(headers, extra["ETag"]):
            return Response(status_code=304, headers=extra)
    body = orjson.dumps(route.answer.write(answer))
    return Response(body, headers=extra, media_type="application/json")


async def read_body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    """Read a JSON body, or raise a Problem: too large, too slow, or no JSON."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:9]) > LARGEST_BODY:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TAKES):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(499, "CANCELLED", "The client has gone.")
                body += message.get("body", b"")
                if len(body) > LARGEST_BODY:
                    raise _too_large()
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Problem(408, "BODY_TOO_SLOW", "The body did not arrive in time.") from None
    if body:
        _check_type(headers)
    return bytes(body)


def _too_large() -> Problem:
    return Problem(413, "BODY_TOO_LARGE", f"A body has at most {LARGEST_BODY:,} bytes.")


def _check_type(headers: Mapping[bytes, bytes]) -> None:
    text = headers.get(b"content-type", b"").decode("latin-1").lower()
    kind, _, parameters = text.partition(";")
    charset = parameters.partition("charset=")[2].strip(' "')
    encoding = headers.get(b"content-encoding", b"identity").lower()
    if kind.strip() not in MEDIA_TYPES or charset not in {"", "utf-8"} or encoding != b"identity":
        raise Problem(
            415,
            "MEDIA_TYPE_NOT_SUPPORTED",
            "Send application/json in UTF-8, not compressed.",
            headers={"Accept": "application/json"},
        )
