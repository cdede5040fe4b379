"""What the recording of every fact about a patient has in common: where it may be done, and that it takes effect."""

from typing import Protocol, TypeVar
from uuid import UUID, uuid5

from carehub.identity.v1 import care_team_service_pb2, hold_service_pb2, proxy_service_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from libs.chassis.caller import Call
from libs.chassis.errors import NotFound, PermissionDenied
from libs.chassis.fields import to_timestamp, to_uuid
from libs.chassis.pages import bad_token, decode_cursor, encode_cursor, id_in_token, page_size
from services.identity.deciding import Decider, decide_soon
from services.identity.domain.entry import Entry
from services.identity.domain.token import EMERGENCY
from services.identity.store.access import AccessStore
from services.identity.store.merge import MergeStore
from services.identity.store.records import Record, RecordStore

R = TypeVar("R", bound=Record)
ListRequest = (
    proxy_service_pb2.ListProxiesRequest
    | care_team_service_pb2.ListCareTeamRequest
    | hold_service_pb2.ListHoldsRequest
)
_PASSING = frozenset({EMERGENCY})
_RECORDED = UUID("8f5f0f54-1f2b-5a7e-9c1d-4d0a6f6d2b11")


class Answer(Protocol):
    """A message that says from when on it holds."""

    @property
    def effect_time(self) -> Timestamp: ...


async def check_place(call: Call, facility_id: UUID, patient_id: UUID) -> None:
    """Refuse to record at a facility where one may not, or that does not know the patient unless something is granted.

    Whom the patient refuses in person is told what a stranger is told, and so is who sees them in an emergency alone: what
    they recorded would outlast it.
    """
    if facility_id not in call.facilities:
        raise PermissionDenied("FACILITY_OUT_OF_REACH", "Record it at a facility where you may.")
    store, purposes = AccessStore(call.tx), call.capacity.purposes - _PASSING
    if not await store.visible_among([patient_id], call, at=[facility_id], purposes=purposes):
        raise NotFound("PATIENT_NOT_KNOWN", "There is no such patient.", patient_id=str(patient_id))


def id_of_request(call: Call, request_id: str) -> UUID | None:
    """The id that a request of this caller gives what it records, the same each time; None if it has none."""
    if not request_id:
        return None
    return uuid5(_RECORDED, f"{call.caller.subject}|{to_uuid('request_id', request_id)}")


def entry_of(call: Call, patient_id: UUID, facility_id: UUID) -> Entry:
    return Entry(
        patient_id=patient_id, facility_id=facility_id, at=call.tx.at, by=call.caller.subject
    )


async def page_of(call: Call, store: RecordStore[R], request: ListRequest) -> tuple[list[R], str]:
    """A page of what was recorded about a patient, also before a merge, by id, and the token of the next one."""
    size = page_size(request.page_size)
    patient_id = to_uuid("patient_id", request.patient_id)
    match decode_cursor(request.page_token, request):
        case None:
            after = UUID(int=0)
        case [str(id)]:
            after = id_in_token(id)
        case _:
            raise bad_token()
    whose = await MergeStore(call.tx).retired_into([patient_id])
    found = await store.page(whose, after, size + 1)
    if found:
        call.show(patient_id, *(one.patient_id for one in found[:size]))
    return found[:size], encode_cursor([str(found[size - 1].id)], request) if found[size:] else ""


async def take_effect(call: Call, decider: Decider, patient_id: UUID, answer: Answer) -> None:
    """Have it decided anew once this has committed, and say in the answer from when on that holds everywhere."""
    survivor_id = await MergeStore(call.tx).survivor_of(patient_id)
    await decide_soon(call.tx, survivor_id)

    async def step() -> None:
        at = to_timestamp(await decider.at_once([survivor_id]))
        if at is not None:
            answer.effect_time.CopyFrom(at)

    call.afterwards(step)
