"""Why this before that: a sum of terms in words, the same term with the same points in every row."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from services.tasking.domain.task import Task

MOST_DAYS_LATE = 5
MOST_LEVELS = 3


class ClockGroup(IntEnum):
    """The groups of a worklist, in order."""

    LATE = 0
    TODAY = 1
    LATER = 2


class Term(NamedTuple):
    label: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """The terms, the largest first. Their sum is the score."""

    terms: tuple[Term, ...]

    @property
    def score(self) -> int:
        return sum(term.points for term in self.terms)


def clock_group(task: Task, now: datetime, today: date) -> ClockGroup:
    """Late, today or later, by the facility's clock."""
    if now > task.due_at:
        return ClockGroup.LATE
    return ClockGroup.TODAY if task.due_on <= today else ClockGroup.LATER


def priority_of(task: Task, now: datetime, today: date) -> Priority:
    """The priority of an open task. `today` is the day where its facility is. A closed task has none."""
    if not task.is_open:
        return Priority(terms=())
    terms = (*_clock(task, now, today), *_weight(task), *_people(task))
    return Priority(terms=tuple(sorted(terms, key=lambda term: (-term.points, term.label))))


# A page has hundreds of terms and few different ones.
DUE_TODAY = Term(label="due today", points=25)
DUE_TOMORROW = Term(label="due tomorrow", points=10)
TOO_EARLY = Term(label="not before its start", points=-20)
NOT_REACHED = Term(label="attempts documented, not reached", points=-10)
NO_CONTACT = Term(label="no contact yet", points=12)
NEEDED = Term(label="its loop needs it", points=6)
TAKEN_BY_NOBODY = Term(label="taken by nobody", points=5)
DECLINED = Term(label="was declined", points=4)


@lru_cache(256)
def _late(days: int) -> Term:
    label = "late" if days == 0 else f"{days} day{'s' if days > 1 else ''} late"
    return Term(label=label, points=40 + 5 * min(days, MOST_DAYS_LATE))


@lru_cache(256)
def _escalated(level: int) -> Term:
    return Term(label=f"escalated, level {level}", points=8 * min(level, MOST_LEVELS))


def _clock(task: Task, now: datetime, today: date) -> Iterator[Term]:
    group = clock_group(task, now, today)
    if group is ClockGroup.LATE:
        yield _late((now - task.due_at) // timedelta(days=1))
    elif group is ClockGroup.TODAY:
        yield DUE_TODAY
    elif task.due_on - today == timedelta(days=1):
        yield DUE_TOMORROW
    if now < task.start_at:
        yield TOO_EARLY


def _weight(task: Task) -> Iterator[Term]:
    if task.escalation_level:
        yield _escalated(task.escalation_level)
    if task.is_contact and task.attempts_met_at:
        yield NOT_REACHED
    elif task.is_contact:
        yield NO_CONTACT
    if task.is_required:
        yield NEEDED


def _people(task: Task) -> Iterator[Term]:
    if not task.is_taken:
        yield TAKEN_BY_NOBODY
    if task.decline_reason:
        yield DECLINED
