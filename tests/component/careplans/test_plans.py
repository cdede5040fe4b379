"""Care plans: opened and moved by loops, and worked on by people."""

import random
from datetime import date, timedelta
from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.careplans.v1 import care_plan_pb2, careplans_events_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from tests.component.careplans.conftest import KEY_DATES, NORMAL, NOW, SUD, day, end_of

Plan = care_plan_pb2.CarePlan
Goal, Activity = Plan.Goal, Plan.Activity


def goal(**fields):
    told = {
        "text": "Caminar a la iglesia sin parar",
        "language": "es",
        "is_patients_own": True,
        "measure": "Asked every Monday",
        "due_date": day(date(2026, 10, 3)),
    } | fields
    return Goal(**told)


async def refused(reason, call):
    with pytest.raises(CallFailed) as caught:
        await call
    assert caught.value.reason == reason
    return caught.value


# Loops.


async def test_a_loop_opens_one_plan_with_goals_that_have_owner_measure_and_day(careplans):
    async with careplans() as c:
        loop, _ = await c.discharged()
        plan = await c.plan(loop)
        assert (plan.template, plan.state, plan.title) == (
            "transition",
            Plan.STATE_ACTIVE,
            "From hospital to home",
        )
        assert plan.coordinator_id == str(c.coordinator)
        due = {each.text: each.due_date for each in plan.goals}
        assert due["Stay at home, and out of hospital"] == day(KEY_DATES["period_end"])
        assert all(each.measure and each.owner_id and each.due_date.day for each in plan.goals)
        await c.tell(c.loop(2, id=loop, encounter=uuid4()))
        await c.until_handled("careplans-work", 2)
        assert len(await c.plans()) == 1


async def test_activities_follow_the_tasks_of_the_loop(careplans):
    async with careplans() as c:
        loop, _ = await c.discharged()
        visit = uuid4()
        told = {"loop": loop, "step": "visit", "role": "scheduler", "due": KEY_DATES["visit_7_due"]}
        await c.tell(c.task(id=visit, owner=c.duty, **told))
        plan = await c.until_plan(loop, lambda p: any(a.task_id for a in p.activities))
        (activity,) = [a for a in plan.activities if a.task_id == str(visit)]
        assert (activity.role, activity.state) == ("scheduler", Activity.STATE_PLANNED)
        assert activity.due_time.ToDatetime() == end_of(KEY_DATES["visit_7_due"]).replace(
            tzinfo=None
        )
        seen = {g.id: g for g in plan.goals}
        (served,) = activity.goal_ids
        assert seen[served].owner_id == str(c.duty), "whoever has the step has the goal"
        await c.tell(c.task(2, id=visit, state="COMPLETED", **told))
        done = await c.until_plan(
            loop, lambda p: any(a.state == Activity.STATE_DONE for a in p.activities)
        )
        assert [a.task_id for a in done.activities if a.state == Activity.STATE_DONE] == [
            str(visit)
        ]


async def test_whoever_has_the_first_step_of_a_coordinator_coordinates(careplans):
    """The loop's owner is that of its next step, and would be another one each week."""
    async with careplans() as c:
        loop, encounter = await c.discharged()
        told = {"loop": loop, "step": "admission_notice", "role": "coordinator"}
        await c.tell(c.task(due=date(2026, 9, 6), owner=c.coordinators, **told))
        await c.until_plan(loop, lambda p: p.coordinator_id == str(c.coordinators))
        moved = c.loop(2, id=loop, encounter=encounter)
        moved.loop.owner.staff_id = str(c.pharmacist)
        await c.tell(moved)
        await c.until_handled("careplans-work", 3)
        assert (await c.plan(loop)).coordinator_id == str(c.coordinators)


@pytest.mark.parametrize(
    ("state", "expected"),
    [("CLOSED", Plan.STATE_COMPLETED), ("CANCELLED", Plan.STATE_REVOKED)],
)
async def test_a_plan_ends_with_its_loop_and_opens_again_with_it(careplans, state, expected):
    async with careplans() as c:
        loop, encounter = await c.discharged()
        await c.tell(c.loop(2, id=loop, encounter=encounter, state=state))
        ended = await c.until_plan(loop, lambda p: p.state == expected)
        assert ended.HasField("end_time")
        await refused("PLAN_ENDED", c.call("AddGoal", care_plan_id=ended.id, goal=goal()))
        await c.tell(c.loop(3, id=loop, encounter=encounter))
        again = await c.until_plan(loop, lambda p: p.state == Plan.STATE_ACTIVE)
        assert not again.HasField("end_time")
        assert again.id == ended.id


async def test_any_order_with_duplicates_ends_in_the_same_plan(careplans):
    async with careplans() as c:
        outcomes = []
        for seed in range(4):
            loop, encounter, c.patient = uuid4(), uuid4(), uuid4()
            contact, visit = uuid4(), uuid4()
            call = {"id": contact, "loop": loop, "step": "contact", "role": "nurse"}
            see = {"id": visit, "loop": loop, "step": "visit", "role": "scheduler"}
            history = [
                c.loop(1, id=loop, encounter=encounter, is_discharged=False),
                c.loop(2, id=loop, encounter=encounter),
                c.loop(3, id=loop, encounter=encounter, state="CANCELLED", is_discharged=False),
                c.loop(4, id=loop, encounter=encounter),
                c.task(1, due=date(2026, 9, 8), **call),
                c.task(2, due=date(2026, 9, 9), state="COMPLETED", **call),
                c.task(1, due=date(2026, 9, 18), **see),
                c.task(2, due=date(2026, 9, 11), **see),
            ]
            history += history[:3]
            random.Random(seed).shuffle(history)
            await c.tell(*history)
            await c.until_handled("careplans-work", len(history) * (seed + 1))
            plan = await c.plan(loop)
            outcomes.append(
                (
                    plan.state,
                    sorted((g.text, g.due_date.day, g.owner_id) for g in plan.goals),
                    sorted((a.title, a.due_time.seconds, a.state) for a in plan.activities),
                )
            )
        assert outcomes[0][0] == Plan.STATE_ACTIVE
        assert all(each == outcomes[0] for each in outcomes)


async def test_a_task_before_its_loop_is_no_less_an_activity(careplans):
    async with careplans() as c:
        loop, encounter = uuid4(), uuid4()
        await c.tell(c.task(loop=loop, step="contact", role="nurse", due=date(2026, 9, 9)))
        await c.until_handled("careplans-work", 1)
        assert await c.plans() == []
        await c.tell(c.loop(id=loop, encounter=encounter))
        plan = await c.until_plan(loop, lambda p: True) if await _there(c, loop) else None
        assert [a.title for a in plan.activities if a.task_id] == ["Do contact"]


async def _there(c, loop):
    await c.until_rows("SELECT count(*) FROM care_plans WHERE loop_id = $1", 1, loop)
    return True


async def test_a_loop_of_another_protocol_opens_nothing(careplans):
    async with careplans() as c:
        await c.tell(c.loop(id=uuid4(), encounter=uuid4(), protocol="break-glass-review"))
        await c.until_handled("careplans-work", 1)
        assert await c.rows("SELECT 1 FROM loops") == []
        assert await c.plans() == []


# People.


async def test_a_goal_in_the_patients_own_words_stands_first(careplans):
    async with careplans() as c:
        loop, _ = await c.discharged()
        before = await c.plan(loop)
        plan = await c.call("AddGoal", care_plan_id=before.id, etag=before.etag, goal=goal())
        own = plan.goals[0]
        assert (own.text, own.language, own.owner_id) == (
            "Caminar a la iglesia sin parar",
            "es",
            before.coordinator_id,
        )
        (*_, told) = await c.told(careplans_events_pb2.CarePlanChanged)
        assert told.version == 2
        assert told.care_plan.goals[0].id == own.id
        await refused(
            "STALE_ETAG", c.call("AddGoal", care_plan_id=plan.id, etag=before.etag, goal=goal())
        )


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("text", "TEXT_MISSING"), ("measure", "TEXT_MISSING"), ("due_date", "GOAL_DUE_MISSING")],
)
async def test_a_goal_without_measure_or_day_is_none(careplans, missing, reason):
    async with careplans() as c:
        loop, _ = await c.discharged()
        told = goal()
        told.ClearField(missing)
        plan = await c.plan(loop)
        await refused(reason, c.call("AddGoal", care_plan_id=plan.id, goal=told))


async def test_nobody_unknown_or_gone_owns_a_goal_or_coordinates(careplans):
    async with careplans() as c:
        loop, _ = await c.discharged()
        plan = await c.plan(loop)
        told = goal(owner_id=str(uuid4()))
        await refused("OWNER_UNKNOWN", c.call("AddGoal", care_plan_id=plan.id, goal=told))
        name = {"care_plan_id": plan.id, "coordinator_id": str(c.pharmacist)}
        named = await c.call("NameCoordinator", **name)
        assert named.coordinator_id == str(c.pharmacist)
        await c.staff(c.pharmacist, 2, is_active=False)
        handed = await c.until_plan(loop, lambda p: p.coordinator_id != str(c.pharmacist))
        assert handed.coordinator_id == str(c.coordinator)
        await refused("OWNER_UNKNOWN", c.call("NameCoordinator", **name))


async def test_a_goal_that_somebody_changed_follows_the_loop_no_more(careplans):
    async with careplans() as c:
        loop, encounter = await c.discharged()
        plan = await c.plan(loop)
        (chosen,) = [g for g in plan.goals if g.text.startswith("Stay at home")]
        changed = await c.call(
            "UpdateGoal",
            care_plan_id=plan.id,
            goal_id=chosen.id,
            goal=Goal(text="Quedarme en casa", language="es"),
            update_mask=FieldMask(paths=["text", "language"]),
        )
        assert {g.text for g in changed.goals} >= {"Quedarme en casa"}
        moved = c.loop(2, id=loop, encounter=encounter)
        for each in moved.loop.key_dates:
            each.date.day += 1
        await c.tell(moved)
        after = await c.until_plan(
            loop, lambda p: any(g.due_date.day == 10 for g in p.goals), what="the other goals"
        )
        (kept,) = [g for g in after.goals if g.id == chosen.id]
        assert (kept.text, kept.due_date) == ("Quedarme en casa", chosen.due_date)


async def test_goals_are_met_or_dropped_once(careplans):
    async with careplans() as c:
        loop, _ = await c.discharged()
        plan = await c.plan(loop)
        told = {"care_plan_id": plan.id, "goal_id": plan.goals[0].id}
        met = await c.call("MeetGoal", **told)
        assert met.goals[0].state == Goal.STATE_MET
        assert (await c.call("MeetGoal", **told)).etag == met.etag
        await refused("GOAL_ENDED", c.call("DropGoal", **told))
        await refused(
            "GOAL_NOT_FOUND", c.call("MeetGoal", care_plan_id=plan.id, goal_id=str(uuid4()))
        )


async def test_an_activity_of_a_task_is_done_on_the_worklist_and_of_people_here(careplans):
    async with careplans() as c:
        loop, _ = await c.discharged()
        await c.tell(c.task(loop=loop, step="contact", role="nurse", due=date(2026, 9, 9)))
        plan = await c.until_plan(loop, lambda p: any(a.task_id for a in p.activities))
        (of_task,) = [a for a in plan.activities if a.task_id]
        at = {"care_plan_id": plan.id}
        for method in ("CompleteActivity", "DropActivity"):
            await refused("ACTIVITY_FOLLOWS_TASK", c.call(method, **at, activity_id=of_task.id))
        retitled = {"activity_id": of_task.id, "activity": Activity(title="Call", role="nurse")}
        await refused("ACTIVITY_FOLLOWS_TASK", c.call("UpdateActivity", **at, **retitled))
        elsewhere = uuid4()
        added = await c.call(
            "AddActivity",
            **at,
            activity=Activity(
                title="Bring a scale",
                role="community_health_worker",
                facility_id=str(elsewhere),
                due_time=to_timestamp(NOW + timedelta(days=3)),
                goal_ids=[plan.goals[0].id],
            ),
        )
        (scale,) = [a for a in added.activities if a.title == "Bring a scale"]
        assert not scale.is_own
        assert all(a.is_own for a in added.activities if a.id != scale.id)
        done = await c.call("CompleteActivity", **at, activity_id=scale.id)
        assert [a.state for a in done.activities if a.id == scale.id] == [Activity.STATE_DONE]
        await refused("ACTIVITY_ENDED", c.call("DropActivity", **at, activity_id=scale.id))
        stranger = Activity(title="x", role="nurse", goal_ids=[str(uuid4())])
        stranger.due_time.CopyFrom(to_timestamp(NOW))
        await refused("GOAL_UNKNOWN", c.call("AddActivity", **at, activity=stranger))


async def test_a_person_opens_a_plan_with_days_of_the_facilitys_calendar_and_ends_it(careplans):
    """It is still Friday in Chicago when the day has changed in Greenwich."""
    async with careplans() as c:
        c.hub.clock.set(NOW + timedelta(hours=3))
        told = {"patient_id": str(c.patient), "facility_id": str(c.here)}
        plan = await c.call("OpenCarePlan", template="heart-failure", **told)
        assert plan.coordinator_id == str(c.pharmacist)
        (weight, *_) = plan.goals
        assert weight.due_date == day(date(2026, 10, 4))
        (scale,) = [a for a in plan.activities if "scale" in a.title]
        assert scale.due_time.ToDatetime() == end_of(date(2026, 9, 11)).replace(tzinfo=None)
        again = c.call("OpenCarePlan", template="heart-failure", **told)
        await refused("PLAN_OPEN_ALREADY", again)
        await refused(
            "TEMPLATE_IS_OF_A_LOOP", c.call("OpenCarePlan", template="transition", **told)
        )
        await refused("TEMPLATE_NOT_FOUND", c.call("OpenCarePlan", template="other", **told))
        ended = await c.call("CompleteCarePlan", care_plan_id=plan.id)
        assert ended.state == Plan.STATE_COMPLETED
        loop, _ = await c.discharged()
        followed = await c.plan(loop)
        await refused("PLAN_FOLLOWS_LOOP", c.call("CompleteCarePlan", care_plan_id=followed.id))
        answer = await c.call("ListTemplates")
        assert [each.id for each in answer.templates] == ["heart-failure", "transition"]


async def test_what_a_part_2_program_writes_is_a_record_of_that_program(careplans):
    async with careplans() as c:
        told = {"patient_id": str(c.patient), "facility_id": str(c.here)}
        await c.program_feed(c.here)
        plan = await c.call("OpenCarePlan", template="heart-failure", labels=[SUD], **told)
        assert list(plan.labels) == [access_pb2.LABEL_PART2, SUD]


# Who.


async def test_nobody_of_elsewhere_sees_or_changes_a_plan(careplans):
    async with careplans() as c:
        loop, _ = await c.discharged()
        plan = await c.plan(loop)
        stranger = c.token(uuid4(), uuid4())
        missing = await refused(
            "CARE_PLAN_NOT_FOUND", c.call("GetCarePlan", stranger, care_plan_id=plan.id)
        )
        assert missing.code == "NOT_FOUND"
        await refused(
            "CARE_PLAN_NOT_FOUND",
            c.call("AddGoal", stranger, care_plan_id=plan.id, goal=goal()),
        )
        assert await c.plans(stranger) == []


async def test_labels_follow_the_loop(careplans):
    async with careplans() as c:
        loop, encounter = await c.discharged()
        assert list((await c.plan(loop)).labels) == [NORMAL]
        sensitive = c.loop(2, id=loop, encounter=encounter)
        del sensitive.loop.labels[:]
        await c.tell(sensitive)
        await c.until_plan(loop, lambda p: list(p.labels) == [access_pb2.LABEL_WITHHELD])


async def test_plans_come_in_pages(careplans):
    async with careplans() as c:
        loops = [(await c.discharged())[0] for _ in range(3)]
        seen, token = [], ""
        for _ in range(3):
            page = await c.call(
                "ListCarePlans", patient_id=str(c.patient), page_size=1, page_token=token
            )
            seen += [each.loop_id for each in page.care_plans]
            token = page.next_page_token
        assert token == ""
        assert sorted(seen) == sorted(map(str, loops))
