"""How a patient wants to be met: shown as it was written down last, and written down by each facility for itself."""

from uuid import UUID

from carehub.careplans.v1 import careplans_service_pb2 as rpc
from carehub.careplans.v1 import preferences_pb2

from libs.chassis.caller import Call
from libs.chassis.errors import NotFound
from libs.chassis.fields import apply_mask, check_etag, to_uuid
from services.careplans.convert.preferences import preferences_to_proto, to_preferences
from services.careplans.domain.labels import ORDINARY, inherit
from services.careplans.domain.preferences import Preferences, preferences_id
from services.careplans.events import save_preferences
from services.careplans.service.work import labels_at, must_write_at
from services.careplans.store import NeighborStore, PreferenceStore


async def get_preferences(
    request: rpc.GetPreferencesRequest, call: Call
) -> preferences_pb2.Preferences:
    patient_id = to_uuid("patient_id", request.patient_id)
    for found in await PreferenceStore(call.tx).of(await _now(call, patient_id)):
        call.show(found.patient_id)
        return preferences_to_proto(found)
    raise NotFound("PREFERENCES_NOT_FOUND", "Nobody wrote down how they want to be met.")


async def update_preferences(
    request: rpc.UpdatePreferencesRequest, call: Call
) -> preferences_pb2.Preferences:
    """Begin with what was written down last, wherever, so that nobody has to be asked twice: as sensitive as that was."""
    told = request.preferences
    facility_id = to_uuid("preferences.facility_id", told.facility_id)
    must_write_at(call, facility_id)
    asked = to_uuid("preferences.patient_id", told.patient_id)
    patient_id = (await NeighborStore(call.tx).alone_with([asked]))[asked]
    every = await PreferenceStore(call.tx).of(patient_id)
    wanted = preferences_to_proto(every[0]) if every else preferences_pb2.Preferences()
    check_etag(told.etag, every[0].version if every else 0)
    apply_mask(wanted, told, request.update_mask)
    own = next((each for each in every if each.facility_id == facility_id), None)
    begun_with = (each.labels for each in (*every[:1], own) if each)
    labels = await labels_at(call, facility_id, inherit(ORDINARY, *begun_with))
    said = to_preferences(wanted, patient_id, facility_id, labels, call.tx.at)
    after = _written(said, own, max((each.version for each in every), default=0))
    if after != own:
        await save_preferences(call.tx, [after])
    call.show(patient_id)
    return preferences_to_proto(after)


def _written(said: Preferences, own: Preferences | None, newest: int) -> Preferences:
    """As this facility writes it down; the same again is what it was."""
    if own and own.says_the_same(said) and own.version == newest:
        return own
    id = own.id if own else preferences_id(said.patient_id, said.facility_id)
    return said.at(id, said.facility_id, said.labels, said.updated_at, newest + 1)


async def _now(call: Call, patient_id: UUID) -> UUID:
    return (await NeighborStore(call.tx).survivors([patient_id]))[patient_id]
