"""The lists of medicines that people enter, and their comparison."""

from uuid import UUID

from carehub.careplans.v1 import reconciliation_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from libs.chassis.fields import check_etag, to_uuid
from services.careplans.convert.medicine import to_medicines, to_side
from services.careplans.convert.words import to_text
from services.careplans.domain.labels import WITHHELD
from services.careplans.domain.medicine import Medicine, parse_medicines
from services.careplans.domain.neighbor import Stay
from services.careplans.domain.reconciliation import (
    MedicineList,
    Reconciliation,
    ReconciliationState,
    Side,
    list_id,
    open_reconciliation,
)
from services.careplans.domain.work import Loop
from services.careplans.events import save_reconciliations
from services.careplans.service.work import must_write_at
from services.careplans.store import MedicineStore, NeighborStore

MOST_SOURCE = 100


async def enter_medicines(request: rpc.EnterMedicinesRequest, call: Call) -> MedicineList:
    """Keep a list, and compare anew if a reconciliation is open."""
    side, medicines = to_side(request.side), _medicines(request)
    source = to_text("source", request.source, MOST_SOURCE)
    stay = await _stay_alone(request, call)
    store = MedicineStore(call.tx)
    lists = {each.side: each for each in await _lists_at(call, stay)}
    known = lists.get(side)
    check_etag(request.etag, known.version if known else 0)
    found = MedicineList(
        id=list_id(stay.encounter_id, stay.facility_id, side),
        version=known.version + 1 if known else 1,
        facility_id=stay.facility_id,
        patient_id=stay.patient_id,
        encounter_id=stay.encounter_id,
        encounter_version=stay.version,
        side=side,
        source=source,
        medicines=medicines,
        entered_by_id=call.caller.subject,
        entered_at=call.tx.at,
        labels=stay.labels,
    )
    if len(sides := {**lists, side: found}) == len(Side):
        await _compare_anew(call, sides)
    await store.save_lists([found])
    call.show(found.patient_id)
    return found


async def _stay_alone(request: rpc.EnterMedicinesRequest, call: Call) -> Stay:
    """The visit, alone with its patient. A merge may have come in between; whoever it moved to is locked second, as merges do."""
    for _ in range(2):
        stay = await _stay(request, call)
        must_write_at(call, stay.facility_id)
        await NeighborStore(call.tx).alone_with([stay.patient_id])
    return stay


async def _lists_at(call: Call, stay: Stay) -> list[MedicineList]:
    found = await MedicineStore(call.tx).lists_about([stay.encounter_id])
    return [each for each in found if each.facility_id == stay.facility_id]


async def _compare_anew(call: Call, lists: dict[Side, MedicineList]) -> None:
    here = lists[Side.BEFORE]
    for before in await MedicineStore(call.tx).about([here.encounter_id]):
        if before.facility_id != here.facility_id:
            continue
        if before.state is ReconciliationState.SIGNED:
            before.must_be_open()
        after = before.compare_anew(lists[Side.BEFORE], lists[Side.AFTER])
        if after != before:
            await save_reconciliations(call.tx, [after.next()])


async def opened(encounter_id: UUID, call: Call) -> Reconciliation:
    """The reconciliation of a stay; a new one if there is none, and opened anew if the patient left after it was signed."""
    store = MedicineStore(call.tx)
    lists = await store.lists_about([encounter_id])
    own = [each for each in lists if each.facility_id in call.facilities] or lists
    if not own:
        raise NotFound("MEDICINES_NOT_FOUND", "Nobody entered medicines for this stay.")
    stay = _as_known(own[0])
    must_write_at(call, stay.facility_id)
    await NeighborStore(call.tx).alone_with([stay.patient_id])
    for found in await store.about([encounter_id]):
        if found.facility_id == stay.facility_id:
            return await _opened_anew(found, call)
    found = open_reconciliation(await _lists_at(call, stay), call.tx.at)
    await save_reconciliations(call.tx, [found])
    return found


async def _opened_anew(found: Reconciliation, call: Call) -> Reconciliation:
    after = found.open_anew()
    if after is found:
        return found
    after = after.next()
    await save_reconciliations(call.tx, [after])
    return after


def _medicines(request: rpc.EnterMedicinesRequest) -> tuple[Medicine, ...]:
    if request.text.strip() and request.medicines:
        raise InvalidArgument(
            "MEDICINES_AMBIGUOUS", "Send either a text or medicines.", field="text"
        )
    return parse_medicines(request.text) if request.text else to_medicines(request.medicines)


async def _stay(request: rpc.EnterMedicinesRequest, call: Call) -> Stay:
    """What is known of the visit: by its loop, by a list that is there; else what the caller says, for their facility alone."""
    encounter_id = to_uuid("encounter_id", request.encounter_id)
    loop = await NeighborStore(call.tx).loop_about(encounter_id)
    lists = await MedicineStore(call.tx).lists_about([encounter_id])
    if loop is None and lists:
        own = [each for each in lists if each.facility_id in call.facilities]
        return _as_known((own or lists)[0])
    if loop:
        known = [each for each in lists if each.facility_id == loop.facility_id]
        return _as_known(known[0]) if known else _of_loop(loop, encounter_id)
    if not (request.patient_id and request.facility_id):
        raise FailedPrecondition(
            "STAY_NOT_KNOWN", "The stay is not known here. Say whose it is, and where."
        )
    asked = to_uuid("patient_id", request.patient_id)
    return Stay(
        encounter_id=encounter_id,
        version=0,
        facility_id=to_uuid("facility_id", request.facility_id),
        patient_id=(await NeighborStore(call.tx).survivors([asked]))[asked],
        labels=WITHHELD,
    )


def _of_loop(loop: Loop, encounter_id: UUID) -> Stay:
    return Stay(
        encounter_id=encounter_id,
        version=0,
        facility_id=loop.facility_id,
        patient_id=loop.patient_id,
        labels=loop.labels,
    )


def _as_known(known: MedicineList) -> Stay:
    return Stay(
        encounter_id=known.encounter_id,
        version=known.encounter_version,
        facility_id=known.facility_id,
        patient_id=known.patient_id,
        labels=known.labels,
    )
