"""A plan as its loop asks for: a function of the loop, its tasks, the template, where else the patient is known, and what
people did.

Whatever order the loop and its tasks came in, and however often, the same plan comes of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid5

from services.careplans.domain.around import NOWHERE, Around
from services.careplans.domain.plan import (
    COORDINATOR,
    Activity,
    ActivityState,
    CarePlan,
    Goal,
    GoalState,
    PlanState,
    by_time,
    in_order,
)
from services.careplans.domain.template import Template, When
from services.careplans.domain.work import Loop, LoopState, Task, TaskState

# The root of ids that follow from what they are about; never change it.
_ROOT = UUID("0d9a6c9e-4a0c-5a8e-8a55-1f5a4f0b6c21")
_STATES = {
    LoopState.OPEN: PlanState.ACTIVE,
    LoopState.CLOSED: PlanState.COMPLETED,
    LoopState.CANCELLED: PlanState.REVOKED,
}
_DONE = {
    TaskState.OPEN: ActivityState.PLANNED,
    TaskState.COMPLETED: ActivityState.DONE,
    TaskState.CANCELLED: ActivityState.DROPPED,
}


def plan_id(loop_id: UUID) -> UUID:
    """The plan of a loop: one for ever."""
    return uuid5(_ROOT, f"plan/{loop_id}")


def part_id(plan: UUID, kind: str, key: str) -> UUID:
    """What a template or a task put into a plan."""
    return uuid5(plan, f"{kind}/{key}")


def follow(
    plan: CarePlan | None,
    loop: Loop,
    tasks: Sequence[Task],
    template: Template,
    around: Around = NOWHERE,
) -> CarePlan:
    """The plan as the loop asks for it now; the same one where nothing is new.

    A loop that was over before it was first heard of opens none that is active, and yet a plan: it says what there was.
    """
    before = plan or _opened(loop, template)
    coordinator_id = before.coordinator_id
    if not before.is_coordinator_named:
        coordinator_id = _coordinator(loop, tasks)
    after = replace(
        before,
        facility_id=loop.facility_id,
        patient_id=loop.patient_id,
        state=_STATES[loop.state],
        coordinator_id=coordinator_id,
        started_at=loop.opened_at,
        goals=_goals(before, loop, tasks, template, coordinator_id),
        activities=_activities(before, loop, tasks, template, around),
        ended_at=None if loop.state is LoopState.OPEN else loop.closed_at,
        labels=loop.labels,
    )
    return after if plan is None or after == plan else replace(after, version=plan.version + 1)


def news_of(plan: CarePlan, stored: CarePlan | None) -> CarePlan | None:
    """The version after the one that is stored; nothing if it says nothing else."""
    if stored is None:
        return plan
    same = replace(plan, version=stored.version)
    return None if same == stored else same.next()


def _opened(loop: Loop, template: Template) -> CarePlan:
    return CarePlan(
        id=plan_id(loop.id),
        version=1,
        facility_id=loop.facility_id,
        patient_id=loop.patient_id,
        template=template.key,
        template_version=template.version,
        title=template.title,
        loop_id=loop.id,
        coordinator_id=_coordinator(loop, ()),
        started_at=loop.opened_at,
        labels=loop.labels,
    )


def _coordinator(loop: Loop, tasks: Sequence[Task]) -> UUID:
    """The person who answers for the first step that is a coordinator's: who took it, else the lead of the team that it is
    with, which is the facility's for such steps, else its duty team. Who answers for the loop is another with each step:
    only where no step is a coordinator's, it is they.
    """
    theirs = [task for task in tasks if task.role == COORDINATOR]
    first = min(theirs, key=lambda task: (task.due_at, task.step), default=None)
    if first:
        return first.accountable_id or first.owner_id
    return loop.accountable_id or loop.owner_id


def _goals(
    plan: CarePlan, loop: Loop, tasks: Sequence[Task], template: Template, coordinator_id: UUID
) -> tuple[Goal, ...]:
    """What people wrote or decided stays. The template's are there while their day is known, which they follow."""
    steps = {task.step: task for task in tasks}
    made = {part_id(plan.id, "goal", each.key): each for each in template.goals}
    kept = [goal for goal in plan.goals if goal.id not in made or _is_peoples(goal)]
    decided = {goal.id for goal in kept}
    for goal_id, each in made.items():
        due_on = _day(each.due, loop, steps)
        if due_on and goal_id not in decided:
            task = steps.get(each.owner_step)
            goal = Goal(
                id=goal_id,
                text=each.text,
                measure=each.measure,
                due_on=due_on,
                owner_id=task.owner_id if task else coordinator_id,
            )
            kept.append(goal)
    return in_order(kept)


def _is_peoples(goal: Goal) -> bool:
    return goal.is_changed or goal.state is not GoalState.ACTIVE


def _activities(
    plan: CarePlan, loop: Loop, tasks: Sequence[Task], template: Template, around: Around
) -> tuple[Activity, ...]:
    """Each task is one; and the template's own, while their time is known."""
    known = {each.id: each for each in plan.activities}
    made = [
        *_of_template(plan, loop, tasks, template, around),
        *(_of_task(plan, t, template) for t in tasks),
    ]
    found = {each.id: _with_decisions(each, known.get(each.id)) for each in made}
    own = {part_id(plan.id, "activity", each.key) for each in template.activities}
    for each in plan.activities:
        is_decided = each.is_changed or each.state is not ActivityState.PLANNED
        if each.id not in found and (each.id not in own or is_decided):
            found[each.id] = each
    return by_time(found.values())


def _with_decisions(made: Activity, known: Activity | None) -> Activity:
    """What people did to it stays: of a task's only which goals it serves is theirs to say."""
    if known is None or made.task_id is None:
        is_decided = known and (known.is_changed or known.state is not ActivityState.PLANNED)
        return known if known and is_decided else made
    if known.is_changed:
        return replace(made, goal_ids=known.goal_ids, is_changed=True)
    return made


def _of_template(
    plan: CarePlan, loop: Loop, tasks: Sequence[Task], template: Template, around: Around
) -> Iterator[Activity]:
    """What is to be done elsewhere is there once somebody of that sort is known to have seen the patient before."""
    steps = {task.step: task for task in tasks}
    for each in template.activities:
        due_at = _time(each.due, loop, steps)
        place = around.place(each.at, loop.patient_id, loop.facility_id, loop.opened_at)
        if due_at and place:
            yield Activity(
                id=part_id(plan.id, "activity", each.key),
                title=each.title,
                facility_id=place,
                role=each.role,
                owner_id=around.who(place, each.role),
                due_at=due_at,
                goal_ids=tuple(part_id(plan.id, "goal", key) for key in each.goals),
            )


def _of_task(plan: CarePlan, task: Task, template: Template) -> Activity:
    return Activity(
        id=part_id(plan.id, "task", str(task.id)),
        title=task.title,
        facility_id=task.facility_id,
        role=task.role,
        owner_id=task.owner_id,
        due_at=task.due_at,
        state=_DONE[task.state],
        task_id=task.id,
        goal_ids=tuple(part_id(plan.id, "goal", key) for key in template.steps.get(task.step, ())),
    )


def _day(due: When, loop: Loop, steps: dict[str, Task]) -> date | None:
    if due.step:
        return steps[due.step].due_on if due.step in steps else None
    known = loop.key_date(due.key_date)
    return known.on if known else None


def _time(due: When, loop: Loop, steps: dict[str, Task]) -> datetime | None:
    if due.step:
        return steps[due.step].due_at if due.step in steps else None
    known = loop.key_date(due.key_date)
    return known.at if known else None
