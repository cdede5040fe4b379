"""A plan that a person opens from a template, with days counted from the one on which it is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.chassis.errors import FailedPrecondition
from services.careplans.domain.around import NOWHERE, Around
from services.careplans.domain.following import part_id
from services.careplans.domain.labels import Labels
from services.careplans.domain.neighbor import Facility
from services.careplans.domain.plan import Activity, CarePlan, Goal, by_time
from services.careplans.domain.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Who opens a plan, for whom, where and when."""

    patient_id: UUID
    facility: Facility
    by: UUID
    labels: Labels
    at: datetime
    around: Around = NOWHERE


def open_plan(template: Template, opening: Opening, new_id: Callable[[], UUID]) -> CarePlan:
    """The plan, with every goal and activity of the template; whoever opens it coordinates it."""
    if template.protocol:
        raise FailedPrecondition(
            "TEMPLATE_IS_OF_A_LOOP", "Such a plan is opened by a loop, and by nobody else."
        )
    plan_id, here = new_id(), opening.facility
    today = here.local_date(opening.at)
    goals = tuple(
        Goal(
            id=part_id(plan_id, "goal", each.key),
            text=each.text,
            measure=each.measure,
            due_on=each.due.counted_from(today),
            owner_id=opening.by,
        )
        for each in template.goals
    )
    activities = tuple(
        Activity(
            id=part_id(plan_id, "activity", each.key),
            title=each.title,
            facility_id=here.id,
            role=each.role,
            owner_id=opening.around.who(here.id, each.role),
            due_at=here.end_of_day(each.due.counted_from(today)),
            goal_ids=tuple(part_id(plan_id, "goal", key) for key in each.goals),
        )
        for each in template.activities
    )
    return CarePlan(
        id=plan_id,
        version=1,
        facility_id=here.id,
        patient_id=opening.patient_id,
        template=template.key,
        template_version=template.version,
        title=template.title,
        coordinator_id=opening.by,
        is_coordinator_named=True,
        goals=goals,
        activities=by_time(activities),
        started_at=opening.at,
        labels=opening.labels,
    )
