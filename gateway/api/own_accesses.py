"""Who has looked at one's own record, at /v1/me/patients/{id}/looks: for the patient and those who act for them.

Registry is asked for the record first, as the same caller, and identity whom and what may be named. A look by people of a
place that identity does not name is left out: that somebody there looked would tell of a visit that is kept from the caller.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from carehub.audit.v1 import audit_pb2
from carehub.identity.v1 import own_record_service_pb2
from carehub.registry.v1 import registry_service_pb2
from google.protobuf.descriptor import MethodDescriptor
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.accesses import (
    ACCESS,
    TEXTS,
    Day,
    asker_of,
    merged,
    openapi_of,
    wanted_of,
)
from gateway.api.authentication import Authenticator
from gateway.api.callers import subject_of
from libs.chassis.channels import Channels

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
_LOOK: dict[str, dict[str, Any]] = {
    "day": ACCESS["day"],
    "personName": {"type": "string", "description": "Empty for the patient and their family."},
    "isYou": {"type": "boolean", "description": "Whether it was the caller's own account."},
    "roles": ACCESS["roles"],
    "places": TEXTS | {"description": "Where they work, by name."},
    "purposes": ACCESS["purposes"],
    "kinds": ACCESS["kinds"],
    "firstTime": ACCESS["firstTime"],
    "lastTime": ACCESS["lastTime"],
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
        asker = await asker_of(request, PATH, self._channels, self._authenticator)
        asked = wanted_of(request)
        wanted = audit_pb2.ListOwnLooksRequest()
        wanted.ParseFromString(asked.SerializeToString())  # the same fields
        record = registry_service_pb2.GetOwnRecordRequest(patient_id=wanted.patient_id)
        await asker.told(_RECORD, record)
        names = own_record_service_pb2.GetOwnLookNamesRequest(patient_id=wanted.patient_id)
        await asker.told(_NAMES, names)  # before the ledgers are asked at all
        answers = await asker.ask_all(self._methods, wanted)
        days, next_page_token, unanswered = merged(wanted, answers)
        names.person_ids.extend(sorted({day.first.person_id for day in days}))
        names.facility_ids.extend(sorted({place for day in days for place in day.places}))
        named = await asker.told(_NAMES, names)
        if not isinstance(named, own_record_service_pb2.GetOwnLookNamesResponse):
            raise TypeError("identity answered with another message")
        told: dict[str, Any] = {
            "looks": shown(days, named, subject_of(asker.token)),
            "nextPageToken": next_page_token,
            "unanswered": unanswered,
        }
        return Response(orjson.dumps(told), media_type="application/json")


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
