"""Pages of schedules and appointments, and what is free."""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import dropwhile, islice
from uuid import UUID

from carehub.scheduling.v1 import scheduling_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_uuid
from libs.chassis.pages import (
    bad_token,
    decode_cursor,
    encode_cursor,
    id_in_token,
    page_size,
    page_start,
    token_after,
)
from services.scheduling.convert import to_date, to_instant, to_purpose
from services.scheduling.domain.appointment import Appointment
from services.scheduling.domain.schedule import Schedule, Slot, Taken, free
from services.scheduling.store import (
    FIRST,
    LAST,
    AppointmentStore,
    DirectoryStore,
    ScheduleStore,
)

USUAL_WINDOW, LONGEST_WINDOW = timedelta(days=14), timedelta(days=62)
_NOTHING = UUID(int=0)


async def list_schedules(
    request: rpc.ListSchedulesRequest, call: Call
) -> tuple[list[Schedule], str]:
    """A page of schedules by practitioner, and the token of the next."""
    size = page_size(request.page_size)
    facility_id = to_uuid("facility_id", request.facility_id) if request.facility_id else None
    found = await ScheduleStore(call.tx).page(facility_id, _after(request), size + 1)
    page = found[:size]
    if len(found) == len(page):
        return page, ""
    return page, encode_cursor([page[-1].practitioner, str(page[-1].id)], request)


async def list_free(request: rpc.ListFreeSlotsRequest, call: Call) -> tuple[list[Slot], str]:
    """A page of what is free where the caller may read appointments, the soonest first, and the token of the next."""
    size = page_size(request.page_size)
    since, until = _window(request, call.tx.at)
    purpose = to_purpose(request.purpose)
    schedules = [each for each in await _asked_for(request, call) if each.is_for(purpose)]
    store = ScheduleStore(call.tx)
    taken = defaultdict[UUID, list[Taken]](list)
    for each in await store.taken([schedule.id for schedule in schedules], since, until):
        taken[each.schedule_id].append(each)
    facilities = await DirectoryStore(call.tx).facilities(s.facility_id for s in schedules)
    offers: list[Iterator[Slot]] = [
        free(s.slots(facilities[s.facility_id].zone, since, until), taken[s.id])
        for s in schedules
        if s.facility_id in facilities
    ]
    after, after_id = page_start(request.page_token, request, FIRST)
    soonest = heapq.merge(*offers, key=_place)
    left = dropwhile(lambda slot: _place(slot) <= (after, after_id), soonest)
    found = list(islice(left, size + 1))
    page = found[:size]
    if len(found) == len(page):
        return page, ""
    return page, token_after(page[-1].start_at, page[-1].schedule_id, request)


def _place(slot: Slot) -> tuple[datetime, UUID]:
    """Where it stands in the list: no schedule has two slots at once."""
    return slot.start_at, slot.schedule_id


async def _asked_for(request: rpc.ListFreeSlotsRequest, call: Call) -> list[Schedule]:
    store = ScheduleStore(call.tx)
    places = call.facilities
    if request.facility_id:
        places &= {to_uuid("facility_id", request.facility_id)}
    if request.schedule_id:
        schedule = await store.get(to_uuid("schedule_id", request.schedule_id))
        return [schedule] if schedule.facility_id in places else []
    return await store.at(places)


def _window(request: rpc.ListFreeSlotsRequest, now: datetime) -> tuple[datetime, datetime]:
    """From when to when is looked for. Nothing that has begun is free."""
    since = to_instant("start_time", request) if request.HasField("start_time") else now
    try:
        until = since + USUAL_WINDOW
        if request.HasField("end_time"):
            until = to_instant("end_time", request)
        is_too_long = until - since > LONGEST_WINDOW
    except OverflowError:
        is_too_long = True
    if is_too_long:
        raise InvalidArgument("WINDOW_TOO_LONG", "Look 62 days ahead at most.", field="end_time")
    return max(since, now), until


async def list_appointments(
    request: rpc.ListAppointmentsRequest, call: Call
) -> tuple[list[Appointment], str]:
    """A page of a patient's appointments, or of a facility's day, and the token of the next."""
    size = page_size(request.page_size)
    is_of_day = bool(request.facility_id and request.HasField("date"))
    if bool(request.patient_id) == is_of_day:
        raise InvalidArgument(
            "APPOINTMENTS_OF_WHOM", "Name either a patient, or a facility and a day."
        )
    if is_of_day:
        found = await _on_day(request, call, size + 1)
    else:
        patient_id = to_uuid("patient_id", request.patient_id)
        before = page_start(request.page_token, request, LAST)
        found = await AppointmentStore(call.tx).of_patient(patient_id, before, size + 1)
    page = found[:size]
    if len(found) == len(page):
        return page, ""
    return page, token_after(page[-1].start_at, page[-1].id, request)


async def _on_day(
    request: rpc.ListAppointmentsRequest, call: Call, limit: int
) -> list[Appointment]:
    facility_id = to_uuid("facility_id", request.facility_id)
    on = to_date("date", request.date)
    facilities = await DirectoryStore(call.tx).facilities([facility_id])
    if facility_id not in facilities:
        return []
    try:
        day = facilities[facility_id].day(on)
    except OverflowError as error:
        raise InvalidArgument("DAY_TOO_FAR", "No calendar has that day.", field="date") from error
    after = page_start(request.page_token, request, FIRST)
    return await AppointmentStore(call.tx).on_day(facility_id, day, after, limit)


def _after(request: rpc.ListSchedulesRequest) -> tuple[str, UUID]:
    """After which practitioner and schedule the page begins."""
    match decode_cursor(request.page_token, request):
        case None:
            return "", _NOTHING
        case [str(practitioner), str(schedule_id)]:
            return practitioner, id_in_token(schedule_id)
    raise bad_token()
