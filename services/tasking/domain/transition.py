"""A transition as its loop and tasks show it, for what could be billed."""

from collections.abc import Callable, Iterable
from datetime import datetime

from services.tasking.domain.claims import Departure, Judgment, Shown, Transition
from services.tasking.domain.loop import Loop, LoopState
from services.tasking.domain.plan import PatientFacts
from services.tasking.domain.record import disposition_of
from services.tasking.domain.task import AttemptResult, ContactAttempt, Task, TaskState

PROTOCOL = "discharge-transition"
CONTACT, VISIT, RECONCILIATION = "contact", "visit", "medication_reconciliation"
CONTACT_DUE = "contact_due"
READMITTED, DECEASED = "READMITTED", "DECEASED"
IsClinical = Callable[[ContactAttempt], bool]


def transition_of(
    loop: Loop,
    tasks: Iterable[Task],
    left: Departure | None,
    patient: PatientFacts,
    judgment: Judgment,
    is_clinical: IsClinical,
) -> Transition:
    """What is known of it. Only who was `is_clinical` reaches the patient for it, or tries to. A visit counts only where the record
    shows it: nobody's word says on which day it was.
    """
    steps = {task.step: task for task in tasks}
    contact, visit = steps.get(CONTACT), steps.get(VISIT)
    is_taken_back = loop.state is LoopState.CANCELLED
    due = {each.key: each.at for each in loop.key_dates}
    return Transition(
        loop_id=loop.id,
        discharged_at=None if is_taken_back else loop.anchor_at,
        left_from=left.visit_class.strip().upper() if left else "",
        left_to=disposition_of(left.disposition) if left else "",
        contact_due_at=due.get(CONTACT_DUE),
        contact=_reached(contact, is_clinical),
        attempts=_tried(contact, is_clinical),
        visit=_shown(visit, is_record_alone=True),
        reconciled=_shown(steps.get(RECONCILIATION), is_record_alone=False),
        died_at=patient.died_at or _when(loop, DECEASED),
        is_deceased=patient.is_deceased or loop.close_reason == DECEASED,
        readmitted_at=_when(loop, READMITTED),
        judgment=judgment,
    )


def _when(loop: Loop, reason: str) -> datetime | None:
    return loop.closed_at if loop.close_reason == reason else None


def _reached(task: Task | None, is_clinical: IsClinical) -> Shown | None:
    reached = [
        each
        for each in (task.attempts if task else ())
        if task and each.result is AttemptResult.REACHED and each.at >= task.start_at
        if is_clinical(each)
    ]
    if task is None or not reached:
        return None
    first = min(reached, key=lambda each: each.at)
    return Shown(at=first.at, source_id=task.id, kind="TASK_OUTCOME", staff_id=first.staff_id)


def _tried(task: Task | None, is_clinical: IsClinical) -> tuple[Shown, ...]:
    if task is None:
        return ()
    return tuple(
        Shown(at=each.at, source_id=task.id, kind="CONTACT_ATTEMPTS", staff_id=each.staff_id)
        for each in task.attempts
        if each.is_counted and each.result is not AttemptResult.REACHED and is_clinical(each)
    )


def _shown(task: Task | None, *, is_record_alone: bool) -> Shown | None:
    if task is None or task.state is not TaskState.COMPLETED:
        return None
    if by := task.shown_by:
        return Shown(at=by.at, source_id=by.source_id, kind=by.kind, staff_id=by.staff_id)
    if is_record_alone or task.closed_at is None or task.outcome != "done":
        return None
    return Shown(
        at=task.closed_at, source_id=task.id, kind="TASK_OUTCOME", staff_id=task.completed_by_id
    )
