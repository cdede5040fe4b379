"""CareplansService. The contract, its paths and its permissions: protos/carehub/careplans/v1."""

from collections.abc import Callable
from uuid import UUID

from carehub.careplans.v1 import care_plan_pb2, preferences_pb2
from carehub.careplans.v1 import careplans_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import to_uuid
from libs.chassis.pages import decode_cursor, encode_cursor, page_size, page_start, token_after
from services.careplans.convert.plan import template_to_proto
from services.careplans.domain.plan import ActivityState, GoalState
from services.careplans.domain.template import newest
from services.careplans.events import save_plans
from services.careplans.service import parts
from services.careplans.service.opening import opened
from services.careplans.service.preferences import get_preferences, update_preferences
from services.careplans.service.work import must_own, put_back_plan, show_plan, take_up_plan
from services.careplans.store import LAST, NeighborStore, PlanStore


class CareplansService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change. The guard does the rest.

    A change takes up a plan (alone with its patient), does one thing to it, and puts it back (work.py).
    """

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self._new_id = new_id

    async def GetCarePlan(
        self, request: rpc.GetCarePlanRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        plan_id = to_uuid("care_plan_id", request.care_plan_id)
        return show_plan(call, await PlanStore(call.tx).get(plan_id))

    async def ListCarePlans(
        self, request: rpc.ListCarePlansRequest, call: Call
    ) -> rpc.ListCarePlansResponse:
        size = page_size(request.page_size)
        asked = to_uuid("patient_id", request.patient_id)
        patient_id = (await NeighborStore(call.tx).survivors([asked]))[asked]
        before = page_start(request.page_token, request, LAST)
        found = await PlanStore(call.tx).page(patient_id, before, size + 1)
        page = found[:size]
        is_more = len(found) > size
        token = token_after(page[-1].started_at, page[-1].id, request) if is_more else ""
        plans = [show_plan(call, each) for each in page]
        return rpc.ListCarePlansResponse(care_plans=plans, next_page_token=token)

    async def OpenCarePlan(
        self, request: rpc.OpenCarePlanRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        plan = await opened(request, call, self._new_id)
        await save_plans(call.tx, [plan])
        return show_plan(call, plan)

    async def CompleteCarePlan(
        self, request: rpc.CompleteCarePlanRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        return await put_back_plan(call, plan, plan.complete(call.tx.at))

    async def NameCoordinator(
        self, request: rpc.NameCoordinatorRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        who = to_uuid("coordinator_id", request.coordinator_id)
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        await must_own(call, who, "coordinator_id")
        return await put_back_plan(call, plan, plan.name_coordinator(who))

    async def AddGoal(self, request: rpc.AddGoalRequest, call: Call) -> care_plan_pb2.CarePlan:
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        goal = await parts.new_goal(call, plan, request.goal, self._new_id())
        return await put_back_plan(call, plan, plan.add_goal(goal))

    async def UpdateGoal(
        self, request: rpc.UpdateGoalRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        goal = await parts.changed_goal(call, plan, request)
        return await put_back_plan(call, plan, plan.change_goal(goal.id, lambda _: goal))

    async def MeetGoal(self, request: rpc.MeetGoalRequest, call: Call) -> care_plan_pb2.CarePlan:
        goal_id = to_uuid("goal_id", request.goal_id)
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        after = plan.change_goal(goal_id, lambda goal: goal.end(GoalState.MET))
        return await put_back_plan(call, plan, after)

    async def DropGoal(self, request: rpc.DropGoalRequest, call: Call) -> care_plan_pb2.CarePlan:
        goal_id = to_uuid("goal_id", request.goal_id)
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        after = plan.change_goal(goal_id, lambda goal: goal.end(GoalState.DROPPED))
        return await put_back_plan(call, plan, after)

    async def AddActivity(
        self, request: rpc.AddActivityRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        activity = await parts.new_activity(call, plan, request.activity, self._new_id())
        return await put_back_plan(call, plan, plan.add_activity(activity))

    async def UpdateActivity(
        self, request: rpc.UpdateActivityRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        activity = await parts.changed_activity(call, plan, request)
        after = plan.change_activity(activity.id, lambda _: activity)
        return await put_back_plan(call, plan, after)

    async def CompleteActivity(
        self, request: rpc.CompleteActivityRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        activity_id = to_uuid("activity_id", request.activity_id)
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        after = plan.change_activity(activity_id, lambda each: each.end(ActivityState.DONE))
        return await put_back_plan(call, plan, after)

    async def DropActivity(
        self, request: rpc.DropActivityRequest, call: Call
    ) -> care_plan_pb2.CarePlan:
        activity_id = to_uuid("activity_id", request.activity_id)
        plan = await take_up_plan(call, request.care_plan_id, request.etag)
        after = plan.change_activity(activity_id, lambda each: each.end(ActivityState.DROPPED))
        return await put_back_plan(call, plan, after)

    async def ListTemplates(
        self, request: rpc.ListTemplatesRequest, call: Call
    ) -> rpc.ListTemplatesResponse:
        size = page_size(request.page_size)
        after = str((decode_cursor(request.page_token, request) or [""])[0])
        found = [each for each in newest() if each.key > after]
        token = encode_cursor([found[size - 1].key], request) if len(found) > size else ""
        templates = [template_to_proto(each) for each in found[:size]]
        return rpc.ListTemplatesResponse(templates=templates, next_page_token=token)

    async def GetPreferences(
        self, request: rpc.GetPreferencesRequest, call: Call
    ) -> preferences_pb2.Preferences:
        return await get_preferences(request, call)

    async def UpdatePreferences(
        self, request: rpc.UpdatePreferencesRequest, call: Call
    ) -> preferences_pb2.Preferences:
        return await update_preferences(request, call)
