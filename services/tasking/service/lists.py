"""Pages of loops and tasks, and how they are shown: with names, and tasks with their explained priority.

A page is cut by (due, id), which does not move while time passes; within the page tasks stand by clock group and then
by priority, which does. So a cursor stays right, and every row of a page comes before every row of the next by its due
time, though one that was escalated can stand on a later page than one that was not.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from carehub.tasking.v1 import loop_pb2, task_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.calendars.calendar import calendar_for
from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument
from libs.chassis.pages import page_size, page_start, token_after
from services.tasking.convert import loop_to_proto, task_to_proto, to_optional_id
from services.tasking.domain.loop import Loop, LoopState
from services.tasking.domain.owner import Directory, Facility
from services.tasking.domain.priority import Priority, clock_group, priority_of
from services.tasking.domain.task import Task, TaskState
from services.tasking.store import (
    FIRST,
    DirectoryStore,
    LoopFilter,
    LoopStore,
    RecordStore,
    TaskFilter,
    TaskStore,
)

Scope = rpc.ListTasksRequest.Scope


async def list_loops(request: rpc.ListLoopsRequest, call: Call) -> tuple[list[Loop], str]:
    """A page of loops, the soonest clock first, and the token of the next."""
    patient_id = to_optional_id("patient_id", request.patient_id)
    facility_id = to_optional_id("facility_id", request.facility_id)
    size = page_size(request.page_size)
    after_at, after_id = page_start(request.page_token, request, FIRST)
    where = LoopFilter(
        states=_states(LoopState, loop_pb2.Loop.State.Name(request.state), bool(patient_id)),
        facility_id=facility_id,
        after_at=after_at,
        after_id=after_id,
        limit=size + 1,
    )
    store = LoopStore(call.tx)
    if patient_id:
        found = await store.of_patient(patient_id, where)
    else:
        found = await store.at_facilities([facility_id] if facility_id else call.facilities, where)
    page = found[:size]
    if len(found) == len(page):
        return page, ""
    return page, token_after(page[-1].clock_at or page[-1].opened_at, page[-1].id, request)


async def list_tasks(request: rpc.ListTasksRequest, call: Call) -> tuple[list[Task], str]:
    """A page of tasks by (due, id), and the token of the next."""
    size = page_size(request.page_size)
    where = await _wanted(request, call, size + 1)
    store = TaskStore(call.tx)
    if where.patient_id or where.loop_id:
        found = await store.of_subject(where)
    else:
        places = [where.facility_id] if where.facility_id else call.facilities
        found = await store.worklist(places, where)
    page = found[:size]
    token = "" if len(found) == len(page) else token_after(page[-1].due_at, page[-1].id, request)
    return page, token


async def _wanted(request: rpc.ListTasksRequest, call: Call, limit: int) -> TaskFilter:
    patient_id = to_optional_id("patient_id", request.patient_id)
    loop_id = to_optional_id("loop_id", request.loop_id)
    is_any_state = bool(patient_id or loop_id)
    me, teams = call.caller.subject, None
    if request.scope in (Scope.SCOPE_MY_TEAMS, Scope.SCOPE_UNCLAIMED):
        teams = tuple(await DirectoryStore(call.tx).teams_of(me))
    after_at, after_id = page_start(request.page_token, request, FIRST)
    return TaskFilter(
        states=_states(TaskState, task_pb2.Task.State.Name(request.state), is_any_state),
        facility_id=to_optional_id("facility_id", request.facility_id),
        patient_id=patient_id,
        loop_id=loop_id,
        staff_id=me if request.scope == Scope.SCOPE_MINE else None,
        team_ids=teams,
        is_unclaimed=request.scope == Scope.SCOPE_UNCLAIMED,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )


async def show_loops(call: Call, loops: Sequence[Loop]) -> list[loop_pb2.Loop]:
    """Loops as the caller sees them, and the note of whose they are."""
    call.show(*(loop.patient_id for loop in loops))
    directory = await _names(call, loops)
    return [loop_to_proto(loop, directory) for loop in loops]


async def show_tasks(call: Call, tasks: Sequence[Task]) -> list[task_pb2.Task]:
    """Tasks as the caller sees them, by clock and priority, and the note of whose they are."""
    call.show(*(task.patient_id for task in tasks))
    directory = await _names(call, tasks)
    names = await _patient_names(call, tasks)
    today = {f.id: _today(f, call.tx.at) for f in directory.facilities.values()}
    ranked = list[tuple[Task, Priority]]()
    for task in tasks:
        on = today.get(task.facility_id, call.tx.at.date())
        ranked.append((task, priority_of(task, call.tx.at, on)))
    ranked.sort(key=lambda each: _rank(each[0], each[1], call.tx.at, today))
    return [
        task_to_proto(task, directory, names.get(task.id, ""), priority)
        for task, priority in ranked
    ]


async def _patient_names(call: Call, tasks: Sequence[Task]) -> dict[UUID, str]:
    """Whose each task is, by the name that its facility knows them by; as far as the caller may know it."""
    known = await RecordStore(call.tx).names_of(task.patient_id for task in tasks)
    return {
        task.id: known.get((task.patient_id, task.facility_id))
        or known.get((task.patient_id, None), "")
        for task in tasks
    }


async def _names(call: Call, rows: Sequence[Loop] | Sequence[Task]) -> Directory:
    return await DirectoryStore(call.tx).named(
        {row.facility_id for row in rows},
        {row.team_id for row in rows if row.team_id},
        {row.staff_id or row.accountable_id for row in rows},
    )


def _rank(
    task: Task, priority: Priority, now: datetime, today: Mapping[UUID, date]
) -> tuple[bool, int, int, datetime, UUID]:
    group = clock_group(task, now, today.get(task.facility_id, now.date()))
    return (not task.is_open, group if task.is_open else 0, -priority.score, task.due_at, task.id)


def _today(facility: Facility, now: datetime) -> date:
    try:
        return calendar_for(facility.time_zone, facility.holiday_calendar).local_date(now)
    except InvalidArgument:
        return now.date()


def _states(kind: type[StrEnum], named: str, is_any: bool) -> tuple[str, ...]:
    """The one that was asked for; unspecified means open ones, or any where it is about one patient or loop."""
    name = named.removeprefix("STATE_")
    if name != "UNSPECIFIED":
        return (name,)
    return tuple(kind) if is_any else ("OPEN",)
