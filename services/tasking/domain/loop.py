"""What a loop is: one commitment to one patient, with an owner, a clock and the evidence that closes it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self
from uuid import UUID, uuid5

from services.tasking.domain.labels import Labels
from services.tasking.domain.owner import Directory, Owner
from services.tasking.domain.planned import EvidenceKind, PlannedKeyDate
from services.tasking.domain.protocol_parts import About
from services.tasking.domain.task import Task, TaskState

LOOPS = UUID("5a0f2f8e-52cb-5d0e-9a51-0c3f5b1f3a77")  # the namespace of loop ids; never changes
COMPLETED = "COMPLETED"
LOOP_CLOSED = "LOOP_CLOSED"
COORDINATOR = "coordinator"
REVIEW_AFTER = timedelta(days=7)


class LoopState(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that something was done, or that it need not be."""

    kind: EvidenceKind
    step: str = ""
    description: str
    source_id: UUID
    at: datetime
    staff_id: UUID | None = None
    # With which outcome somebody completed a task. Empty where the record shows it.
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One commitment to one patient under one protocol, about exactly one thing."""

    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    protocol: str
    protocol_version: int
    title: str
    encounter_id: UUID | None = None
    break_glass_id: UUID | None = None
    appointment_id: UUID | None = None
    referral_id: UUID | None = None
    reply_id: UUID | None = None
    question_id: UUID | None = None
    result_id: UUID | None = None
    state: LoopState = LoopState.OPEN
    team_id: UUID | None = None
    staff_id: UUID | None = None
    accountable_id: UUID
    clock_at: datetime | None = None
    why: str = ""
    closes_when: tuple[str, ...] = ()
    key_dates: tuple[PlannedKeyDate, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    close_reason: str = ""
    opened_at: datetime
    closed_at: datetime | None = None
    anchor_at: datetime | None = None
    escalation_level: int = 0
    labels: Labels

    @property
    def is_open(self) -> bool:
        return self.state is LoopState.OPEN

    @property
    def subject_id(self) -> UUID:
        """What it is about."""
        for about in About:
            if subject_id := getattr(self, f"{about}_id"):
                return UUID(int=subject_id.int)
        raise LookupError("the loop is about nothing")

    @property
    def follows_the_record_alone(self) -> bool:
        """Whether its plan looks at nothing that people do under it."""
        return self.encounter_id is not None or self.break_glass_id is not None

    @property
    def owner(self) -> Owner:
        return Owner(
            team_id=self.team_id, staff_id=self.staff_id, accountable_id=self.accountable_id
        )

    def end(self, state: LoopState, *, reason: str, evidence: tuple[Evidence, ...]) -> Self:
        """Close or cancel it because the record says so, with what its steps show and, last, what ended it."""
        return replace(
            self,
            state=state,
            close_reason=reason,
            closed_at=evidence[-1].at,
            clock_at=None,
            evidence=evidence,
        )


@lru_cache(maxsize=4096)  # asked for with each of its tasks
def loop_id(protocol: str, subject_id: UUID) -> UUID:
    """The same for the same protocol and what it is about, for ever."""
    return uuid5(LOOPS, f"{protocol}/{subject_id}")


def task_id(loop: UUID, step: str) -> UUID:
    """The same for the same loop and step, for ever."""
    return uuid5(loop, step)


def settle(
    loop: Loop, tasks: Sequence[Task], directory: Directory, now: datetime
) -> tuple[Loop, tuple[Task, ...]]:
    """An open loop as its tasks make it: evidence, level, owner and clock; or closed, if that is all it needed.

    Only a loop that has a moment to complete from can: before the discharge there is nothing to follow up, and a missed
    visit is made up for by a visit alone.
    """
    if not loop.is_open:
        return loop, tuple(tasks)
    loop = replace(loop, evidence=evidence_of(tasks))
    needed = [t for t in tasks if t.is_required and t.state is not TaskState.CANCELLED]
    if loop.anchor_at and needed and all(task.is_satisfied for task in needed):
        shown_at = max(item.at for item in loop.evidence)
        closed = replace(
            loop,
            state=LoopState.CLOSED,
            close_reason=COMPLETED,
            closed_at=shown_at,
            clock_at=None,
            escalation_level=0,
        )
        return closed, tuple(task.cancel(reason=LOOP_CLOSED, at=shown_at) for task in tasks)
    return _with_clock(loop, [t for t in tasks if t.is_open], directory, now), tuple(tasks)


def evidence_of(tasks: Iterable[Task]) -> tuple[Evidence, ...]:
    """What the tasks show, oldest first."""
    shown = [item for task in tasks for item in (_attempts(task), _outcome(task)) if item]
    return tuple(sorted(shown, key=lambda item: (item.at, item.step)))


def _outcome(task: Task) -> Evidence | None:
    """How it was done: by whom, if somebody said so, also where the record shows it as well."""
    if task.state is not TaskState.COMPLETED:
        return None
    if task.shown_by and not task.completed_by_id:
        return Evidence(
            kind=task.shown_by.kind,
            step=task.step,
            description=task.shown_by.description,
            source_id=task.shown_by.source_id,
            at=task.shown_by.at,
            staff_id=task.shown_by.staff_id,
        )
    if task.closed_at is None:
        return None
    titles = {each.key: each.title for each in task.outcomes}
    return Evidence(
        kind=EvidenceKind.TASK_OUTCOME,
        step=task.step,
        description=f"{task.title}: {titles.get(task.outcome, task.outcome)}",
        source_id=task.id,
        at=task.closed_at,
        staff_id=task.completed_by_id,
        outcome=task.outcome,
    )


def _attempts(task: Task) -> Evidence | None:
    """That enough attempts were made in time. It stays so when the patient is reached later."""
    met_at = task.attempts_met_at
    is_done = task.state is TaskState.COMPLETED
    if met_at is None or (is_done and task.closed_at and task.closed_at <= met_at):
        return None
    return Evidence(
        kind=EvidenceKind.CONTACT_ATTEMPTS,
        step=task.step,
        description=f"{task.title}: {task.attempts_needed} separate attempts in time, not reached",
        source_id=task.id,
        at=met_at,
    )


def _with_clock(loop: Loop, tasks: Sequence[Task], directory: Directory, now: datetime) -> Loop:
    """Its next step's owner and clock. With no step open (still in hospital), a review each week keeps it alive."""
    if tasks:
        waiting = [task for task in tasks if not task.is_satisfied] or tasks
        first = min(waiting, key=lambda task: (task.clock_at, task.step))
        owner: Owner | None = first.owner
        clock_at = first.clock_at
    else:
        owner = directory.owner_for(loop.facility_id, COORDINATOR)
        is_live = loop.clock_at and loop.clock_at > now
        clock_at = loop.clock_at if loop.clock_at and is_live else now + REVIEW_AFTER
    owner = owner or loop.owner
    return replace(
        loop,
        team_id=owner.team_id,
        staff_id=owner.staff_id,
        accountable_id=owner.accountable_id,
        clock_at=clock_at,
        escalation_level=max((task.escalation_level for task in tasks), default=0),
    )
