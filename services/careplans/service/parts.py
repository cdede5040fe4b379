"""The goals and activities that people write."""

from dataclasses import replace
from uuid import UUID

from carehub.careplans.v1 import care_plan_pb2
from carehub.careplans.v1 import careplans_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import apply_mask, to_uuid
from services.careplans.convert.plan import (
    activity_to_proto,
    goal_to_proto,
    to_activity,
    to_goal,
)
from services.careplans.domain.plan import Activity, CarePlan, Goal
from services.careplans.service.work import must_own
from services.careplans.store import NeighborStore


async def new_goal(call: Call, plan: CarePlan, told: care_plan_pb2.CarePlan.Goal, id: UUID) -> Goal:
    """The goal that is asked for; without an owner it is the coordinator's."""
    if not told.owner_id:
        told.owner_id = str(plan.coordinator_id)
        return to_goal(told, id)
    goal = to_goal(told, id)
    await must_own(call, goal.owner_id, "goal.owner_id")
    return goal


async def changed_goal(call: Call, plan: CarePlan, request: rpc.UpdateGoalRequest) -> Goal:
    """The goal with the new values of the mask."""
    before = plan.goal(to_uuid("goal_id", request.goal_id))
    before.must_be_active()
    wanted = goal_to_proto(before)
    apply_mask(wanted, request.goal, request.update_mask)
    after = replace(to_goal(wanted, before.id), state=before.state)
    if after.owner_id != before.owner_id:
        await must_own(call, after.owner_id, "goal.owner_id")
    is_same = replace(after, is_changed=before.is_changed) == before
    return before if is_same else after


async def new_activity(
    call: Call, plan: CarePlan, told: care_plan_pb2.CarePlan.Activity, id: UUID
) -> Activity:
    """The activity that is asked for; without a facility it is done where the plan is."""
    told.facility_id = told.facility_id or str(plan.facility_id)
    return await _with_owner(call, to_activity(told, id))


async def _with_owner(call: Call, activity: Activity) -> Activity:
    """Whose it is follows from where it is done, and by which role."""
    places = await NeighborStore(call.tx).places([activity.facility_id])
    return replace(activity, owner_id=places.who(activity.facility_id, activity.role))


async def changed_activity(
    call: Call, plan: CarePlan, request: rpc.UpdateActivityRequest
) -> Activity:
    """The activity with the new values of the mask; of a task's, the goals alone."""
    before = plan.activity(to_uuid("activity_id", request.activity_id))
    before.must_be_planned()
    wanted = activity_to_proto(before, before.goal_ids)
    apply_mask(wanted, request.activity, request.update_mask)
    after = replace(
        to_activity(wanted, before.id),
        state=before.state,
        task_id=before.task_id,
        owner_id=before.owner_id,
    )
    if replace(after, goal_ids=before.goal_ids, is_changed=before.is_changed) != before:
        before.must_be_peoples()
    if (after.facility_id, after.role) != (before.facility_id, before.role):
        after = await _with_owner(call, after)
    is_same = replace(after, is_changed=before.is_changed) == before
    return before if is_same else after
