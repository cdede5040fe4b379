"""What people did under a loop, as far as its plan looks at it: how its steps ended, and how often somebody tried."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from services.tasking.domain.planned import EvidenceKind, PlannedStep
from services.tasking.domain.task import Task, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """How a step ended, when, and what shows it."""

    step: str
    outcome: str
    at: datetime
    kind: EvidenceKind = EvidenceKind.TASK_OUTCOME
    source_id: UUID
    staff_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """All of them, of each step one; and how many separate tries to reach the patient were made."""

    done: tuple[Deed, ...] = ()
    attempts: int = 0

    def of(self, step: str) -> Deed | None:
        return next((deed for deed in self.done if deed.step == step), None)

    def last_of(self, outcomes: Collection[tuple[str, str]]) -> Deed | None:
        """The last deed that ended its step with one of these outcomes."""
        done = [deed for deed in self.done if (deed.step, deed.outcome) in outcomes]
        return max(done, key=lambda deed: (deed.at, deed.step), default=None)

    def with_shown(self, steps: Iterable[PlannedStep]) -> Self:
        """Together with the steps that the record shows done and people did not do."""
        shown = tuple(
            Deed(
                step=step.key,
                outcome=step.shown_by.outcome or "shown",
                at=step.shown_by.at,
                kind=step.shown_by.kind,
                source_id=step.shown_by.source_id,
                staff_id=step.shown_by.staff_id,
            )
            for step in steps
            if step.shown_by and self.of(step.key) is None
        )
        return replace(self, done=(*self.done, *shown))


NOTHING = Deeds()


def deeds_of(tasks: Iterable[Task]) -> Deeds:
    """What people did, as the tasks of a loop have it. What the record shows is no deed of theirs."""
    done, attempts = list[Deed](), 0
    for task in sorted(tasks, key=lambda each: each.step):
        attempts += sum(each.is_counted for each in task.attempts)
        if task.state is TaskState.COMPLETED and task.completed_by_id and task.closed_at:
            done.append(
                Deed(
                    step=task.step,
                    outcome=task.outcome,
                    at=task.closed_at,
                    source_id=task.id,
                    staff_id=task.completed_by_id,
                )
            )
    return Deeds(done=tuple(done), attempts=attempts)
