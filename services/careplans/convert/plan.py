"""Care plans and their templates."""

from collections.abc import Collection
from uuid import UUID

from carehub.careplans.v1 import care_plan_pb2, template_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_datetime, to_timestamp, to_uuid
from services.careplans.convert.words import (
    date_to_proto,
    id_to_proto,
    labels_to_proto,
    to_date,
    to_text,
)
from services.careplans.domain.plan import Activity, CarePlan, Goal
from services.careplans.domain.preferences import check_language
from services.careplans.domain.template import Template

MOST_TEXT, MOST_TITLE, MOST_ROLE = 500, 200, 50
_PLAN, _GOAL = care_plan_pb2.CarePlan, care_plan_pb2.CarePlan.Goal
_ACTIVITY = care_plan_pb2.CarePlan.Activity


def plan_to_proto(
    plan: CarePlan, own_places: Collection[UUID] = frozenset()
) -> care_plan_pb2.CarePlan:
    """A plan as somebody of these places sees it."""
    known = {goal.id for goal in plan.goals}
    return _PLAN(
        id=str(plan.id),
        etag=etag(plan.version),
        facility_id=str(plan.facility_id),
        patient_id=str(plan.patient_id),
        template=plan.template,
        template_version=plan.template_version,
        title=plan.title,
        state=_PLAN.State.Value(f"STATE_{plan.state}"),
        loop_id=id_to_proto(plan.loop_id),
        coordinator_id=str(plan.coordinator_id),
        goals=[goal_to_proto(each) for each in plan.goals],
        activities=[activity_to_proto(each, known, own_places) for each in plan.activities],
        start_time=to_timestamp(plan.started_at),
        end_time=to_timestamp(plan.ended_at),
        labels=labels_to_proto(plan.labels),
        team=[
            _PLAN.Member(
                member_id=str(each.id),
                role=each.role,
                facility_id=str(each.facility_id),
                is_coordinator=n == 0,
            )
            for n, each in enumerate(plan.team)
        ],
    )


def goal_to_proto(goal: Goal) -> care_plan_pb2.CarePlan.Goal:
    return _GOAL(
        id=str(goal.id),
        text=goal.text,
        language=goal.language,
        is_patients_own=goal.is_patients_own,
        measure=goal.measure,
        due_date=date_to_proto(goal.due_on),
        owner_id=str(goal.owner_id),
        state=_GOAL.State.Value(f"STATE_{goal.state}"),
    )


def activity_to_proto(
    activity: Activity, known_goals: Collection[UUID], own_places: Collection[UUID] = frozenset()
) -> care_plan_pb2.CarePlan.Activity:
    return _ACTIVITY(
        id=str(activity.id),
        title=activity.title,
        facility_id=str(activity.facility_id),
        role=activity.role,
        owner_id=id_to_proto(activity.owner_id),
        due_time=to_timestamp(activity.due_at),
        state=_ACTIVITY.State.Value(f"STATE_{activity.state}"),
        task_id=id_to_proto(activity.task_id),
        goal_ids=[str(each) for each in activity.goal_ids if each in known_goals],
        is_own=activity.facility_id in own_places,
    )


def to_goal(told: care_plan_pb2.CarePlan.Goal, id: UUID) -> Goal:
    """A goal as somebody wrote it: never without text, measure, day and owner."""
    if not told.HasField("due_date"):
        raise InvalidArgument("GOAL_DUE_MISSING", "Say by when.", field="goal.due_date")
    check_language(told.language, "goal.language")
    return Goal(
        id=id,
        text=to_text("goal.text", told.text, MOST_TEXT, is_required=True),
        language=told.language or "en",
        is_patients_own=told.is_patients_own,
        measure=to_text("goal.measure", told.measure, MOST_TITLE, is_required=True),
        due_on=to_date("goal.due_date", told.due_date),
        owner_id=to_uuid("goal.owner_id", told.owner_id),
        is_changed=True,
    )


def to_activity(told: care_plan_pb2.CarePlan.Activity, id: UUID) -> Activity:
    """An activity as somebody wrote it: never without title, role, facility and time."""
    if not told.HasField("due_time"):
        raise InvalidArgument("ACTIVITY_DUE_MISSING", "Say until when.", field="activity.due_time")
    return Activity(
        id=id,
        title=to_text("activity.title", told.title, MOST_TITLE, is_required=True),
        facility_id=to_uuid("activity.facility_id", told.facility_id),
        role=to_text("activity.role", told.role, MOST_ROLE, is_required=True),
        due_at=to_datetime(told.due_time),
        goal_ids=tuple(to_uuid("activity.goal_ids", each) for each in told.goal_ids),
        is_changed=True,
    )


def template_to_proto(template: Template) -> template_pb2.Template:
    return template_pb2.Template(
        id=template.key,
        version=template.version,
        title=template.title,
        protocol=template.protocol,
        sources=template.sources,
        goals=[goal.text for goal in template.goals],
    )
