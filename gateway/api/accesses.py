"""Who has looked at a patient, at /v1/patients/{id}/accesses: every service's ledger by person and day, as one list.

Registry is asked for the patient first, as the same caller: who may not see the patient is not told who did. So each
look at this list is a look at the patient, too, and in the list.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from carehub.audit.v1 import audit_pb2
from carehub.identity.v1 import access_service_pb2
from carehub.registry.v1 import registry_service_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.authentication import Authenticator, Credentials
from gateway.api.edge import note_of
from gateway.api.image import Endpoint
from gateway.api.problems import Problem, from_call
from libs.chassis.channels import Channels
from libs.chassis.fields import to_datetime
from libs.chassis.guard import CLIENT_ADDRESS, REQUEST_ID
from libs.chassis.pages import page_size
from libs.chassis.wire import CallFailed
from libs.ledger.entries import action_of
from libs.ledger.looks import Wanted, cursor, day_of

PATH = "/v1/patients/{patient_id}/accesses"
METHOD = "ListLooks"
TIMEOUT = 5.0
# What is done in a service, in words that a screen has a sentence for: where it is read, and where it is changed.
_KINDS: Mapping[str, tuple[str, str]] = {
    "registry": ("RECORD_READ", "RECORD_CHANGED"),
    "careplans": ("PLANS_READ", "PLANS_CHANGED"),
    "tasking": ("WORK_READ", "WORK_CHANGED"),
    "referrals": ("REFERRALS_READ", "REFERRALS_CHANGED"),
    "scheduling": ("VISITS_READ", "VISITS_CHANGED"),
    "interop": ("MESSAGES_READ", "MESSAGES_CHANGED"),
    "messaging": ("TALK_READ", "TALK_CHANGED"),
    "identity": ("SHARING_READ", "SHARING_CHANGED"),
    "analytics": ("SCORES_READ", "SCORES_CHANGED"),
}
_OTHER = ("OTHER_READ", "OTHER_CHANGED")
_LEDGER = "LEDGER_READ"
KINDS = sorted({_LEDGER, *_OTHER, *(kind for both in _KINDS.values() for kind in both)})
_AWAY = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
_PATIENT = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"].methods_by_name[
    "GetPatient"
]
_NAMES = access_service_pb2.DESCRIPTOR.services_by_name["AccessService"].methods_by_name[
    "NamePeople"
]


TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
ACCESS: dict[str, dict[str, Any]] = {
    "day": {"type": "string", "format": "date", "description": "In the time zone asked for."},
    "personId": {"type": "string", "format": "uuid"},
    "personName": {"type": "string", "description": "Empty if it is not known."},
    "roles": TEXTS | {"description": "That they held then, anywhere."},
    "facilityIds": TEXTS | {"description": "Where they work: for which they were answered."},
    "purposes": TEXTS | {"description": "The purposes of use, such as TREATMENT."},
    "kinds": {
        "type": "array",
        "items": {"type": "string", "enum": KINDS},
        "description": "What they did.",
    },
    "firstTime": {"type": "string", "format": "date-time", "description": "The first of the day."},
    "lastTime": {"type": "string", "format": "date-time", "description": "The last of the day."},
}
_QUERY = {
    "pageSize": ("integer", "At most this many; 0 means 50, and more than 500 is taken as 500."),
    "pageToken": ("string", "nextPageToken of the previous page."),
    "timeZone": ("string", "Where a day begins and ends, such as America/Chicago. Absent: UTC."),
}


def openapi_of(
    *,
    operation_id: str,
    summary: str,
    description: str,
    name: str,
    row: Mapping[str, Any],
    permission: str,
) -> dict[str, Any]:
    """The documentation of a list of who has looked, with `row` under `name`."""
    page: dict[str, dict[str, Any]] = {
        name: {
            "type": "array",
            "items": {"type": "object", "properties": row, "required": [*row]},
            "description": "By person and day, the newest day first.",
        },
        "nextPageToken": {
            "type": "string",
            "description": "Empty on the last page, and only there.",
        },
        "unanswered": TEXTS | {"description": "The services that did not answer."},
    }
    schema = {"type": "object", "properties": page, "required": [*page]}
    return {
        "operationId": operation_id,
        "tags": ["audit"],
        "summary": summary,
        "description": description,
        "parameters": [
            {"name": "patientId", "in": "path", "required": True, "schema": {"type": "string"}},
            *(
                {"name": key, "in": "query", "description": words, "schema": {"type": kind}}
                for key, (kind, words) in _QUERY.items()
            ),
        ],
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": schema}}}
        }
        | {
            str(status): {"$ref": f"#/components/responses/Problem{status}"}
            for status in (400, 401, 403, 404, 429, 503)
        },
        "x-permission": permission,
    }


OPENAPI_PATH = "/v1/patients/{patientId}/accesses"
OPENAPI = openapi_of(
    operation_id="ListAccesses",
    summary="Lists who has looked at a patient, by person and day, the newest first",
    description="Of the facilities where patients.read is held, and for a privacy officer everybody. 404 for whom the "
    "patient is hidden from. Reading it is in it, too.",
    name="accesses",
    row=ACCESS,
    permission="patients.read",
)


@dataclass(slots=True)
class Day:
    """One person and one day, of all services."""

    first: audit_pb2.Look
    looks: list[audit_pb2.Look] = field(default_factory=list)

    @property
    def last_at(self) -> Any:
        return max(to_datetime(look.last_time) for look in self.looks)

    @property
    def places(self) -> list[str]:
        return _every(look.facility_ids for look in self.looks)

    def told(self, names: Mapping[str, str]) -> dict[str, Any]:
        first_at = min(to_datetime(look.first_time) for look in self.looks)
        return {
            "day": day_of(self.first).isoformat(),
            "personId": self.first.person_id,
            "personName": names.get(self.first.person_id, ""),
            "roles": _every(look.roles for look in self.looks),
            "facilityIds": self.places,
            "purposes": _every(look.purposes for look in self.looks),
            "kinds": _every(map(kind_of, look.methods) for look in self.looks),
            "firstTime": first_at.isoformat(),
            "lastTime": self.last_at.isoformat(),
        }


def looks_of(ledgers: Iterable[Endpoint], name: str = METHOD) -> dict[str, MethodDescriptor]:
    """The RPC that tells who has looked, by the name of its service: wherever there is a ledger."""
    services = [one.method.containing_service for one in ledgers]
    return {
        service.full_name.split(".")[1]: service.methods_by_name[name]
        for service in services
        if name in service.methods_by_name
    }


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, for the time of one request."""

    channels: Channels
    token: str
    about: Mapping[str, str]

    async def ask(self, method: MethodDescriptor, wanted: Message) -> Message | CallFailed:
        try:
            return await self.channels.call(
                method, wanted, caller_token=self.token, timeout=TIMEOUT, metadata=self.about
            )
        except CallFailed as failed:
            return failed

    async def told(self, method: MethodDescriptor, wanted: Message) -> Message:
        """The answer, or the problem that it was."""
        answer = await self.ask(method, wanted)
        if isinstance(answer, CallFailed):
            raise from_call(answer)
        return answer

    async def ask_all(
        self, methods: Mapping[str, MethodDescriptor], wanted: Message
    ) -> dict[str, Message | CallFailed]:
        answers = await asyncio.gather(*(self.ask(one, wanted) for one in methods.values()))
        return dict(zip(methods, answers, strict=True))


async def asker_of(
    request: Request, path: str, channels: Channels, authenticator: Authenticator
) -> Asker:
    """Who sent a GET to the path."""
    note = note_of(request.scope)
    note.route = path
    headers = dict(request.scope["headers"])
    address = request.client.host if request.client else ""
    token = await authenticator.caller_token(Credentials(headers, address, is_safe=True))
    return Asker(channels, token, {REQUEST_ID: note.request_id, CLIENT_ADDRESS: address})


class Accesses:
    """Asks every service that has a ledger."""

    def __init__(
        self,
        methods: Mapping[str, MethodDescriptor],
        channels: Channels,
        authenticator: Authenticator,
    ) -> None:
        self._methods = methods
        self._channels = channels
        self._authenticator = authenticator

    async def answer(self, request: Request) -> Response:
        """GET /v1/patients/{patient_id}/accesses."""
        asker = await asker_of(request, PATH, self._channels, self._authenticator)
        wanted = wanted_of(request)
        patient = registry_service_pb2.GetPatientRequest(patient_id=wanted.patient_id)
        await asker.told(_PATIENT, patient)
        answers = await asker.ask_all(self._methods, wanted)
        days, next_page_token, unanswered = merged(wanted, answers)
        names = await _names(asker, {day.first.person_id for day in days})
        told: dict[str, Any] = {
            "accesses": [day.told(names) for day in days],
            "nextPageToken": next_page_token,
            "unanswered": unanswered,
        }
        return Response(orjson.dumps(told), media_type="application/json")


async def _names(asker: Asker, person_ids: set[str]) -> Mapping[str, str]:
    """What people are called; nothing if identity is away: the list is worth something without."""
    wanted = access_service_pb2.NamePeopleRequest(person_ids=sorted(person_ids))
    answer = await asker.ask(_NAMES, wanted)
    return answer.names if isinstance(answer, access_service_pb2.NamePeopleResponse) else {}


def merged(
    wanted: Wanted, answers: Mapping[str, Message | CallFailed]
) -> tuple[Sequence[Day], str, list[str]]:
    """A page of the pages of all: of each they hold the newest, so the newest of all are there and whole."""
    failures = [one for one in answers.values() if isinstance(one, CallFailed)]
    refused = [one for one in failures if one.code not in _AWAY]
    if refused or len(failures) == len(answers):
        raise from_call((refused or failures)[0])
    found: dict[tuple[Any, str], Day] = {}
    is_more = False
    for answer in answers.values():
        if isinstance(answer, audit_pb2.ListLooksResponse | audit_pb2.ListOwnLooksResponse):
            is_more |= bool(answer.next_page_token)
            for look in answer.looks:
                found.setdefault((day_of(look), look.person_id), Day(look)).looks.append(look)
    places = sorted(found, reverse=True)
    page = [found[place] for place in places[: page_size(wanted.page_size)]]
    is_more |= len(page) < len(found)
    token = cursor(page[-1].first, wanted) if is_more and page else ""
    page.sort(key=lambda day: (day_of(day.first), day.last_at), reverse=True)
    away = sorted(service for service, one in answers.items() if isinstance(one, CallFailed))
    return page, token, away


def kind_of(method: str) -> str:
    """What a method does, as one of KINDS."""
    service, name = method.split(".")[1], method.rpartition("/")[2]
    if name in {METHOD, "ListOwnLooks", "ListAudit"}:
        return _LEDGER
    reads, changes = _KINDS.get(service, _OTHER)
    return reads if action_of(method) == "R" else changes


def _every(lists: Iterable[Iterable[str]]) -> list[str]:
    return sorted({one for each in lists for one in each})


def wanted_of(request: Request) -> audit_pb2.ListLooksRequest:
    given = request.query_params
    size = given.get("pageSize", "0")
    if unknown := set(given) - set(_QUERY):
        raise Problem(400, "PARAMETER_UNKNOWN", f"There is no parameter {min(unknown)[:64]!r}.")
    if not size.isdecimal() or len(size) > 6:
        raise Problem(400, "PAGE_SIZE_UNREADABLE", "pageSize is a number.")
    return audit_pb2.ListLooksRequest(
        patient_id=request.path_params["patient_id"],
        page_size=int(size),
        page_token=given.get("pageToken", ""),
        time_zone=given.get("timeZone", ""),
    )
