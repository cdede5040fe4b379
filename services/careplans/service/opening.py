"""A plan opened by a person."""

from collections.abc import Callable
from uuid import UUID

from carehub.careplans.v1 import careplans_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition
from libs.chassis.fields import to_uuid
from services.careplans.convert.words import to_labels
from services.careplans.domain.labels import ORDINARY
from services.careplans.domain.neighbor import Facility
from services.careplans.domain.opening import Opening, open_plan
from services.careplans.domain.plan import CarePlan
from services.careplans.domain.template import template
from services.careplans.service.work import labels_at, must_write_at
from services.careplans.store import NeighborStore, PlanStore


async def opened(
    request: rpc.OpenCarePlanRequest, call: Call, new_id: Callable[[], UUID]
) -> CarePlan:
    """The plan that is asked for: one of a template at a time, for a patient at a facility."""
    facility_id = to_uuid("facility_id", request.facility_id)
    must_write_at(call, facility_id)
    neighbors = NeighborStore(call.tx)
    asked = to_uuid("patient_id", request.patient_id)
    patient_id = (await neighbors.alone_with([asked]))[asked]
    made_from = template(request.template)
    if await PlanStore(call.tx).has_active(patient_id, facility_id, made_from.key):
        raise FailedPrecondition("PLAN_OPEN_ALREADY", "The patient has such a plan here.")
    opening = Opening(
        patient_id=patient_id,
        facility=await _facility(call, facility_id),
        by=call.caller.subject,
        labels=await labels_at(
            call, facility_id, to_labels(request.labels) if request.labels else ORDINARY
        ),
        at=call.tx.at,
        around=await neighbors.places([facility_id]),
    )
    return open_plan(made_from, opening, new_id)


async def _facility(call: Call, facility_id: UUID) -> Facility:
    if found := await NeighborStore(call.tx).facility(facility_id):
        return found
    raise FailedPrecondition("FACILITY_NOT_KNOWN", "Its clock is not known yet. Try again.")
