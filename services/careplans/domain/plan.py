"""A care plan: what is to be reached with a patient, and who does what for it."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from services.careplans.domain.labels import Labels

COORDINATOR = "coordinator"
MOST_GOALS, MOST_ACTIVITIES = 50, 200


class PlanState(StrEnum):
    """Where a plan is in its life."""

    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    REVOKED = "REVOKED"


class GoalState(StrEnum):
    ACTIVE = "ACTIVE"
    MET = "MET"
    DROPPED = "DROPPED"


class ActivityState(StrEnum):
    PLANNED = "PLANNED"
    DONE = "DONE"
    DROPPED = "DROPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Something to be reached: never without how one sees it, by when, and who answers for it.

    `is_changed`: somebody wrote it anew, and it follows the loop no more.
    """

    id: UUID
    text: str
    language: str = "en"
    is_patients_own: bool = False
    measure: str
    due_on: date
    owner_id: UUID
    state: GoalState = GoalState.ACTIVE
    is_changed: bool = False

    def end(self, state: GoalState) -> Self:
        """As met or dropped; twice changes nothing."""
        if self.state is not GoalState.ACTIVE and self.state is not state:
            raise FailedPrecondition("GOAL_ENDED", "The goal was reached or given up before.")
        return replace(self, state=state)

    def must_be_active(self) -> None:
        if self.state is not GoalState.ACTIVE:
            raise FailedPrecondition("GOAL_ENDED", "The goal was reached or given up before.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something that somebody does. With a task it follows that; else people say how it stands.

    `owner_id`: who does it, a person or a team; None where nobody was told of.
    """

    id: UUID
    title: str
    facility_id: UUID
    role: str
    owner_id: UUID | None = None
    due_at: datetime
    state: ActivityState = ActivityState.PLANNED
    task_id: UUID | None = None
    goal_ids: tuple[UUID, ...] = ()
    is_changed: bool = False

    def end(self, state: ActivityState) -> Self:
        """As done or dropped; twice changes nothing."""
        self.must_be_peoples()
        if self.state not in (ActivityState.PLANNED, state):
            raise FailedPrecondition("ACTIVITY_ENDED", "The activity was done or dropped before.")
        return replace(self, state=state)

    def must_be_peoples(self) -> None:
        if self.task_id:
            raise FailedPrecondition(
                "ACTIVITY_FOLLOWS_TASK", "It stands for a task: change it on the worklist."
            )

    def must_be_planned(self) -> None:
        if self.state is not ActivityState.PLANNED:
            raise FailedPrecondition("ACTIVITY_ENDED", "The activity was done or dropped before.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody on the care team of a plan: a person or a team, and as what they are, where."""

    id: UUID
    role: str
    facility_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CarePlan:
    """One plan for one patient, of one facility, with one coordinator.

    `is_coordinator_named`: somebody said who it is, and it follows the loop no more.
    """

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    template: str
    template_version: int
    title: str
    state: PlanState = PlanState.ACTIVE
    loop_id: UUID | None = None
    coordinator_id: UUID
    is_coordinator_named: bool = False
    goals: tuple[Goal, ...] = ()
    activities: tuple[Activity, ...] = ()
    started_at: datetime
    ended_at: datetime | None = None
    labels: Labels

    @property
    def team(self) -> tuple[Member, ...]:
        """Who has something to do in it, or did it, each once; in the order in which it is due, the coordinator first.

        Who does several things is on it as what they do last; a coordinator as that.
        """
        team = {
            each.owner_id: Member(id=each.owner_id, role=each.role, facility_id=each.facility_id)
            for each in self.activities
            if each.owner_id and each.state is not ActivityState.DROPPED
        }
        team.pop(self.coordinator_id, None)
        first = Member(id=self.coordinator_id, role=COORDINATOR, facility_id=self.facility_id)
        return (first, *team.values())

    @property
    def owner_ids(self) -> list[UUID]:
        """Who answers for something in it: what is looked through when somebody leaves."""
        return sorted({self.coordinator_id, *(goal.owner_id for goal in self.goals)})

    def next(self) -> Self:
        """As it is saved after a change."""
        return replace(self, version=self.version + 1)

    def must_be_active(self) -> None:
        if self.state is not PlanState.ACTIVE:
            raise FailedPrecondition("PLAN_ENDED", "The care plan has ended.")

    def complete(self, at: datetime) -> Self:
        """End one that a person opened."""
        if self.loop_id:
            raise FailedPrecondition("PLAN_FOLLOWS_LOOP", "The care plan ends with its loop.")
        self.must_be_active()
        return replace(self, state=PlanState.COMPLETED, ended_at=at)

    def name_coordinator(self, who: UUID) -> Self:
        self.must_be_active()
        return replace(self, coordinator_id=who, is_coordinator_named=True)

    def add_goal(self, goal: Goal) -> Self:
        """The patient's own stand first."""
        self.must_be_active()
        if len(self.goals) >= MOST_GOALS:
            raise FailedPrecondition(
                "GOALS_TOO_MANY", f"A care plan has at most {MOST_GOALS} goals."
            )
        return replace(self, goals=in_order((*self.goals, goal)))

    def add_activity(self, activity: Activity) -> Self:
        self.must_be_active()
        if len(self.activities) >= MOST_ACTIVITIES:
            most = f"A care plan has at most {MOST_ACTIVITIES} activities."
            raise FailedPrecondition("ACTIVITIES_TOO_MANY", most)
        self.must_have_goals(activity.goal_ids)
        return replace(self, activities=by_time((*self.activities, activity)))

    def change_goal(self, goal_id: UUID, change: Callable[[Goal], Goal]) -> Self:
        """The plan with one goal changed."""
        self.must_be_active()
        after = change(self.goal(goal_id))
        goals = (after if each.id == goal_id else each for each in self.goals)
        return replace(self, goals=in_order(goals))

    def change_activity(self, activity_id: UUID, change: Callable[[Activity], Activity]) -> Self:
        """The plan with one activity changed."""
        self.must_be_active()
        before = self.activity(activity_id)
        after = change(before)
        self.must_have_goals(set(after.goal_ids) - set(before.goal_ids))
        activities = (after if each.id == activity_id else each for each in self.activities)
        return replace(self, activities=by_time(activities))

    def goal(self, goal_id: UUID) -> Goal:
        for goal in self.goals:
            if goal.id == goal_id:
                return goal
        raise NotFound("GOAL_NOT_FOUND", "There is no such goal in this care plan.")

    def activity(self, activity_id: UUID) -> Activity:
        for activity in self.activities:
            if activity.id == activity_id:
                return activity
        raise NotFound("ACTIVITY_NOT_FOUND", "There is no such activity in this care plan.")

    def must_have_goals(self, goal_ids: Collection[UUID]) -> None:
        if set(goal_ids) - {goal.id for goal in self.goals}:
            raise InvalidArgument(
                "GOAL_UNKNOWN", "An activity serves goals of its care plan.", field="goal_ids"
            )

    def without(self, left: Collection[UUID], stand_in: UUID) -> Self:
        """As it is once these have left: the stand-in coordinates, and the coordinator has their goals."""
        has_left = self.coordinator_id in left
        coordinator_id = stand_in if has_left else self.coordinator_id
        goals = tuple(
            replace(goal, owner_id=coordinator_id) if goal.owner_id in left else goal
            for goal in self.goals
        )
        return replace(
            self,
            coordinator_id=coordinator_id,
            is_coordinator_named=self.is_coordinator_named and not has_left,
            goals=goals,
        )


def in_order(goals: Iterable[Goal]) -> tuple[Goal, ...]:
    """The patient's own first, in the order in which they came."""
    return tuple(sorted(goals, key=lambda goal: not goal.is_patients_own))


def by_time(activities: Iterable[Activity]) -> tuple[Activity, ...]:
    """The soonest first."""
    return tuple(sorted(activities, key=lambda each: (each.due_at, each.id)))
