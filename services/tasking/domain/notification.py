"""Who is told off-screen that something is late, and in which words. Never with health data."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from services.tasking.domain.owner import Directory
from services.tasking.domain.plan import Rung
from services.tasking.domain.task import Task

NOTIFICATIONS = UUID(
    "0b7d7d52-0c6a-5b0c-8f0e-6f2a7d4f1e55"
)  # the namespace of their ids; never changes
EMAIL = "email"
MOST_TRIES = 20
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)


class Sending(StrEnum):
    """What became of one try to send a letter."""

    SENT = "SENT"
    AGAIN = "AGAIN"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One person told once about one level of one ladder."""

    id: UUID
    facility_id: UUID
    loop_id: UUID
    task_id: UUID | None
    level: int
    level_at: datetime
    staff_id: UUID
    is_email: bool
    created_at: datetime
    sent_at: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What an e-mail about a notification needs to say: whose work, where, until when. Nothing about the patient."""

    id: UUID
    loop_id: UUID
    task_id: UUID | None
    level: int
    role: str
    due_at: datetime | None
    facility_name: str
    time_zone: str
    email: str
    is_moot: bool
    tries: int


def escalations(
    task: Task, rungs: tuple[Rung, ...], directory: Directory, at: datetime
) -> tuple[Notification, ...]:
    """One notification per rung and person. The same rung of the same ladder has the same ids, whenever it fires."""
    return tuple(
        _told(task, rung, staff_id, at)
        for rung in rungs
        for staff_id in directory.recipients(rung.notify, task.owner, task.facility_id)
    )


def _told(task: Task, rung: Rung, staff_id: UUID, at: datetime) -> Notification:
    is_email = EMAIL in rung.channels
    return Notification(
        id=uuid5(NOTIFICATIONS, f"{task.id}/{rung.level}/{rung.at.isoformat()}/{staff_id}"),
        facility_id=task.facility_id,
        loop_id=task.loop_id,
        task_id=task.id,
        level=rung.level,
        level_at=rung.at,
        staff_id=staff_id,
        is_email=is_email,
        created_at=at,
        next_try_at=at if is_email else None,
    )


def review(
    loop_id: UUID, facility_id: UUID, staff_id: UUID, due_at: datetime, at: datetime
) -> Notification:
    """A loop without an open step has waited long: its owner looks whether the stay goes on."""
    return Notification(
        id=uuid5(NOTIFICATIONS, f"{loop_id}/review/{due_at.isoformat()}/{staff_id}"),
        facility_id=facility_id,
        loop_id=loop_id,
        task_id=None,
        level=0,
        level_at=due_at,
        staff_id=staff_id,
        is_email=True,
        created_at=at,
        next_try_at=at,
    )


def pause_after(tries: int) -> timedelta:
    """How long to wait before the next try: twice as long each time, up to an hour."""
    return min(FIRST_PAUSE * (1 << min(tries, 10)), LONGEST_PAUSE)
