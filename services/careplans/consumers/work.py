"""Follows tasking: each loop of a protocol that has a template opens a plan, once for ever, and the plan follows it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from carehub.identity.v1 import identity_events_pb2
from carehub.tasking.v1 import tasking_events_pb2

from libs.chassis.database import Transaction
from libs.chassis.ids import to_id
from libs.conveyor.inbox import Delivery
from libs.process.holding import follow_access
from services.careplans.consumers.leaving import without_who_left
from services.careplans.consumers.stays import apply_stays
from services.careplans.convert.told import to_loop, to_task
from services.careplans.domain.following import follow, news_of
from services.careplans.domain.neighbor import Stay
from services.careplans.domain.plan import CarePlan
from services.careplans.domain.template import Template, of_protocol, template
from services.careplans.domain.work import Loop, Task
from services.careplans.events import save_plans
from services.careplans.store import NeighborStore, PlanStore


async def follow_work(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each loop and task, and make the plans of these loops what they ask for.

    A task is kept also before its loop is known, since either may come first; a loop of another protocol costs nothing.
    """
    loops, tasks = list[Loop](), list[Task]()
    for delivery in deliveries:
        event = delivery.event
        if isinstance(event, tasking_events_pb2.TaskChanged):
            tasks.append(to_task(event))
        elif isinstance(event, tasking_events_pb2.LoopChanged) and of_protocol(event.loop.protocol):
            loops.append(to_loop(event))
    ids = {loop.id for loop in loops} | {task.loop_id for task in tasks}
    survivors = await _alone_with(tx, loops, ids)
    store = NeighborStore(tx)
    await store.keep_loops([replace(each, patient_id=survivors[each.patient_id]) for each in loops])
    await store.keep_tasks(tasks)
    followed = await store.loops(ids)
    await follow_loops(tx, followed)
    told = {loop.id for loop in loops}
    await apply_stays(
        tx, [_stay(each) for each in followed if each.id in told and each.encounter_id]
    )


async def follow_loops(tx: Transaction, loops: Sequence[Loop]) -> None:
    """Make the plans of these loops what they ask for. Call it while alone with their patients."""
    if not loops:
        return
    ids = [loop.id for loop in loops]
    plans = await PlanStore(tx).of_loops(ids)
    around = await NeighborStore(tx).around(loops)
    tasks = defaultdict[UUID, list[Task]](list)
    for task in await NeighborStore(tx).tasks_of(ids):
        tasks[task.loop_id].append(task)
    followed = list[CarePlan]()
    for loop in loops:
        before = plans.get(loop.id)
        if made_from := _template(loop, before):
            followed.append(follow(before, loop, tasks[loop.id], made_from, around))
    stored = {plan.id: plan for plan in plans.values()}
    made = await without_who_left(tx, followed)
    news = (news_of(each, stored.get(each.id)) for each in made)
    await save_plans(tx, [each for each in news if each])


async def follow_access_and_plans(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep who may see whom; a plan asks nobody of whom the patient wants that they do not know."""
    await follow_access(tx, deliveries)
    told = {
        to_id(delivery.event.access.patient_id)
        for delivery in deliveries
        if isinstance(delivery.event, identity_events_pb2.AccessChanged)
    }
    store = NeighborStore(tx)
    if await store.open_loops_of(told):
        now = await store.alone_with(told)
        await follow_loops(tx, await store.open_loops_of(now.values()))


def _template(loop: Loop, plan: CarePlan | None) -> Template | None:
    """The version that its plan began with; the newest, if it has none yet."""
    return template(plan.template, plan.template_version) if plan else of_protocol(loop.protocol)


async def _alone_with(
    tx: Transaction, loops: Sequence[Loop], ids: Collection[UUID]
) -> dict[UUID, UUID]:
    """Be alone with these loops, and with their patients, also with those whose they were; and who each of them is now."""
    store = NeighborStore(tx)
    await store.hold_loops(ids)
    known = await store.loops(ids)
    return await store.alone_with(loop.patient_id for loop in (*loops, *known))


def _stay(loop: Loop) -> Stay:
    """What a loop says of its visit, as long as registry did not."""
    return Stay(
        encounter_id=loop.encounter_id or loop.id,
        version=0,
        facility_id=loop.facility_id,
        patient_id=loop.patient_id,
        labels=loop.labels,
    )
