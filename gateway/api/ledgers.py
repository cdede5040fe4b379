"""The audit ledger of the whole network at /v1/audit: every service is asked at once, and their rows are one list.

All ledgers are in the same order, and a page token is a place in it. So one token serves every service, and a service
that does not answer is named and not waited for.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from carehub.audit.v1 import audit_pb2
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.authentication import Authenticator, Credentials
from gateway.api.binding import Binder
from gateway.api.edge import note_of
from gateway.api.image import Endpoint, Image
from gateway.api.problems import from_call
from gateway.api.proto_json import form_of
from libs.chassis.channels import Channels
from libs.chassis.fields import to_datetime
from libs.chassis.guard import CLIENT_ADDRESS, REQUEST_ID
from libs.chassis.pages import encode_cursor, page_size
from libs.chassis.wire import CallFailed

PATH = "/v1/audit"
METHOD = "ListAudit"
TIMEOUT = 5.0
_AWAY = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of all services that answered, the newest first."""

    entries: Sequence[audit_pb2.AuditEntry]
    next_page_token: str
    unanswered: Sequence[str]


def ledgers_of(image: Image) -> dict[str, Endpoint]:
    """The RPC that reads a ledger, by the name of its service."""
    return {
        one.method.full_name.split(".")[1]: one
        for one in image.endpoints
        if one.method.name == METHOD
    }


class Ledgers:
    """Asks every service whose contract lets its ledger be read."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        channels: Channels,
        authenticator: Authenticator,
    ) -> None:
        self._endpoints = endpoints
        self._channels = channels
        self._authenticator = authenticator
        self._binder = Binder(next(iter(endpoints.values())))
        self._form = form_of(audit_pb2.AuditEntry.DESCRIPTOR)

    async def answer(self, request: Request) -> Response:
        """GET /v1/audit."""
        note_of(request.scope).route = PATH
        query = request.scope["query_string"]
        token = await self.caller_token(request)
        wanted = self._binder.bind([], query, b"")
        if not isinstance(wanted, audit_pb2.ListAuditRequest):
            raise TypeError("the binder made another message")
        page = await self.read(request, wanted, token)
        told: dict[str, Any] = {
            "entries": [self._form.write(entry) for entry in page.entries],
            "nextPageToken": page.next_page_token,
            "unanswered": list(page.unanswered),
        }
        return Response(orjson.dumps(told), media_type="application/json")

    async def caller_token(self, request: Request) -> str:
        headers = dict(request.scope["headers"])
        address = request.client.host if request.client else ""
        return await self._authenticator.caller_token(Credentials(headers, address, is_safe=True))

    async def read(self, request: Request, wanted: audit_pb2.ListAuditRequest, token: str) -> Page:
        """A page of all ledgers. A Problem if the request is refused, or nobody answers."""
        metadata = {REQUEST_ID: note_of(request.scope).request_id}
        if request.client:
            metadata[CLIENT_ADDRESS] = request.client.host
        answers = await asyncio.gather(
            *(self._ask(one, wanted, token, metadata) for one in self._endpoints.values())
        )
        failures = [one for one in answers if isinstance(one, CallFailed)]
        refused = [one for one in failures if one.code not in _AWAY]
        if refused or len(failures) == len(answers):
            raise from_call((refused or failures)[0])
        named = dict(zip(self._endpoints, answers, strict=True))
        return merged(wanted, named)

    async def _ask(
        self,
        endpoint: Endpoint,
        wanted: audit_pb2.ListAuditRequest,
        token: str,
        metadata: Mapping[str, str],
    ) -> audit_pb2.ListAuditResponse | CallFailed:
        try:
            answer = await self._channels.call(
                endpoint.method, wanted, caller_token=token, timeout=TIMEOUT, metadata=metadata
            )
        except CallFailed as failed:
            return failed
        if not isinstance(answer, audit_pb2.ListAuditResponse):
            raise TypeError(f"{endpoint.method.full_name} answered with another message")
        return answer


def merged(
    wanted: audit_pb2.ListAuditRequest,
    answers: Mapping[str, audit_pb2.ListAuditResponse | CallFailed],
) -> Page:
    """One page of the pages of all: each holds as many of its newest as are asked for, so the newest of all are there."""
    size = page_size(wanted.page_size)
    entries: list[audit_pb2.AuditEntry] = []
    is_more, unanswered = False, []
    for service, answer in answers.items():
        if isinstance(answer, CallFailed):
            unanswered.append(service)
            continue
        entries += answer.entries
        is_more |= bool(answer.next_page_token)
    entries.sort(key=_place, reverse=True)
    page = entries[:size]
    is_more |= len(entries) > size
    return Page(
        entries=page,
        next_page_token=_token(page[-1], wanted) if is_more and page else "",
        unanswered=sorted(unanswered),
    )


def _place(entry: audit_pb2.AuditEntry) -> tuple[int, int, str]:
    return entry.at_time.seconds, entry.at_time.nanos, entry.id


def _token(last: audit_pb2.AuditEntry, wanted: audit_pb2.ListAuditRequest) -> str:
    return encode_cursor([to_datetime(last.at_time).isoformat(), last.id], wanted)
