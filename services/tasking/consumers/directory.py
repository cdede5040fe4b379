"""Follows identity: facilities, staff and teams; whoever leaves hands over everything at once."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from carehub.identity.v1 import identity_events_pb2

from libs.chassis.database import Transaction
from libs.chassis.grants import project_grants
from libs.chassis.inbox import Delivery
from services.tasking.consumers.planning import plan_patients
from services.tasking.convert import to_facility, to_grant, to_staff, to_team
from services.tasking.domain.loop import Loop, settle
from services.tasking.domain.owner import Directory, Owner
from services.tasking.domain.reconcile import changes_between
from services.tasking.domain.task import Task
from services.tasking.events import save_loops
from services.tasking.store import DirectoryStore, Holding, LoopStore, RecordStore, TaskStore


async def follow_grants(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep whom the policies let see a patient."""
    await project_grants(
        tx,
        [
            to_grant(delivery.event)
            for delivery in deliveries
            if isinstance(delivery.event, identity_events_pb2.GrantChanged)
        ],
    )


async def follow_directory(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshots; then nobody who left owns anything, and what waited for them is planned."""
    store = DirectoryStore(tx)
    facility_ids, staff_ids = set[UUID](), set[UUID]()
    for delivery in deliveries:
        event = delivery.event
        if isinstance(event, identity_events_pb2.FacilityChanged):
            facility = to_facility(event.facility, event.version)
            if await store.keep_facility(facility):
                facility_ids.add(facility.id)
        elif isinstance(event, identity_events_pb2.TeamChanged):
            team = to_team(event.team, event.version)
            if await store.keep_team(team):
                facility_ids.add(team.facility_id)
        elif isinstance(event, identity_events_pb2.StaffChanged):
            person = to_staff(event.staff_member, event.version)
            if await store.keep_staff(person):
                staff_ids.add(person.id)
                facility_ids |= {held.facility_id for held in person.roles if held.facility_id}
    await repair(tx, facility_ids, staff_ids)


async def repair(tx: Transaction, facility_ids: set[UUID], staff_ids: set[UUID]) -> None:
    """Give every open task and loop at these places, or of these people, the owner that it has to have now."""
    holdings = await TaskStore(tx).holdings(facility_ids, staff_ids)
    idle = await LoopStore(tx).held_by(staff_ids)
    places = facility_ids | {h.facility_id for h in holdings} | {loop.facility_id for loop in idle}
    directory = await DirectoryStore(tx).at(places)
    moving = [h for h in holdings if _new_owner(h, directory) != h.owner]
    # Somebody of the whole network can be the owner that any facility waited for.
    is_wide = any((p := directory.person(i)) and p.is_network_wide for i in staff_ids)
    waiting = await RecordStore(tx).waiting_at(None if is_wide else facility_ids)
    patients = {h.patient_id for h in moving} | {loop.patient_id for loop in idle} | set(waiting)
    await RecordStore(tx).lock_patients(patients)
    await _hand_over(tx, directory, {h.id for h in moving}, {loop.id for loop in idle})
    await plan_patients(tx, waiting)


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
    has_left = task.staff_id is not None and task.is_chosen and to.staff_id != task.staff_id
    return task.hand_over(to, at=tx.at, was_taken=has_left)
