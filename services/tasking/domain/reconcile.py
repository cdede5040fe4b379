"""Makes a stored loop what the record asks for, keeping what people did. Pure, and the same whatever came first.

A patient's loops are a function of the record's snapshots plus what people did. So nothing here looks at what kind of
event arrived: it compares what should be with what is, and a second run of the same plan changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

from libs.calendars.calendar import Calendar
from services.tasking.domain.deeds import deeds_of
from services.tasking.domain.labels import inherit
from services.tasking.domain.loop import (
    COMPLETED,
    Evidence,
    Loop,
    LoopState,
    evidence_of,
    loop_id,
    settle,
    task_id,
)
from services.tasking.domain.owner import Directory, Owner
from services.tasking.domain.plan import (
    Case,
    EncounterFacts,
    GlassFacts,
    LoopPlan,
    PlannedStep,
    PlanState,
    ShownBy,
    Subject,
    plan_loop,
)
from services.tasking.domain.planned import EvidenceKind
from services.tasking.domain.protocol import Protocol
from services.tasking.domain.task import REPEAT_AFTER, Task, TaskState
from services.tasking.domain.told import Matter

T = TypeVar("T", Loop, Task)

NOT_ELIGIBLE = "NOT_ELIGIBLE"
NO_LONGER = "What it is about is no longer something that the protocol follows."
DISCHARGE_CANCELLED = "DISCHARGE_CANCELLED"
STEP_NOT_NEEDED = "STEP_NOT_NEEDED"
_NOT_NEEDED = frozenset({DISCHARGE_CANCELLED, STEP_NOT_NEEDED})
CLOCK_SLACK, NO_SLACK = timedelta(days=1), timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is new or different. A first version is new, a later one replaces the one before it."""

    loop: Loop | None = None
    tasks: tuple[Task, ...] = ()


def plan_with(
    protocol: Protocol,
    subject: Subject | GlassFacts | Case,
    calendar: Calendar,
    tasks: Sequence[Task],
) -> LoopPlan | None:
    """What the protocol wants, given what people did under the loop's tasks, as far as that stands: what was done for a clock
    that was taken back decides nothing about the next. Who was told something, though, was told it.
    """
    deeds = deeds_of(tasks)
    plan = plan_loop(protocol, subject, calendar, deeds)
    for _ in tasks if protocol.looks_at_deeds and not protocol.read_backs else ():
        standing = deeds_of(_as_the_clocks_stand(plan, tasks)) if plan else deeds
        if standing == deeds:
            break
        deeds = standing
        plan = plan_loop(protocol, subject, calendar, deeds)
    return plan


def _as_the_clocks_stand(plan: LoopPlan, tasks: Sequence[Task]) -> list[Task]:
    steps = {step.key: step for step in plan.steps}
    return [
        each
        if (step := steps.get(each.step)) is None or _stays_done(each, step)
        else _with_step(each, step, plan).recounted()
        for each in tasks
    ]


def reconcile(
    plan: LoopPlan | None,
    loop: Loop | None,
    tasks: Sequence[Task],
    directory: Directory,
    *,
    about: EncounterFacts | GlassFacts | Matter,
    now: datetime,
) -> Changes:
    """The changes that make `loop` and `tasks` what `plan` asks for, for the patient whose is now what it is about.

    Nobody to own a new loop is a LookupError: ask the directory first.
    """
    if plan is not None and plan.state is PlanState.OPEN:
        after, wanted = _opened(plan, loop, tasks, directory, now)
    elif loop is None:
        return Changes()
    else:
        labels = plan.labels if plan else inherit(about.labels, loop.labels)
        loop_of = replace(loop, patient_id=about.patient_id, labels=labels)
        tasks_of = [replace(t, patient_id=about.patient_id, labels=labels) for t in tasks]
        after, wanted = _ended(plan, loop_of, tasks_of, now)
    return changes_between(loop, tasks, after, wanted)


def changes_between(
    loop: Loop | None, tasks: Sequence[Task], after: Loop, wanted: Sequence[Task]
) -> Changes:
    """What differs, each with the version after the one that is stored."""
    before = {task.id: task for task in tasks}
    changed = [_next_version(before.get(task.id), task) for task in wanted]
    next_loop = _next_version(loop, after)
    return Changes(
        loop=None if next_loop is loop else next_loop,
        tasks=tuple(task for task in changed if task is not before.get(task.id)),
    )


def _next_version(before: T | None, after: T) -> T:
    """The version after the one before; that one itself, if nothing else differs."""
    version = before.version if before else 1
    same = after if after.version == version else replace(after, version=version)
    if before is None:
        return same
    return before if same == before else replace(same, version=version + 1)


def _opened(
    plan: LoopPlan, loop: Loop | None, tasks: Sequence[Task], directory: Directory, now: datetime
) -> tuple[Loop, tuple[Task, ...]]:
    stored = {task.step: task for task in tasks}
    steps = {step.key: step for step in plan.steps}
    wanted = [_planned(plan, step, stored.get(step.key), directory, now) for step in plan.steps]
    dropped = _why_dropped(plan, loop)
    for key, task in stored.items():
        if key not in steps:
            moved = replace(task, patient_id=plan.patient_id, labels=plan.labels)
            wanted.append(moved.cancel(reason=dropped, at=now))
    return settle(_open_loop(plan, loop, directory), wanted, directory, now)


def _why_dropped(plan: LoopPlan, loop: Loop | None) -> str:
    is_taken_back = loop is not None and loop.anchor_at is not None and plan.anchor_at is None
    return DISCHARGE_CANCELLED if is_taken_back else STEP_NOT_NEEDED


def _open_loop(plan: LoopPlan, loop: Loop | None, directory: Directory) -> Loop:
    owner = loop.owner if loop else _owner(directory, plan, "")
    about: dict[str, Any] = {f"{plan.about}_id": plan.subject_id}
    return Loop(
        **about,
        id=loop_id(plan.protocol, plan.subject_id),
        facility_id=plan.facility_id,
        patient_id=plan.patient_id,
        protocol=plan.protocol,
        protocol_version=plan.protocol_version,
        title=plan.title,
        team_id=owner.team_id,
        staff_id=owner.staff_id,
        accountable_id=owner.accountable_id,
        clock_at=loop.clock_at if loop else None,
        why=plan.why,
        closes_when=plan.closes_when,
        key_dates=plan.key_dates,
        opened_at=plan.opened_at,
        anchor_at=plan.anchor_at,
        labels=plan.labels,
    )


def _owner(directory: Directory, plan: LoopPlan, role: str) -> Owner:
    owner = directory.owner_for(plan.facility_id, role)
    if owner is None:
        raise LookupError("nobody could own the loop")
    return owner


def _planned(
    plan: LoopPlan, step: PlannedStep, stored: Task | None, directory: Directory, now: datetime
) -> Task:
    """The task of a step: new, dated anew, opened again or shown done; what a person completed stays, and says whether the
    record shows it as well.
    """
    if stored and _stays_done(stored, step):
        return replace(
            stored, patient_id=plan.patient_id, labels=plan.labels, shown_by=step.shown_by
        )
    task = _with_step(stored or _new_task(plan, step, directory), step, plan)
    if step.shown_by:
        return _done_by_record(task, step.shown_by)
    task = task.recounted()
    return _with_open_clock(_with_active_owner(task, directory), now) if task.is_open else task


def _done_by_record(task: Task, shown: ShownBy) -> Task:
    return _amended(
        task,
        state=TaskState.COMPLETED,
        shown_by=shown,
        outcome=shown.outcome,
        close_reason="",
        closed_at=shown.at,
        next_escalation_at=None,
    )


def _is_done_by_people(task: Task) -> bool:
    return task.state is TaskState.COMPLETED and task.completed_by_id is not None


def _stays_done(task: Task, step: PlannedStep) -> bool:
    return _is_done_by_people(task) and not _is_outdated(task, step)


def _is_outdated(task: Task, step: PlannedStep) -> bool:
    """Whether what was done belongs to a clock that was taken back: it now starts well after it was done.

    A call after the first discharge does not stand for the call after the second, nor does one from before the patient
    left. What was done before its own start was done early, and stays done unless all that it counts from came later. Whoever
    read something back knows what it was then, and no more.
    """
    if task.closed_at is None:
        return False
    since = step.counts_from_at if task.closed_at < task.start_at else step.start_at
    is_exact = step.is_contact or any(each.needs_read_back for each in step.outcomes)
    return task.closed_at + (NO_SLACK if is_exact else CLOCK_SLACK) < since


def _new_task(plan: LoopPlan, step: PlannedStep, directory: Directory) -> Task:
    owner = _owner(directory, plan, step.role)
    loop = loop_id(plan.protocol, plan.subject_id)
    return Task(
        id=task_id(loop, step.key),
        facility_id=plan.facility_id,
        patient_id=plan.patient_id,
        loop_id=loop,
        step=step.key,
        title=step.title,
        role=step.role,
        team_id=owner.team_id,
        staff_id=owner.staff_id,
        accountable_id=owner.accountable_id,
        start_at=step.start_at,
        due_at=step.due_at,
        due_on=step.due_on,
        labels=plan.labels,
    )


def _with_step(task: Task, step: PlannedStep, plan: LoopPlan) -> Task:
    """What the plan says now, on a task that is open again if it was not."""
    return _amended(
        task,
        patient_id=plan.patient_id,
        labels=plan.labels,
        state=TaskState.OPEN,
        title=step.title,
        description=step.description,
        role=step.role,
        start_at=step.start_at,
        due_at=step.due_at,
        due_on=step.due_on,
        due_explanation=step.due_explanation,
        why=f"{plan.title}: {step.title}",
        done_when=step.done_when,
        outcomes=step.outcomes,
        rungs=step.rungs,
        is_contact=step.is_contact,
        attempts_needed=step.attempts_needed,
        attempts_hours_apart=step.attempts_hours_apart,
        is_required=step.is_required,
        shown_by=None,
        outcome="",
        close_reason="",
        closed_at=None,
        completed_by_id=None,
        read_back=None,
    )


def _amended(task: Task, **wanted: Any) -> Task:
    """The task itself if it is so already, as most are."""
    is_so = attrgetter(*wanted)(task) == tuple(wanted.values())
    return task if is_so else replace(task, **wanted)


def _with_active_owner(task: Task, directory: Directory) -> Task:
    """A task that opens again goes to somebody who is still here."""
    owner = directory.kept_or_handed_over(task.owner, task.facility_id, task.role)
    return task.hand_over(owner, at=task.start_at, was_taken=False) if owner else task


def _with_open_clock(task: Task, now: datetime) -> Task:
    """A level that lies ahead again, because the deadline moved, is reached again when its time comes."""
    highest = max((rung.level for rung in task.rungs if rung.at <= now), default=0)
    if task.escalation_level > highest:
        task = replace(task, escalation_level=highest)
    set_at = task.next_escalation_at
    top = task.top_again(set_at - REPEAT_AFTER) if set_at else None
    # The top repeats at the time that was set, however often somebody looks in between.
    return task if top and top.at == set_at else task.with_ladder(now)


def _ended(
    plan: LoopPlan | None, loop: Loop, tasks: Sequence[Task], now: datetime
) -> tuple[Loop, tuple[Task, ...]]:
    """Over as the record has it now. What was completed stays completed: nothing that comes later takes that back."""
    if loop.close_reason == COMPLETED:
        return loop, tuple(tasks)
    state, reason, known = LoopState.CANCELLED, NOT_ELIGIBLE, tasks
    if plan is not None:
        state = LoopState.CLOSED if plan.state is PlanState.CLOSED else LoopState.CANCELLED
        reason, shown = plan.close_reason, dict(plan.shown)
        known = [_as_shown(task, shown) for task in tasks]
    # Where the record does not say when, it counts from when it was first heard of.
    is_known = (loop.state, loop.close_reason) == (state, reason)
    why = _why_ended(plan, loop, loop.closed_at if is_known and loop.closed_at else now)
    after = loop.end(state, reason=reason, evidence=(*evidence_of(known), why))
    return after, tuple(_dropped(task, reason, why.at) for task in known)


def _as_shown(task: Task, shown: Mapping[str, ShownBy]) -> Task:
    """Done where the record shows it now, and no longer done where nothing else ever did."""
    by = shown.get(task.step)
    if _is_done_by_people(task):
        return _amended(task, shown_by=by)
    if by:
        return _done_by_record(task, by)
    if task.state is not TaskState.COMPLETED:
        return task
    return replace(task, state=TaskState.OPEN, shown_by=None, outcome="", closed_at=None)


def _dropped(task: Task, reason: str, at: datetime) -> Task:
    """Over with its loop, also where it fell with an earlier end of it; not what was over before, since nobody needed it."""
    if task.state is TaskState.CANCELLED and task.close_reason not in _NOT_NEEDED:
        return _amended(task, close_reason=reason, closed_at=at)
    return task.cancel(reason=reason, at=at)


def _why_ended(plan: LoopPlan | None, loop: Loop, heard_at: datetime) -> Evidence:
    if plan is None:
        return Evidence(
            kind=EvidenceKind.RECORD_CHANGE,
            description=NO_LONGER,
            source_id=loop.subject_id,
            at=heard_at,
        )
    if plan.close_evidence:
        return Evidence(
            kind=plan.close_evidence.kind,
            description=plan.close_evidence.description,
            source_id=plan.close_evidence.source_id,
            at=plan.close_evidence.at,
            staff_id=plan.close_evidence.staff_id,
        )
    return Evidence(
        kind=EvidenceKind.REVIEW if plan.closed_by_id else EvidenceKind.RECORD_CHANGE,
        description=plan.close_description,
        source_id=loop.subject_id,
        at=plan.closed_at or heard_at,
        staff_id=plan.closed_by_id,
    )
