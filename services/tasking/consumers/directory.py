"""Follows identity: facilities, staff and teams; whoever leaves hands over everything at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from carehub.identity.v1 import identity_events_pb2
from google.protobuf.message import Message

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.tasking.consumers.planning import plan_patients
from services.tasking.convert import to_facility, to_staff, to_team
from services.tasking.domain.loop import Loop, settle
from services.tasking.domain.owner import Directory, Owner
from services.tasking.domain.reconcile import changes_between
from services.tasking.domain.task import Task
from services.tasking.events import save_loops
from services.tasking.store import DirectoryStore, Holding, LoopStore, RecordStore, TaskStore


async def follow_directory(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshots; then nobody who left owns anything, and every deadline counts by the clock of its place."""
    news = News()
    for delivery in deliveries:
        await _keep(DirectoryStore(tx), delivery.event, news)
    await repair(tx, news.facility_ids, news.staff_ids)
    await _plan_affected(tx, news)


@dataclass(slots=True)
class News:
    """Where and about whom something was told that was not known; and where the clock is another one now."""

    facility_ids: set[UUID] = field(default_factory=set)
    staff_ids: set[UUID] = field(default_factory=set)
    clocks_changed: set[UUID] = field(default_factory=set)
    is_network_wide: bool = False


async def _keep(store: DirectoryStore, event: Message, news: News) -> None:
    match event:
        case identity_events_pb2.FacilityChanged():
            facility = to_facility(event.facility, event.version)
            before = await store.facility(facility.id)
            if await store.keep_facility(facility):
                news.facility_ids.add(facility.id)
                if before and before.clock != facility.clock:
                    news.clocks_changed.add(facility.id)
        case identity_events_pb2.TeamChanged():
            team = to_team(event.team, event.version)
            if await store.keep_team(team):
                news.facility_ids.add(team.facility_id)
        case identity_events_pb2.StaffChanged():
            person = to_staff(event.staff_member, event.version)
            if await store.keep_staff(person):
                news.staff_ids.add(person.id)
                news.facility_ids |= {held.facility_id for held in person.roles if held.facility_id}
                news.is_network_wide |= person.is_network_wide


async def _plan_affected(tx: Transaction, news: News) -> None:
    """Plan whoever waited for what is known now, and whoever is at a place whose clock changed."""
    # Somebody of the whole network can be the owner that any facility waited for.
    places = None if news.is_network_wide else news.facility_ids
    patients = set(await RecordStore(tx).waiting_at(places))
    patients |= set(await LoopStore(tx).patients_at(news.clocks_changed))
    await RecordStore(tx).lock_patients(patients)
    await plan_patients(tx, patients)


async def repair(tx: Transaction, facility_ids: set[UUID], staff_ids: set[UUID]) -> None:
    """Give every open task and loop at these places, or of these people, the owner that it has to have now."""
    holdings = await TaskStore(tx).holdings(facility_ids, staff_ids)
    held = await LoopStore(tx).held_by(staff_ids)
    places = {each.facility_id for each in holdings} | {each.facility_id for each in held}
    if not places:
        return
    directory = await DirectoryStore(tx).at(places)
    moving = [each for each in holdings if _new_owner(each, directory) != each.owner]
    patients = {each.patient_id for each in moving} | {each.patient_id for each in held}
    await RecordStore(tx).lock_patients(patients)
    await _hand_over(tx, directory, {each.id for each in moving}, {each.id for each in held})


def _new_owner(holding: Holding | Task, directory: Directory) -> Owner:
    owner = directory.kept_or_handed_over(holding.owner, holding.facility_id, holding.role)
    return owner or holding.owner


async def _hand_over(
    tx: Transaction, directory: Directory, task_ids: set[UUID], loop_ids: set[UUID]
) -> None:
    loop_ids |= {task.loop_id for task in await TaskStore(tx).some(task_ids)}
    of_loop = defaultdict(list)
    for task in await TaskStore(tx).of_loops(loop_ids):
        of_loop[task.loop_id].append(task)
    loops, tasks, idle = list[Loop](), list[Task](), list[Loop]()
    for loop in await LoopStore(tx).some(loop_ids):
        before = of_loop[loop.id]
        moved = [_handed_over(task, directory, tx) if task.is_open else task for task in before]
        changes = changes_between(loop, before, *settle(loop, moved, directory, tx.at))
        tasks.extend(changes.tasks)
        if changes.loop:
            loops.append(changes.loop)
            idle.extend([] if any(task.is_open for task in moved) else [changes.loop])
    await save_loops(tx, directory, loops, tasks, idle)


def _handed_over(task: Task, directory: Directory, tx: Transaction) -> Task:
    to = _new_owner(task, directory)
    has_left = task.is_taken and to.staff_id != task.staff_id
    return task.hand_over(to, at=tx.at, was_taken=has_left)
