"""A plan as a function of its loop, its tasks, the template and what people did."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid5

import pytest

from services.careplans.domain.following import follow, plan_id
from services.careplans.domain.labels import ORDINARY, Label
from services.careplans.domain.plan import ActivityState, Goal, GoalState, PlanState
from services.careplans.domain.template import template
from services.careplans.domain.work import KeyDate, Loop, LoopState, Task, TaskState

ROOT = UUID(int=7)
TEMPLATE = template("transition", 1)
AT = datetime(2026, 9, 4, 22, 40, tzinfo=UTC)
DAYS = {"contact_due": 9, "visit_7_due": 11, "visit_14_due": 18, "period_end": 29}


def an_id(name):
    return uuid5(ROOT, name)


def key_dates(later=0):
    return tuple(
        KeyDate(key=key, on=date(2026, 9, day) + timedelta(later), at=AT + timedelta(day + later))
        for key, day in DAYS.items()
    )


def loop(**fields):
    told = {
        "id": an_id("loop"), "version": 1, "facility_id": an_id("mercy"), "patient_id": an_id("patient"),
        "encounter_id": an_id("stay"), "protocol": "discharge-transition", "state": LoopState.OPEN,
        "owner_id": an_id("owner"), "key_dates": key_dates(), "opened_at": AT, "closed_at": None, "labels": ORDINARY,
    }  # fmt: skip
    return Loop(**told | fields)


def task(step, role="nurse", on=date(2026, 9, 9), **fields):
    told = {
        "id": an_id(step), "version": 1, "loop_id": an_id("loop"), "facility_id": an_id("mercy"), "step": step,
        "title": f"Do {step}", "role": role, "state": TaskState.OPEN, "owner_id": an_id(f"owner of {step}"),
        "due_at": AT + timedelta(days=(on - date(2026, 9, 4)).days), "due_on": on,
    }  # fmt: skip
    return Task(**told | fields)


def goals(plan):
    return {goal.text: goal for goal in plan.goals}


def test_in_hospital_there_is_a_plan_without_days_and_so_without_goals():
    plan = follow(None, loop(key_dates=()), [task("plan_going_home", "coordinator")], TEMPLATE)
    assert plan.id == plan_id(an_id("loop"))
    assert plan.goals == ()
    assert [each.title for each in plan.activities] == ["Do plan_going_home"]


def test_every_goal_has_a_measure_a_day_and_an_owner():
    plan = follow(None, loop(), [task("visit", "scheduler", date(2026, 9, 11))], TEMPLATE)
    assert len(plan.goals) == 3
    assert all(goal.measure and goal.due_on and goal.owner_id for goal in plan.goals)
    assert goals(plan)["Be seen after the hospital"].owner_id == an_id("owner of visit")
    assert goals(plan)["Stay at home, and out of hospital"].due_on == date(2026, 9, 29)


def test_days_that_move_and_days_that_go_take_their_goals_with_them():
    plan = follow(None, loop(), [], TEMPLATE)
    later = follow(plan, loop(key_dates=key_dates(later=2)), [], TEMPLATE)
    assert goals(later)["Stay at home, and out of hospital"].due_on == date(2026, 10, 1)
    assert follow(later, loop(key_dates=()), [], TEMPLATE).goals == ()


def test_what_people_met_dropped_or_changed_stays_as_it_is():
    plan = follow(None, loop(), [], TEMPLATE)
    stays, knows = plan.goals
    plan = plan.change_goal(stays.id, lambda goal: goal.end(GoalState.MET))
    plan = plan.change_goal(knows.id, lambda goal: replace(goal, text="x", is_changed=True))
    own = Goal(
        id=an_id("own"), text="Ir a misa", language="es", is_patients_own=True, measure="m",
        due_on=date(2026, 10, 3), owner_id=an_id("owner"),
    )  # fmt: skip
    plan = plan.add_goal(own)
    after = follow(plan, loop(key_dates=()), [], TEMPLATE)
    assert after.goals == plan.goals
    assert after.goals[0] == own


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (TaskState.OPEN, ActivityState.PLANNED),
        (TaskState.COMPLETED, ActivityState.DONE),
        (TaskState.CANCELLED, ActivityState.DROPPED),
    ],
)
def test_an_activity_is_as_its_task(state, expected):
    plan = follow(None, loop(), [task("contact")], TEMPLATE)
    after = follow(plan, loop(), [task("contact", state=state, title="Anew")], TEMPLATE)
    (activity,) = [each for each in after.activities if each.task_id]
    assert (activity.state, activity.title) == (expected, "Anew")


def test_which_goals_an_activity_of_a_task_serves_is_peoples_to_say():
    plan = follow(None, loop(), [task("contact")], TEMPLATE)
    (activity,) = [each for each in plan.activities if each.task_id]
    plan = plan.change_activity(activity.id, lambda a: replace(a, goal_ids=(), is_changed=True))
    after = follow(plan, loop(), [task("contact", state=TaskState.COMPLETED)], TEMPLATE)
    (activity,) = [each for each in after.activities if each.task_id]
    assert (activity.goal_ids, activity.state) == ((), ActivityState.DONE)


def test_what_is_done_of_the_templates_own_stays_done():
    plan = follow(None, loop(), [], TEMPLATE)
    (own,) = plan.activities
    plan = plan.change_activity(own.id, lambda each: each.end(ActivityState.DONE))
    assert follow(plan, loop(key_dates=()), [], TEMPLATE).activities == plan.activities


@pytest.mark.parametrize(
    ("state", "expected"),
    [(LoopState.CLOSED, PlanState.COMPLETED), (LoopState.CANCELLED, PlanState.REVOKED)],
)
def test_it_ends_with_its_loop_and_opens_again(state, expected):
    plan = follow(None, loop(), [], TEMPLATE)
    ended = follow(plan, loop(state=state, closed_at=AT), [], TEMPLATE)
    assert (ended.state, ended.ended_at, ended.version) == (expected, AT, 2)
    again = follow(ended, loop(), [], TEMPLATE)
    assert replace(again, version=1) == plan


def test_nothing_new_is_no_new_version():
    plan = follow(None, loop(), [task("contact")], TEMPLATE)
    assert follow(plan, loop(version=9), [task("contact", version=9)], TEMPLATE) is not None
    assert follow(plan, loop(version=9), [task("contact", version=9)], TEMPLATE) == plan


def test_a_named_coordinator_stays_and_another_follows_the_first_step_of_a_coordinator():
    notice = task("admission_notice", "coordinator", date(2026, 9, 6))
    close = task("close", "coordinator", date(2026, 9, 29))
    plan = follow(None, loop(), [close, notice, task("contact")], TEMPLATE)
    assert plan.coordinator_id == an_id("owner of admission_notice")
    assert goals(plan)["Stay at home, and out of hospital"].owner_id == plan.coordinator_id
    claimed = replace(notice, owner_id=an_id("rosa"))
    assert follow(plan, loop(), [close, claimed], TEMPLATE).coordinator_id == an_id("rosa")
    named = plan.name_coordinator(an_id("luz"))
    assert follow(named, loop(), [close, claimed], TEMPLATE).coordinator_id == an_id("luz")
    assert follow(None, loop(), [task("contact")], TEMPLATE).coordinator_id == an_id("owner")


def test_it_is_as_sensitive_as_its_loop():
    plan = follow(None, loop(), [], TEMPLATE)
    after = follow(plan, loop(labels=(Label.SUD,)), [], TEMPLATE)
    assert (after.labels, after.version) == ((Label.SUD,), 2)


def test_whatever_order_news_comes_in_the_same_plan_comes_of_it():
    """Each step sees the newest that was told by then, as the store keeps it."""
    news = [
        loop(version=1, key_dates=()),
        loop(version=2),
        loop(version=3, key_dates=key_dates(later=1)),
        task("contact", state=TaskState.COMPLETED, version=2),
        task("visit", "scheduler", date(2026, 9, 11)),
    ]
    outcomes = set()
    for order in permutations(news):
        known, tasks, plan = None, {}, None
        for each in order:
            if isinstance(each, Loop):
                known = each if known is None or known.version < each.version else known
            else:
                tasks[each.id] = each
            if known:
                found = sorted(tasks.values(), key=lambda one: one.id)
                plan = follow(plan, known, found, TEMPLATE)
        outcomes.add(replace(plan, version=0))
    assert len(outcomes) == 1


def test_who_leaves_coordinates_nothing_and_has_no_goal():
    plan = follow(None, loop(), [], TEMPLATE).name_coordinator(an_id("rosa"))
    plan = plan.change_goal(plan.goals[0].id, lambda g: replace(g, owner_id=an_id("rosa")))
    after = plan.without({an_id("rosa")}, an_id("duty"))
    assert an_id("rosa") not in after.owner_ids
    assert after.coordinator_id == after.goals[0].owner_id == an_id("duty")
    assert not after.is_coordinator_named
    assert plan.without({an_id("luz")}, an_id("duty")) == plan
