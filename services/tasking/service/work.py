"""One task taken up to be changed, alone with its patient, and put back with the loop that it serves."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from carehub.tasking.v1 import task_pb2

from libs.calendars.calendar import calendar_for
from libs.chassis.caller import Call, CallerKind
from libs.chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from libs.chassis.fields import check_etag, to_uuid
from libs.conveyor.timers import set_timer
from services.tasking.domain.loop import Loop, settle
from services.tasking.domain.owner import Directory, Owner
from services.tasking.domain.reconcile import changes_between
from services.tasking.domain.task import Task
from services.tasking.events import PLAN, save_loops
from services.tasking.service.lists import show_tasks
from services.tasking.store import DirectoryStore, LoopStore, RecordStore, TaskStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A task, its loop with all its tasks, and the people of the place."""

    task: Task
    loop: Loop
    tasks: tuple[Task, ...]
    directory: Directory

    def local_date(self, at: datetime) -> date:
        """The day that it is where the task's facility is."""
        facility = self.directory.facilities[self.task.facility_id]
        return calendar_for(facility.time_zone, facility.holiday_calendar).local_date(at)

    def must_work_here(self, staff_id: UUID) -> None:
        if not self.directory.works_at(staff_id, self.task.facility_id):
            raise FailedPrecondition(
                "STAFF_NOT_HERE", "Only active staff of the task's facility can have it."
            )

    def next_after(self, by: UUID) -> Owner | None:
        """Who has it next when this person hands it back."""
        return self.directory.after_decline(
            self.task.owner, self.task.facility_id, self.task.role, by
        )


_NOT_AT_WORK = frozenset({"PATIENT_REQUEST", "FAMILY_REQUEST"})


async def take_up(call: Call, task_id: str, etag: str = "") -> Work:
    """The task, to be changed by a person of its facility, if it is still what they saw."""
    tasks = TaskStore(call.tx)
    task = await tasks.get(to_uuid("task_id", task_id))
    # Who asks as the patient or their family is shown it by a grant, and a grant lets nobody write.
    if task.facility_id not in call.facilities or call.capacity.purposes & _NOT_AT_WORK:
        raise PermissionDenied(
            "NOT_YOUR_FACILITY", "Only people of the task's facility can change it."
        )
    if call.caller.kind is not CallerKind.PERSON:
        raise PermissionDenied("PERSON_NEEDED", "Only a person can do this.")
    await RecordStore(call.tx).lock_patients([task.patient_id])
    task = await tasks.get(task.id)
    check_etag(etag, task.version)
    return Work(
        task=task,
        loop=await LoopStore(call.tx).get(task.loop_id),
        tasks=tuple(await tasks.of_loops([task.loop_id])),
        directory=await DirectoryStore(call.tx).at([task.facility_id]),
    )


async def put_back(call: Call, work: Work, after: Task) -> task_pb2.Task:
    """Save the task and what follows from it for its loop, and show it."""
    wanted = [after if task.id == after.id else task for task in work.tasks]
    loop, settled = settle(work.loop, wanted, work.directory, call.tx.at)
    changes = changes_between(work.loop, work.tasks, loop, settled)
    is_idle = loop.is_open and not any(task.is_open for task in settled)
    idle = [changes.loop] if is_idle and changes.loop else []
    loops = [changes.loop] if changes.loop else []
    await save_loops(call.tx, work.directory, loops, changes.tasks, idle)
    if not work.loop.follows_the_record_alone:
        await set_timer(call.tx, PLAN, str(work.task.patient_id), call.tx.at)
    saved = {task.id: task for task in (*work.tasks, *changes.tasks)}
    return (await show_tasks(call, [saved[after.id]]))[0]


def owner_wanted(work: Work, staff_id: str, team_id: str) -> Owner:
    """The person or the team that somebody wants to have it: exactly one, and active at its facility."""
    if bool(staff_id) == bool(team_id):
        raise InvalidArgument(
            "OWNER_AMBIGUOUS", "Name either a person or a team.", field="staff_id"
        )
    if staff_id:
        return _person_wanted(work, to_uuid("staff_id", staff_id))
    return _team_wanted(work, to_uuid("team_id", team_id))


def _person_wanted(work: Work, staff_id: UUID) -> Owner:
    if not work.directory.works_at(staff_id, work.task.facility_id):
        raise InvalidArgument(
            "ASSIGNEE_NOT_HERE",
            "That person is not active at the task's facility.",
            field="staff_id",
        )
    return Owner(
        team_id=work.task.team_id, staff_id=staff_id, accountable_id=staff_id, is_chosen=True
    )


def _team_wanted(work: Work, team_id: UUID) -> Owner:
    team = work.directory.teams.get(team_id)
    accountable = work.directory.accountable_of(team_id)
    if team is None or team.facility_id != work.task.facility_id or accountable is None:
        raise InvalidArgument(
            "TEAM_NOT_HERE",
            "That is no team of the task's facility with active people.",
            field="team_id",
        )
    return Owner(team_id=team_id, accountable_id=accountable, is_chosen=True)
