"""One plan or reconciliation taken up to be changed, alone with its patient, and put back."""

from collections.abc import Callable
from uuid import UUID

from carehub.careplans.v1 import care_plan_pb2, reconciliation_pb2

from libs.chassis.caller import Call, CallerKind
from libs.chassis.errors import InvalidArgument, PermissionDenied
from libs.chassis.fields import check_etag, to_uuid
from services.careplans.convert.medicine import reconciliation_to_proto
from services.careplans.convert.plan import plan_to_proto
from services.careplans.domain.labels import ORDINARY, Label, Labels, inherit
from services.careplans.domain.plan import CarePlan
from services.careplans.domain.reconciliation import Reconciliation
from services.careplans.events import save_plans, save_reconciliations
from services.careplans.store import MedicineStore, NeighborStore, PlanStore

_NOT_AT_WORK = frozenset({"PATIENT_REQUEST", "FAMILY_REQUEST"})


def must_write_at(call: Call, facility_id: UUID) -> None:
    """PERMISSION_DENIED unless a person who works at this facility asks. What a grant shows, nobody writes."""
    if facility_id not in call.facilities or call.capacity.purposes & _NOT_AT_WORK:
        raise PermissionDenied("NOT_YOUR_FACILITY", "Only people of its facility can change it.")
    if call.caller.kind is not CallerKind.PERSON:
        raise PermissionDenied("PERSON_NEEDED", "Only a person can do this.")


async def take_up_plan(call: Call, plan_id: str, etag: str) -> CarePlan:
    """The plan, to be changed by a person of its facility, if it is still what they saw."""
    store = PlanStore(call.tx)
    plan = await store.get(to_uuid("care_plan_id", plan_id))
    must_write_at(call, plan.facility_id)
    await NeighborStore(call.tx).alone_with([plan.patient_id])
    plan = await store.get(plan.id)
    check_etag(etag, plan.version)
    return plan


async def put_back_plan(call: Call, before: CarePlan, after: CarePlan) -> care_plan_pb2.CarePlan:
    """Save what changed, tell of it, and show it; what is as it was is only shown."""
    if after != before:
        after = after.next()
        await save_plans(call.tx, [after])
    return show_plan(call, after)


def show_plan(call: Call, plan: CarePlan) -> care_plan_pb2.CarePlan:
    call.show(plan.patient_id)
    return plan_to_proto(plan, call.facilities)


async def take_up(call: Call, reconciliation_id: str, etag: str) -> Reconciliation:
    """The reconciliation, to be changed by a person of its facility, if it is still what they saw."""
    store = MedicineStore(call.tx)
    found = await store.get(to_uuid("reconciliation_id", reconciliation_id))
    must_write_at(call, found.facility_id)
    await NeighborStore(call.tx).alone_with([found.patient_id])
    found = await store.get(found.id)
    check_etag(etag, found.version)
    return found


async def put_back(
    call: Call, before: Reconciliation, change: Callable[[Reconciliation], Reconciliation]
) -> reconciliation_pb2.Reconciliation:
    """Save what changed, tell of it, and show it; what is as it was is only shown."""
    after = change(before)
    if after != before:
        after = after.next()
        await save_reconciliations(call.tx, [after])
    call.show(after.patient_id)
    return reconciliation_to_proto(after)


async def must_own(call: Call, owner_id: UUID, field: str) -> UUID:
    """The id of an active person or a team: who else could answer for something."""
    known = await NeighborStore(call.tx).owners([owner_id])
    if owner_id not in known or not known[owner_id].is_active:
        raise InvalidArgument("OWNER_UNKNOWN", "Name an active person, or a team.", field=field)
    return owner_id


async def labels_at(call: Call, facility_id: UUID, said: Labels = ORDINARY) -> Labels:
    """How sensitive is what people write at a facility: a program's is a record of that program."""
    is_program = await NeighborStore(call.tx).is_program(facility_id)
    return inherit(said, (Label.PART2,) if is_program else ORDINARY)
