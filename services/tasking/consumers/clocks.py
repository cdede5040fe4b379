"""What happens when a clock runs out: a ladder's next level, or the review of a loop that waits."""

import logging
from datetime import datetime
from uuid import UUID

from libs.chassis.database import Transaction
from libs.conveyor.timers import set_timer
from services.tasking.consumers.planning import plan_patients
from services.tasking.domain.loop import settle
from services.tasking.domain.notification import escalations
from services.tasking.domain.notification import review as told_to_review
from services.tasking.domain.reconcile import changes_between
from services.tasking.events import ESCALATE, REVIEW, save_loops
from services.tasking.store import (
    DirectoryStore,
    LoopStore,
    NotificationStore,
    RecordStore,
    TaskStore,
)

log = logging.getLogger(__name__)


async def escalate(tx: Transaction, key: str, due_at: datetime) -> None:
    """Reach the levels whose time has come, each once and in order, however late we are; tell people; wait for the next."""
    found = await TaskStore(tx).some([UUID(key)])
    if not found:
        return
    await RecordStore(tx).lock_patients([found[0].patient_id])
    task = await TaskStore(tx).get(found[0].id)
    after, reached = task.climb(at=tx.at)
    if not reached:
        if task.next_escalation_at:
            await set_timer(tx, ESCALATE, key, task.next_escalation_at)
        return
    directory = await DirectoryStore(tx).at([task.facility_id])
    loop = await LoopStore(tx).get(task.loop_id)
    before = await TaskStore(tx).of_loops([loop.id])
    tasks = [after if each.id == after.id else each for each in before]
    changes = changes_between(loop, before, *settle(loop, tasks, directory, tx.at))
    await NotificationStore(tx).add(escalations(after, reached, directory, tx.at))
    await save_loops(tx, directory, [changes.loop] if changes.loop else [], changes.tasks)
    log.info("escalated", extra={"task_id": key, "count": len(reached)})


async def plan(tx: Transaction, key: str, due_at: datetime) -> None:
    """People did something that the plans of a patient look at: what a step was the answer to can open the next."""
    whose = await RecordStore(tx).alone_with([UUID(key)])
    await plan_patients(tx, whose.values())


async def review(tx: Transaction, key: str, due_at: datetime) -> None:
    """A loop without an open step has waited a week: tell its owner, and look again in a week."""
    found = await LoopStore(tx).some([UUID(key)])
    if not found:
        return
    await RecordStore(tx).lock_patients([found[0].patient_id])
    loop = await LoopStore(tx).get(found[0].id)
    tasks = await TaskStore(tx).of_loops([loop.id])
    if not loop.is_open or any(task.is_open for task in tasks):
        return
    if loop.clock_at and loop.clock_at > tx.at:
        await set_timer(tx, REVIEW, key, loop.clock_at)
        return
    directory = await DirectoryStore(tx).at([loop.facility_id])
    changes = changes_between(loop, tasks, *settle(loop, tasks, directory, tx.at))
    if after := changes.loop:
        told = told_to_review(loop.id, loop.facility_id, after.accountable_id, due_at, tx.at)
        await NotificationStore(tx).add([told])
        await save_loops(tx, directory, [after], [], idle=[after])
