"""What tasking tells: a change, the timers that it sets and the events that tell of it commit together."""

import time
from collections.abc import Iterable, Sequence
from functools import partial

from carehub.tasking.v1 import tasking_events_pb2
from prometheus_client import Histogram

from libs.chassis.database import Transaction
from libs.conveyor import outbox
from libs.conveyor.timers import clear_timer, set_timer
from libs.telemetry.arrivals import arrival
from services.tasking.convert import loop_to_proto, protocol_to_proto, task_to_proto
from services.tasking.convert.ledger import decision_to_proto, entry_to_proto
from services.tasking.domain.claims import Decision
from services.tasking.domain.loop import Loop
from services.tasking.domain.owner import Directory
from services.tasking.domain.publication import PublishedProtocol
from services.tasking.domain.task import Task
from services.tasking.domain.time_ledger import TimeEntry
from services.tasking.store import LoopStore, TaskStore

ESCALATE = "escalate"  # key: a task's id; due at its next level
PLAN = "plan"  # key: a patient's id; due at once, when people did what a plan looks at
REVIEW = "review"  # key: a loop's id; due at its clock while it has no open task


MESSAGE_TO_TASK = Histogram(
    "carehub_message_to_task_seconds",
    "From a message received to a task of it committed.",
    buckets=(0.05, 0.1, 0.15, 0.25, 0.5, 0.75, 1, 2, 5, 10, 30, 60),
)


async def save_loops(
    tx: Transaction,
    directory: Directory,
    loops: Sequence[Loop],
    tasks: Sequence[Task],
    idle: Iterable[Loop] = (),
) -> None:
    """Save what changed, set its timers and tell. `idle`: those of the loops that have no open task."""
    await LoopStore(tx).save(loops)
    await TaskStore(tx).save(tasks)
    for task in tasks:
        await _set_ladder(tx, task)
        await task_changed(tx, task, directory)
    _time_new(tx, tasks)
    waiting = {loop.id for loop in idle}
    for loop in loops:
        if loop.id in waiting and loop.clock_at:
            # Not cleared when a step opens: it then fires once, sees the step, and ends.
            await set_timer(tx, REVIEW, str(loop.id), loop.clock_at)
        await loop_changed(tx, loop, directory)


def _time_new(tx: Transaction, tasks: Sequence[Task]) -> None:
    """How long it took from the message that they follow from, if one told of it, until they are committed."""
    known = arrival.get()
    if known and (new := sum(task.version == 1 for task in tasks)):
        began = (tx.at - known.received_at).total_seconds() - known.begun_at
        tx.after_commit(partial(_observe, began, new))


def _observe(began: float, new: int) -> None:
    seconds = max(0.0, began + time.monotonic())
    for _ in range(new):
        MESSAGE_TO_TASK.observe(seconds)


async def _set_ladder(tx: Transaction, task: Task) -> None:
    if task.next_escalation_at:
        await set_timer(tx, ESCALATE, str(task.id), task.next_escalation_at)
    else:
        await clear_timer(tx, ESCALATE, str(task.id))


async def loop_changed(tx: Transaction, loop: Loop, directory: Directory) -> None:
    event = tasking_events_pb2.LoopChanged(
        loop=loop_to_proto(loop, directory), version=loop.version
    )
    await outbox.add(tx, event, key=loop.id, version=loop.version, facility_id=loop.facility_id)


async def task_changed(tx: Transaction, task: Task, directory: Directory) -> None:
    """Without the patient's name: who needs it has the id, and fewer copies of a name are better."""
    event = tasking_events_pb2.TaskChanged(
        task=task_to_proto(task, directory), version=task.version
    )
    await outbox.add(tx, event, key=task.id, version=task.version, facility_id=task.facility_id)


async def time_recorded(tx: Transaction, entry: TimeEntry) -> None:
    event = tasking_events_pb2.TimeRecorded(entry=entry_to_proto(entry), version=1)
    await outbox.add(tx, event, key=entry.id, version=1, facility_id=entry.facility_id)


async def decision_recorded(tx: Transaction, decision: Decision) -> None:
    event = tasking_events_pb2.MedicalDecisionRecorded(
        decision=decision_to_proto(decision),
        facility_id=str(decision.facility_id),
        patient_id=str(decision.patient_id),
        version=decision.version,
    )
    await outbox.add(
        tx, event, key=decision.loop_id, version=decision.version, facility_id=decision.facility_id
    )


async def protocol_published(tx: Transaction, protocol: PublishedProtocol) -> None:
    event = tasking_events_pb2.ProtocolPublished(protocol=protocol_to_proto(protocol))
    await outbox.add(tx, event, key=protocol.key, version=protocol.version)
