"""Who has looked at one's own record, at /v1/me/patients/{id}/looks: for the patient and those who act for them.

Registry is asked for the record first, as the same caller, and identity whom and what may be named. A look by people of a
place that identity does not name is left out: that somebody there looked would tell of a visit that is kept from the caller.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from carehub.identity.v1 import own_record_service_pb2
from carehub.registry.v1 import registry_service_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.accesses import KINDS, TIMEOUT, Day, merged, openapi_of, wanted_of
from gateway.api.authentication import Authenticator, Credentials
from gateway.api.callers import subject_of
from gateway.api.edge import note_of
from gateway.api.problems import from_call
from libs.chassis.channels import Channels
from libs.chassis.guard import CLIENT_ADDRESS
from libs.chassis.wire import CallFailed

PATH = "/v1/me/patients/{patient_id}/looks"
METHOD = "ListOwnLooks"
OPENAPI_PATH = "/v1/me/patients/{patientId}/looks"
_THEMSELVES = frozenset({"PATIENT_REQUEST", "FAMILY_REQUEST"})
_RECORD = registry_service_pb2.DESCRIPTOR.services_by_name["RegistryService"].methods_by_name[
    "GetOwnRecord"
]
_NAMES = own_record_service_pb2.DESCRIPTOR.services_by_name["OwnRecordService"].methods_by_name[
    "GetOwnLookNames"
]
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_LOOK: dict[str, dict[str, Any]] = {
    "day": {"type": "string", "format": "date", "description": "In the time zone asked for."},
    "personName": {"type": "string", "description": "Empty for the patient and their family."},
    "isYou": {"type": "boolean", "description": "Whether it was the caller's own account."},
    "roles": _TEXTS | {"description": "That they held then, anywhere."},
    "places": _TEXTS | {"description": "Where they work, by name."},
    "purposes": _TEXTS | {"description": "The purposes of use, such as TREATMENT."},
    "kinds": {
        "type": "array",
        "items": {"type": "string", "enum": KINDS},
        "description": "What they did.",
    },
    "firstTime": {"type": "string", "format": "date-time", "description": "The first of the day."},
    "lastTime": {"type": "string", "format": "date-time", "description": "The last of the day."},
}
OPENAPI = openapi_of(
    operation_id="ListOwnAccesses",
    summary="Lists who has looked at one's own record, by person and day, the newest first",
    description="For the patient, and for who acts for them as far as they may see visits. Ask with the header X-Purpose: "
    "PATIENT_REQUEST or FAMILY_REQUEST. 404 for everybody else. A page may hold less than was asked for.",
    name="looks",
    row=_LOOK,
    permission="own.read",
)


class OwnAccesses:
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
        """GET /v1/me/patients/{patient_id}/looks."""
        note_of(request.scope).route = PATH
        headers = dict(request.scope["headers"])
        address = request.client.host if request.client else ""
        token = await self._authenticator.caller_token(Credentials(headers, address, is_safe=True))
        wanted = wanted_of(request)
        about = {"x-request-id": note_of(request.scope).request_id, CLIENT_ADDRESS: address}
        record = registry_service_pb2.GetOwnRecordRequest(patient_id=wanted.patient_id)
        await self._told(_RECORD, record, token, about)
        names = own_record_service_pb2.GetOwnLookNamesRequest(patient_id=wanted.patient_id)
        await self._told(_NAMES, names, token, about)  # before the ledgers are asked at all
        answers = await asyncio.gather(
            *(self._ask(one, wanted, token, about) for one in self._methods.values())
        )
        days, next_page_token, unanswered = merged(
            wanted, dict(zip(self._methods, answers, strict=True))
        )
        names.person_ids.extend(sorted({day.first.person_id for day in days}))
        names.facility_ids.extend(sorted({place for day in days for place in day.places}))
        named = await self._told(_NAMES, names, token, about)
        if not isinstance(named, own_record_service_pb2.GetOwnLookNamesResponse):
            raise TypeError("identity answered with another message")
        told: dict[str, Any] = {
            "looks": shown(days, named, subject_of(token)),
            "nextPageToken": next_page_token,
            "unanswered": unanswered,
        }
        return Response(orjson.dumps(told), media_type="application/json")

    async def _told(
        self, method: MethodDescriptor, wanted: Message, token: str, about: Mapping[str, str]
    ) -> Message:
        answer = await self._ask(method, wanted, token, about)
        if isinstance(answer, CallFailed):
            raise from_call(answer)
        return answer

    async def _ask(
        self, method: MethodDescriptor, wanted: Message, token: str, about: Mapping[str, str]
    ) -> Message | CallFailed:
        try:
            return await self._channels.call(
                method, wanted, caller_token=token, timeout=TIMEOUT, metadata=about
            )
        except CallFailed as failed:
            return failed


def shown(
    days: Sequence[Day], named: own_record_service_pb2.GetOwnLookNamesResponse, caller: str
) -> list[dict[str, Any]]:
    """What the caller is told: people, themselves and family; not services, nor of a place that was not named."""
    told = []
    for day in days:
        whole = day.told(named.people)
        is_theirs = not _THEMSELVES.isdisjoint(whole["purposes"])
        is_person = bool(whole["roles"]) or is_theirs
        if is_person and set(day.places) <= set(named.facilities):
            look = {key: whole[key] for key in _LOOK if key in whole}
            places = [named.facilities[place] for place in day.places]
            told.append(look | {"places": places, "isYou": whole["personId"] == caller})
    return told
