"""What a task is and how it may change: claim, assign, decline, attempt, complete, escalate."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.tasking.domain.labels import Labels
from services.tasking.domain.owner import Owner
from services.tasking.domain.planned import PlannedOutcome, Rung, ShownBy
from services.tasking.domain.protocol_parts import REACHED
from services.tasking.domain.role_class import RoleClass

MOST_ENTRIES = 200
# The top of a ladder repeats so often until the task is done: an open task always has a live clock.
REPEAT_AFTER = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=1)  # how far ahead of ours a caller's clock may be


class TaskState(StrEnum):
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class AttemptResult(StrEnum):
    REACHED = "REACHED"
    NO_ANSWER = "NO_ANSWER"
    LEFT_MESSAGE = "LEFT_MESSAGE"
    WRONG_NUMBER = "WRONG_NUMBER"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAttempt:
    """One documented try to reach the patient. `role_class` is what who tried was when they recorded it; of old ones None."""

    at: datetime
    channel: str
    result: AttemptResult
    staff_id: UUID
    role_class: RoleClass | None = None
    on: date | None = None  # the day that it was where the facility is
    is_counted: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """Who was told something, and when they read it back."""

    told_name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A remark. Without a person: CareHub wrote it."""

    at: datetime
    staff_id: UUID | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing somebody has to do for one patient by some time."""

    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    loop_id: UUID
    step: str
    title: str
    description: str = ""
    role: str
    state: TaskState = TaskState.OPEN
    team_id: UUID | None = None
    staff_id: UUID | None = None
    accountable_id: UUID
    is_chosen: bool = False
    start_at: datetime
    due_at: datetime
    due_on: date
    due_explanation: str = ""
    why: str = ""
    done_when: tuple[str, ...] = ()
    outcomes: tuple[PlannedOutcome, ...] = ()
    rungs: tuple[Rung, ...] = ()
    escalation_level: int = 0
    next_escalation_at: datetime | None = None
    is_contact: bool = False
    attempts_needed: int = 0
    attempts_hours_apart: float = 2.0
    is_required: bool = True
    attempts: tuple[ContactAttempt, ...] = ()
    comments: tuple[Comment, ...] = ()
    shown_by: ShownBy | None = None
    outcome: str = ""
    close_reason: str = ""
    closed_at: datetime | None = None
    completed_by_id: UUID | None = None
    decline_reason: str = ""
    labels: Labels
    read_back: ReadBack | None = None

    @property
    def is_open(self) -> bool:
        return self.state is TaskState.OPEN

    @property
    def is_taken(self) -> bool:
        """Whether somebody has it because they or others chose so, and not only because a place has no team."""
        return self.staff_id is not None and self.is_chosen

    @property
    def owner(self) -> Owner:
        return Owner(
            team_id=self.team_id,
            staff_id=self.staff_id,
            accountable_id=self.accountable_id,
            is_chosen=self.is_chosen,
        )

    @property
    def attempts_met_at(self) -> datetime | None:
        """When enough separate attempts were made in time. They stand for the contact, but only for the loop."""
        if not self.is_contact or not self.attempts:
            return None
        counted = sorted(a.at for a in self.attempts if a.is_counted and a.at <= self.due_at)
        is_met = 0 < self.attempts_needed <= len(counted)
        return counted[self.attempts_needed - 1] if is_met else None

    @property
    def is_satisfied(self) -> bool:
        """Whether the loop has what it needs of this step: it is done, or enough attempts were made in time."""
        return self.state is TaskState.COMPLETED or self.attempts_met_at is not None

    @property
    def next_rung(self) -> Rung | None:
        """The next level of the ladder. None once it is done, or once enough attempts were made."""
        if not self.is_open or self.is_satisfied:
            return None
        ahead = (rung for rung in self.rungs if rung.level > self.escalation_level)
        return min(ahead, key=lambda rung: rung.level, default=None)

    def top_again(self, after: datetime) -> Rung | None:
        """The top of a ladder that was climbed, the next time that it repeats."""
        if not self.is_open or self.is_satisfied or not self.rungs or self.next_rung:
            return None
        top = max(self.rungs, key=lambda rung: rung.level)
        times = max(0, (after - top.at) // REPEAT_AFTER) + 1
        return replace(top, at=top.at + times * REPEAT_AFTER)

    @property
    def clock_at(self) -> datetime:
        """The next moment at which something happens by itself; once nothing does, when it is due."""
        return self.next_escalation_at or self.due_at

    def claim(self, *, by: UUID) -> Self:
        """Somebody of its facility takes it. It keeps its team, deadline and ladder."""
        self._must_be_open()
        if self.is_taken and self.staff_id == by:
            return self
        if self.is_taken:
            raise FailedPrecondition("TASK_TAKEN", "Somebody else has this task.")
        return self._owned(replace(self.owner, staff_id=by, accountable_id=by, is_chosen=True))

    def assign(self, owner: Owner) -> Self:
        """Somebody gives it to a person or a team. The deadline and the ladder stay."""
        self._must_be_open()
        if self.owner == owner:
            return self
        return self._owned(owner)

    def decline(self, *, by: UUID, reason: str, to: Owner | None) -> Self:
        """Somebody hands it back; the next one in turn has it at once."""
        self._must_be_open()
        if self.is_taken and self.staff_id != by:
            raise FailedPrecondition("TASK_NOT_YOURS", "Somebody else has this task.")
        if to is None:
            raise FailedPrecondition("NOBODY_ELSE", "There is nobody else to give it to.")
        return replace(self._owned(to), decline_reason=reason)

    def hand_over(self, to: Owner, *, at: datetime, was_taken: bool) -> Self:
        """The owner changes because people left or teams changed, and the task says so when somebody had it."""
        if to == self.owner:
            return self
        after = self._owned(to)
        if not was_taken:
            return after
        return after._with_comment(
            at, None, "Handed over: the person who had it no longer works here."
        )

    def comment(self, *, by: UUID, text: str, at: datetime) -> Self:
        """A remark, on a task in any state."""
        _must_have_room(self.comments)
        return self._next(self._with_comment(at, by, text))

    def record_attempt(
        self, attempt: ContactAttempt, local_date: Callable[[datetime], date], *, now: datetime
    ) -> Self:
        """Document a try. Reaching the patient completes the task; a message left never does."""
        self._must_be_open()
        if not self.is_contact:
            raise FailedPrecondition(
                "TASK_WITHOUT_CONTACT", "This task is not about reaching anybody."
            )
        if attempt.at > now + CLOCK_SKEW:
            raise InvalidArgument("ATTEMPT_IN_FUTURE", "Enter a time before now.", field="time")
        at = min(attempt.at, now)
        if at < self.start_at:
            raise InvalidArgument(
                "ATTEMPT_BEFORE_START", "Enter a time after the step began.", field="time"
            )
        if attempt.result is not AttemptResult.REACHED:
            _must_have_room(self.attempts)
        attempt = replace(attempt, at=at, on=local_date(at))
        after = replace(self, attempts=(*self.attempts, attempt)).recounted()
        return self._next(after.with_ladder(now))

    def recounted(self) -> Self:
        """With what its attempts since its start say: which of them count, and done once one reached somebody."""
        if not self.attempts:
            return self
        attempts = counted(self.attempts, self.attempts_hours_apart, self.start_at)
        after = replace(self, attempts=attempts)
        if not any(each.key == REACHED for each in self.outcomes):
            return after  # it asks something: reaching somebody is not yet the answer
        for each in attempts:
            if each.result is AttemptResult.REACHED and each.at >= self.start_at:
                return after._done(by=each.staff_id, outcome=REACHED, at=each.at)
        return after

    def complete(  # noqa: PLR0913 what one form documents, each by its name
        self,
        *,
        by: UUID,
        role_class: RoleClass | None = None,
        outcome: str,
        note: str,
        at: datetime,
        local_date: Callable[[datetime], date],
        read_back: ReadBack | None = None,
    ) -> Self:
        """Mark it as done with an outcome that its step allows, if what the outcome claims is documented."""
        self._must_be_open()
        allowed = self._must_allow(outcome)
        if outcome == REACHED and self.is_contact:
            reached = ContactAttempt(
                at=at,
                channel="phone",
                result=AttemptResult.REACHED,
                staff_id=by,
                role_class=role_class,
                note=note,
            )
            return self.record_attempt(reached, local_date, now=at)
        self._must_be_shown(allowed, at, read_back)
        after = replace(self._with_comment(at, by, note) if note else self, read_back=read_back)
        # It is done when it was read back, and not when somebody found the time to write that down.
        done_at = min(read_back.at, at) if read_back else at
        return self._next(after._done(by=by, outcome=outcome, at=done_at))

    def climb(self, *, at: datetime) -> tuple[Self, tuple[Rung, ...]]:
        """Reach every level of the ladder whose time has come; each once, in order. Then its top, once a day."""
        after, reached = self, list[Rung]()
        while (rung := after.next_rung) and rung.at <= at:
            reached.append(rung)
            after = replace(after, escalation_level=rung.level)
        if not reached and self.next_escalation_at and self.next_escalation_at <= at:
            again = self.top_again(self.next_escalation_at - REPEAT_AFTER)
            reached = [again] if again else []
        return (self._next(after.with_ladder(at)) if reached else self), tuple(reached)

    def cancel(self, *, reason: str, at: datetime) -> Self:
        """It is no longer needed. A done one stays done."""
        if not self.is_open:
            return self
        after = replace(self, state=TaskState.CANCELLED, close_reason=reason, closed_at=at)
        return self._next(after.with_ladder(at))

    def _must_be_open(self) -> None:
        if not self.is_open:
            raise FailedPrecondition(
                "TASK_NOT_OPEN", f"The task is {self.state.lower()}.", state=self.state
            )

    def _must_allow(self, outcome: str) -> PlannedOutcome:
        allowed = {each.key: each for each in self.outcomes}
        if not allowed:
            raise FailedPrecondition(
                "NOT_DONE_BY_HAND", "The record shows when this is done. See its description."
            )
        if outcome not in allowed:
            raise InvalidArgument(
                "OUTCOME_UNKNOWN", f"Choose one of: {', '.join(allowed)}.", field="outcome"
            )
        if not allowed[outcome].completes:
            raise FailedPrecondition(
                "EVIDENCE_MISSING",
                "That outcome does not complete this task. Document the attempt instead.",
            )
        return allowed[outcome]

    def _must_be_shown(
        self, outcome: PlannedOutcome, at: datetime, read_back: ReadBack | None
    ) -> None:
        """What the outcome claims is documented, and its time has come; otherwise everything that is missing."""
        missing, needed = list[str](), max(1, self.attempts_needed)
        if self.is_contact and at < self.start_at:
            missing.append("This contact does not end before it begins.")
        tried = sum(each.is_counted for each in self.attempts)
        if outcome.needs_attempts and tried < needed:
            attempts = "attempt" if needed == 1 else "attempts"
            missing.append(f"It needs {needed} separate documented {attempts} and has {tried}.")
        if outcome.not_before_at and at < outcome.not_before_at:
            missing.append(f"It can be chosen from {outcome.not_before_explanation} on.")
        if outcome.needs_read_back and read_back is None:
            missing.append("Say who was told, and when they read it back.")
        if missing:
            raise FailedPrecondition("EVIDENCE_MISSING", " ".join(missing))
        self._must_have_been_read_back(outcome, at, read_back)

    def _must_have_been_read_back(
        self, outcome: PlannedOutcome, now: datetime, read_back: ReadBack | None
    ) -> None:
        if read_back is None:
            return
        if not outcome.needs_read_back:
            raise InvalidArgument(
                "READ_BACK_NOT_ASKED", "This outcome asks for no read-back.", field="read_back"
            )
        if not self.start_at <= read_back.at <= now + CLOCK_SKEW:
            raise InvalidArgument(
                "READ_BACK_TIME_INVALID",
                "Enter a time after the step began, and before now.",
                field="read_back.time",
            )

    def _done(self, *, by: UUID, outcome: str, at: datetime) -> Self:
        after = replace(
            self, state=TaskState.COMPLETED, outcome=outcome, completed_by_id=by, closed_at=at
        )
        return after.with_ladder(at)

    def _owned(self, owner: Owner) -> Self:
        return self._next(
            replace(
                self,
                team_id=owner.team_id,
                staff_id=owner.staff_id,
                accountable_id=owner.accountable_id,
                is_chosen=owner.is_chosen,
            )
        )

    def _with_comment(self, at: datetime, by: UUID | None, text: str) -> Self:
        return replace(self, comments=(*self.comments, Comment(at=at, staff_id=by, text=text)))

    def with_ladder(self, at: datetime) -> Self:
        """With the time of its next level, as it is to be at `at`."""
        rung = self.next_rung or self.top_again(at)
        next_at = rung.at if rung else None
        if next_at == self.next_escalation_at:
            return self
        return replace(self, next_escalation_at=next_at)

    def _next(self, after: Self) -> Self:
        return replace(after, version=self.version + 1)


def counted(
    attempts: tuple[ContactAttempt, ...], hours_apart: float, start_at: datetime
) -> tuple[ContactAttempt, ...]:
    """The attempts by time. One counts if it is separate from the one counted before: hours apart, or another local day.

    What was before the start tried to reach somebody still in hospital, and a wrong number tried to reach somebody else.
    """
    out = list[ContactAttempt]()
    last: ContactAttempt | None = None
    for attempt in sorted(attempts, key=lambda a: (a.at, a.channel, a.result)):
        is_separate = (
            last is None
            or attempt.at - last.at >= timedelta(hours=hours_apart)
            or attempt.on != last.on
        )
        is_try = attempt.at >= start_at and attempt.result is not AttemptResult.WRONG_NUMBER
        out.append(replace(attempt, is_counted=is_separate and is_try))
        last = out[-1] if out[-1].is_counted else last
    return tuple(out)


def _must_have_room(entries: tuple[object, ...]) -> None:
    if len(entries) >= MOST_ENTRIES:
        raise FailedPrecondition("TASK_FULL", f"A task holds at most {MOST_ENTRIES} of these.")
