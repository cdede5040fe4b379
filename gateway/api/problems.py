"""Errors as application/problem+json (RFC 9457). The only table of HTTP codes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.rpc import error_details_pb2
from starlette.responses import Response

from libs.chassis.wire import CallFailed

MEDIA_TYPE = "application/problem+json"
DOMAIN = "carehub"
TRY_AGAIN_AFTER = 1

STATUS_OF: Mapping[str, int] = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}

TITLES: Mapping[int, str] = {
    400: "The request cannot be carried out as it is",
    401: "Nobody is signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not a method of this path",
    408: "Too slow",
    409: "Somebody else was faster",
    412: "Changed in between",
    413: "Too large",
    414: "The URL is too long",
    415: "Not a media type that is read here",
    429: "Too many requests",
    499: "Cancelled",
    500: "Something went wrong on our side",
    501: "Not built yet",
    503: "Not available right now",
    504: "It took too long",
}

# What an error says that is not one of ours: nothing of its own text, which may show how we are built.
_HIDDEN: Mapping[int, str] = {
    400: "The request is not right.",
    401: "Sign in, or send a valid access token.",
    403: "Your role does not include this.",
    404: "There is no such thing, or it is not yours to see.",
    409: "Read it again and decide again.",
    429: "Try again in a moment.",
    499: "The request was cancelled.",
    501: "This is part of the contract, but not built yet.",
    503: "Nothing was changed unless you hear otherwise. Try again in a moment.",
    504: "Whether it was done is not known. Try again with the same Idempotency-Key.",
}
_NOTHING = (
    "We could not do this. Nothing you sent is shown to others. The request id helps us find it."
)
_OURS_TO_HIDE = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of the request, and what is wrong with it. Never the value itself."""

    field: str
    description: str


class Problem(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.headers = dict(headers or {})

    def document(self, request_id: str) -> dict[str, Any]:
        return {
            "type": f"/problems/{self.reason}",
            "title": TITLES.get(self.status, "Error"),
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            "metadata": self.metadata,
            "fieldViolations": [
                {"field": one.field, "description": one.description} for one in self.violations
            ],
            "requestId": request_id,
        }

    def response(self, request_id: str) -> Response:
        return Response(
            orjson.dumps(self.document(request_id)),
            status_code=self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def internal() -> Problem:
    """Return what a bug looks like from outside."""
    return Problem(500, "INTERNAL", _NOTHING)


def unauthenticated(detail: str = _HIDDEN[401], *, reason: str = "UNAUTHENTICATED") -> Problem:
    """Return the answer to a request without a caller. `invalid_token` only where a token was sent."""
    challenge = 'Bearer realm="carehub"'
    if reason != "NO_CREDENTIALS":
        challenge += ', error="invalid_token"'
    return Problem(401, reason, detail, headers={"WWW-Authenticate": challenge})


def from_call(failed: CallFailed, *, was_conditional: bool = False) -> Problem:
    """Turn the status of a call into a problem. `was_conditional`: the request had If-Match."""
    status = STATUS_OF.get(failed.code, 500)
    info, violations, retry_after = _details(failed)
    is_ours = info is not None and failed.code not in _OURS_TO_HIDE
    reason = info.reason if info and is_ours else failed.code
    if status == STATUS_OF["ABORTED"] and was_conditional and reason.startswith("STALE_"):
        status = 412
    headers = {}
    if status in {429, 503}:
        headers["Retry-After"] = str(retry_after or TRY_AGAIN_AFTER)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="carehub", error="invalid_token"'
    return Problem(
        status if failed.code in STATUS_OF else 500,
        reason if failed.code in STATUS_OF else "UNKNOWN",
        failed.message if is_ours else _HIDDEN.get(status, _NOTHING),
        violations=violations if is_ours else (),
        metadata=_metadata(info) if info and is_ours else None,
        headers=headers,
    )


def _metadata(info: error_details_pb2.ErrorInfo) -> dict[str, str]:
    """Return what an error tells besides; the request id has its own place."""
    return {camel(key): text for key, text in info.metadata.items() if key != "request_id"}


def _details(
    failed: CallFailed,
) -> tuple[error_details_pb2.ErrorInfo | None, list[Violation], int]:
    info, violations, retry_after = None, [], 0
    for detail in failed.details.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            found = error_details_pb2.ErrorInfo.FromString(detail.value)
            info = found if found.domain == DOMAIN else info
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest.FromString(detail.value)
            violations += [
                Violation(camel(one.field), one.description) for one in bad.field_violations
            ]
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            delay = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay
            retry_after = delay.seconds + bool(delay.nanos)
    return info, violations, retry_after


def invalid(violations: Iterable[Violation]) -> Problem:
    """Return the answer to a request whose fields are not right."""
    found = tuple(violations)
    detail = "; ".join(f"{one.field}: {one.description}" for one in found[:3])
    return Problem(400, "REQUEST_INVALID", detail, violations=found)


def camel(path: str) -> str:
    """Spell a field path as JSON does: `birth_date.year` is `birthDate.year`."""
    head, *rest = path.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
