"""Schedules as people make and change them."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from carehub.scheduling.v1 import scheduling_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from libs.chassis.fields import apply_mask, check_etag, to_uuid
from services.scheduling import events
from services.scheduling.convert import schedule_to_proto, to_schedule
from services.scheduling.domain.schedule import Schedule
from services.scheduling.store import ScheduleStore


async def add_schedule(
    request: rpc.CreateScheduleRequest, call: Call, new_id: Callable[[], UUID]
) -> Schedule:
    """The new schedule, or the same one if it is there."""
    asked = request.schedule.id
    wanted = to_schedule(request.schedule, to_uuid("schedule.id", asked) if asked else new_id())
    _check_facility(call, wanted.facility_id)
    store = ScheduleStore(call.tx)
    if same := _already_there(await store.find(wanted.id), wanted.checked()):
        return same
    await store.add(wanted)
    await events.schedule_changed(call.tx, wanted)
    return wanted


async def change_schedule(request: rpc.UpdateScheduleRequest, call: Call) -> Schedule:
    store = ScheduleStore(call.tx)
    before = await store.hold(to_uuid("schedule.id", request.schedule.id))
    _check_facility(call, before.facility_id)
    check_etag(request.schedule.etag, before.version)
    message = schedule_to_proto(before)
    apply_mask(message, request.schedule, request.update_mask)
    wanted = to_schedule(message, before.id)
    if wanted.facility_id != before.facility_id:
        raise InvalidArgument(
            "SCHEDULE_STAYS", "Make another schedule at the other facility.", field="schedule"
        )
    after = before.changed_to(wanted)
    if after != before:
        await store.save(after)
        await events.schedule_changed(call.tx, after)
    return after


def _already_there(existing: Schedule | None, wanted: Schedule) -> Schedule | None:
    if existing is None or replace(wanted, version=existing.version) == existing:
        return existing
    raise FailedPrecondition(
        "SCHEDULE_EXISTS", "This id is taken by another schedule.", schedule_id=str(wanted.id)
    )


def _check_facility(call: Call, facility_id: UUID) -> None:
    if facility_id not in call.facilities:
        raise PermissionDenied(
            "SCHEDULE_NOT_YOURS", "Only people of the facility make and change its schedules."
        )
