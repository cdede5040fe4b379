"""Minutes: written down, corrected, told together with what was done, and listed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from carehub.tasking.v1 import tasking_service_pb2 as rpc
from carehub.tasking.v1 import time_pb2

from libs.calendars.calendar import calendar_for
from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition, NotFound, PermissionDenied
from libs.chassis.fields import to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.tasking.convert import to_optional_id, to_text
from services.tasking.convert.ledger import (
    entry_to_proto,
    to_activity,
    to_program,
    to_spent,
    to_times,
    totals_to_proto,
)
from services.tasking.domain.billing import billing_rules
from services.tasking.domain.labels import Label, Labels
from services.tasking.domain.owner import Directory
from services.tasking.domain.role_class import RoleClass
from services.tasking.domain.time_ledger import (
    MonthTotal,
    TimeEntry,
    checked,
    month_totals,
)
from services.tasking.events import time_recorded
from services.tasking.service.work import Work
from services.tasking.store import DirectoryStore, Newest, RecordStore, TaskStore, TimeStore

MOST_REASON = 500
END = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))  # after every row


async def record_time(told: time_pb2.TimeEntry, call: Call, entry_id: UUID) -> time_pb2.TimeEntry:
    """The caller's own minutes, for a patient of one of their facilities."""
    start_at, end_at = to_times(told)
    facility_id = to_uuid("facility_id", told.facility_id)
    patient_id = to_uuid("patient_id", told.patient_id)
    directory = await DirectoryStore(call.tx).at([facility_id])
    entry = TimeEntry(
        id=entry_id,
        facility_id=facility_id,
        patient_id=patient_id,
        staff_id=call.caller.subject,
        role_class=class_of(call.caller.subject, facility_id, directory),
        program=to_program(told.program),
        start_at=start_at,
        end_at=end_at,
        activity=to_activity(told.activity),
        is_face_to_face=told.is_face_to_face,
        is_interactive=told.is_interactive or told.is_face_to_face,
        task_id=to_optional_id("task_id", told.task_id),
        labels=await _labels(told, facility_id, patient_id, call),
        recorded_by_id=call.caller.subject,
        recorded_at=call.tx.at,
    )
    return await _add(entry, call)


async def correct_time(
    request: rpc.CorrectTimeRequest, call: Call, entry_id: UUID
) -> time_pb2.TimeEntry:
    """Another entry in the place of one of the caller's own."""
    reason = to_text("reason", request.reason, MOST_REASON, is_required=True)
    before = await TimeStore(call.tx).get(to_uuid("entry_id", request.entry_id))
    if before.staff_id != call.caller.subject or before.facility_id not in call.facilities:
        raise PermissionDenied("TIME_NOT_YOURS", "Only who worked the minutes can correct them.")
    await TimeStore(call.tx).lock(before.staff_id)
    if await TimeStore(call.tx).replacing(before.id):
        raise FailedPrecondition("TIME_REPLACED", "It was corrected before. Correct the newest.")
    after = replace(
        before,
        id=entry_id,
        recorded_by_id=call.caller.subject,
        recorded_at=call.tx.at,
        revision=before.revision + 1,
        replaces_id=before.id,
        reason=reason,
        is_withdrawn=request.entry.is_withdrawn,
    )
    if not after.is_withdrawn:
        told, (start_at, end_at) = request.entry, to_times(request.entry)
        after = replace(
            after,
            program=to_program(told.program, before.program),
            activity=to_activity(told.activity, before.activity),
            start_at=start_at,
            end_at=end_at,
            is_face_to_face=told.is_face_to_face,
            is_interactive=told.is_interactive or told.is_face_to_face,
        )
    return await _add(after, call)


async def record_spent(
    told: time_pb2.TimeSpent,
    work: Work,
    call: Call,
    entry_id: UUID,
    *,
    activity: str,
    until: datetime,
) -> None:
    """The minutes that were told together with what was done in a task, if any were."""
    task, is_there = work.task, told.is_face_to_face
    start_at, end_at = to_spent(told, until)
    entry = TimeEntry(
        id=entry_id,
        facility_id=task.facility_id,
        patient_id=task.patient_id,
        staff_id=call.caller.subject,
        role_class=class_at(work, call),
        program=billing_rules().program_of_protocol.get(work.loop.protocol, "other"),
        start_at=start_at,
        end_at=end_at,
        activity=activity,
        is_face_to_face=is_there,
        is_interactive=is_there or activity == "call",
        task_id=task.id,
        labels=task.labels,
        recorded_by_id=call.caller.subject,
        recorded_at=call.tx.at,
    )
    await _add(entry, call)


async def _add(entry: TimeEntry, call: Call) -> time_pb2.TimeEntry:
    store = TimeStore(call.tx)
    await store.lock(entry.staff_id)
    checked(entry, await store.around(entry), now=call.tx.at)
    await store.add(entry)
    await time_recorded(call.tx, entry)
    call.show(entry.patient_id)
    return entry_to_proto(entry)


def class_at(work: Work, call: Call) -> RoleClass:
    """What the caller's work in a task counts as, from now on: also when they are something else."""
    return class_of(call.caller.subject, work.task.facility_id, work.directory)


def class_of(staff_id: UUID, facility_id: UUID, directory: Directory) -> RoleClass:
    """What somebody's work at a facility counts as."""
    person = directory.person(staff_id)
    held = [role.role for role in person.roles if role.facility_id == facility_id] if person else []
    return billing_rules().class_of(held)


async def _labels(
    told: time_pb2.TimeEntry, facility_id: UUID, patient_id: UUID, call: Call
) -> Labels:
    """As sensitive as the task; without one nobody knows, and it never leaves. NOT_FOUND for whom the caller may not see."""
    if facility_id not in call.facilities:
        raise PermissionDenied("NOT_YOUR_FACILITY_TIME", "Only people of a facility work for it.")
    if told.task_id:
        task = await TaskStore(call.tx).get(to_uuid("task_id", told.task_id))
        if (task.facility_id, task.patient_id) == (facility_id, patient_id):
            return task.labels
    elif await _is_known(patient_id, facility_id, call):
        return (Label.WITHHELD,)
    raise NotFound("TIME_PATIENT_NOT_FOUND", "There is no such patient, or no such task of theirs.")


async def _is_known(patient_id: UUID, facility_id: UUID, call: Call) -> bool:
    store = RecordStore(call.tx)
    shared = (await store.patients([patient_id])).get(patient_id)
    if shared and facility_id in shared.facility_ids:
        return True
    return (patient_id, facility_id) in await store.programs([patient_id])


async def list_time(request: rpc.ListTimeRequest, call: Call) -> rpc.ListTimeResponse:
    size = page_size(request.page_size)
    before_at, before_id = page_start(request.page_token, request, END)
    where = Newest(before_at=before_at, before_id=before_id, limit=size + 1)
    store, totals = TimeStore(call.tx), tuple[MonthTotal, ...]()
    if patient_id := to_optional_id("patient_id", request.patient_id):
        found = await store.of_patient(patient_id, where)
        totals = await _totals(await store.all_of(patient_id, call.facilities), call)
    else:
        found = await store.of_staff(call.caller.subject, where)
    page = found[:size]
    is_more = len(found) > len(page)
    call.show(*(entry.patient_id for entry in page))
    return rpc.ListTimeResponse(
        entries=[entry_to_proto(entry) for entry in page],
        next_page_token=token_after(page[-1].start_at, page[-1].id, request) if is_more else "",
        totals=totals_to_proto(totals),
    )


async def _totals(entries: Iterable[TimeEntry], call: Call) -> tuple[MonthTotal, ...]:
    """What counts at each facility, by its own months."""
    entries = list(entries)
    directory = await DirectoryStore(call.tx).named({e.facility_id for e in entries}, (), ())
    totals = list[MonthTotal]()
    for facility in sorted(directory.facilities.values(), key=lambda each: each.id):
        calendar = calendar_for(facility.time_zone, facility.holiday_calendar)
        here = [entry for entry in entries if entry.facility_id == facility.id]
        totals.extend(month_totals(here, calendar, billing_rules().counted))
    return tuple(totals)
