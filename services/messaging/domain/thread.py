"""A conversation of the care team: waits for somebody, is taken by name, and goes to the next person up if nobody answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from libs.chassis.errors import FailedPrecondition
from services.messaging.domain.labels import inherit
from services.messaging.domain.template import load

MOST_TITLE, MOST_TEXT = 120, 4000


class Priority(StrEnum):
    ROUTINE = "ROUTINE"
    HIGH = "HIGH"
    URGENT = "URGENT"


class ThreadState(StrEnum):
    WAITING = "WAITING"
    ACCEPTED = "ACCEPTED"
    CLOSED = "CLOSED"


class Opened(StrEnum):
    """What opened a thread."""

    PEOPLE = "PEOPLE"
    REPLY = "REPLY"
    CRISIS = "CRISIS"
    UNANSWERED = "UNANSWERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Something said. Nobody of the staff: a patient's reply, or a rule."""

    id: UUID
    thread_id: UUID
    facility_id: UUID
    staff_id: UUID | None
    reply_id: UUID | None = None
    text: str
    posted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """As it is stored. While something is unanswered there is a clock, and always somebody accountable."""

    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    title: str
    priority: Priority
    state: ThreadState = ThreadState.WAITING
    reason: str
    answering_facility_id: UUID
    team_id: UUID | None
    staff_id: UUID | None = None
    accountable_id: UUID
    clock_at: datetime | None
    escalation_level: int = 0
    started_at: datetime
    last_post_at: datetime
    closed_at: datetime | None = None
    loop_id: UUID | None = None
    labels: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return self.state is not ThreadState.CLOSED

    def must_be_open(self) -> None:
        if not self.is_open:
            raise FailedPrecondition("THREAD_CLOSED", "It is closed. Start another one.")

    def accept(self, by: UUID, at: datetime) -> "Thread":
        """Somebody takes it by name. What was asked still waits for an answer, from now on counted anew."""
        self.must_be_open()
        if self.staff_id == by:
            return self
        if self.staff_id is not None:
            raise FailedPrecondition("THREAD_TAKEN", "Somebody else has taken it.")
        return replace(
            self,
            version=self.version + 1,
            state=ThreadState.ACCEPTED,
            staff_id=by,
            accountable_id=by,
            escalation_level=0,
            clock_at=at + pause(self.priority, 0),
        )

    def close(self, at: datetime) -> "Thread":
        """Nothing is left to say; somebody has looked, by name."""
        self.must_be_open()
        if self.state is ThreadState.WAITING:
            raise FailedPrecondition("THREAD_UNCLAIMED", "Take it first: nobody has looked at it.")
        return replace(
            self,
            version=self.version + 1,
            state=ThreadState.CLOSED,
            clock_at=None,
            closed_at=at,
        )

    def heard(self, posts: Sequence[Post], at: datetime) -> "Thread":
        """As it is after these. An answer by whoever has to answer stops the clock; a question starts it."""
        after = replace(self, version=self.version + 1)
        for post in sorted(posts, key=lambda each: (each.posted_at, each.id)):
            after = after._heard(post, at)
        return after

    def _heard(self, post: Post, at: datetime) -> "Thread":
        said = replace(self, last_post_at=max(self.last_post_at, post.posted_at))
        if not self.is_open:
            return said
        if self._is_answer(post):
            return replace(
                said,
                clock_at=None,
                escalation_level=0,
                accountable_id=self.staff_id or self.accountable_id,
            )
        if self.clock_at is not None:
            return said
        return replace(said, clock_at=at + pause(self.priority, 0))

    def _is_answer(self, post: Post) -> bool:
        """By who has taken it. Between facilities anybody of the one that answers will do, once it is taken."""
        if self.state is not ThreadState.ACCEPTED or post.staff_id is None:
            return False
        if self.answering_facility_id != self.facility_id:
            return post.facility_id == self.answering_facility_id
        return post.staff_id in (self.staff_id, self.accountable_id)

    def escalate(self, ladder: Sequence[UUID], at: datetime) -> "Thread":
        """Nobody answered in time: the next person up does; at the top the same one hears it again and again."""
        if self.clock_at is None or self.clock_at > at or not self.is_open:
            return self
        level = self.escalation_level + 1
        others = [person for person in ladder if person != self.staff_id]
        place = level if self.staff_id is None else level - 1
        accountable = others[min(place, len(others) - 1)] if others else self.accountable_id
        return replace(
            self,
            version=self.version + 1,
            escalation_level=level,
            accountable_id=accountable,
            clock_at=at + pause(self.priority, level),
        )

    def labeled(self, labels: tuple[str, ...]) -> "Thread":
        """As sensitive as what it is about has become."""
        if labels == self.labels:
            return self
        return replace(self, version=self.version + 1, labels=labels)

    def about(self, labels: tuple[str, ...]) -> "Thread":
        """As sensitive as what it is about, too; never less than it was, for people may have written what was."""
        return self.labeled(inherit((self.labels, labels)))

    def hand_over(self, ladder: Sequence[UUID], at: datetime) -> "Thread":
        """Who answered for it has left: it waits for somebody again, with a clock."""
        if not ladder or not self.is_open:
            return self
        return replace(
            self,
            version=self.version + 1,
            state=ThreadState.WAITING,
            staff_id=None,
            accountable_id=ladder[0],
            escalation_level=0,
            clock_at=at + pause(self.priority, 0),
        )


def pause(priority: Priority, level: int) -> timedelta:
    """How long somebody has at this level of the ladder."""
    minutes: Mapping[str, Sequence[int]] = load("response.yaml")["minutes"]
    of_levels = minutes[priority]
    return timedelta(minutes=of_levels[min(level, len(of_levels) - 1)])


def unanswered_after() -> timedelta:
    """How long after the last unanswered question a person takes over."""
    return timedelta(hours=load("response.yaml")["unanswered_hours"])
