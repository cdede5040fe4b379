"""A referral and the edges of its life: those of SDOHCC's Task, and nothing else is possible.

An answer that never comes fails a referral that was sent, which SDOHCC has no edge for: CareHub's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self
from uuid import UUID

from libs.chassis.errors import FailedPrecondition, InvalidArgument
from services.referrals.domain.answering import Due, Priority
from services.referrals.domain.consent import Consent, Details, told
from services.referrals.domain.labels import Label, Labels, labels_of


class State(StrEnum):
    DRAFT = "DRAFT"
    REQUESTED = "REQUESTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


# The trigger of the table says the same; a test compares them.
EDGES: Mapping[State, frozenset[State]] = MappingProxyType({
    State.DRAFT: frozenset({State.REQUESTED, State.CANCELLED}),
    State.REQUESTED: frozenset({State.ACCEPTED, State.REJECTED, State.CANCELLED, State.FAILED}),
    State.ACCEPTED: frozenset({State.IN_PROGRESS, State.CANCELLED}),
    State.IN_PROGRESS: frozenset({State.COMPLETED, State.FAILED, State.CANCELLED}),
    State.REJECTED: frozenset(),
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
})  # fmt: skip
ENDED = frozenset(state for state, after in EDGES.items() if not after)
# After yes, until it is done or not.
UNDER_WAY = frozenset({State.ACCEPTED, State.IN_PROGRESS})

REJECTIONS = frozenset({"NO_CAPACITY", "TOO_FAR", "NOT_ELIGIBLE", "OTHER"})
FAILURES = frozenset({"CLIENT_ABSENT", "CLIENT_DECLINED", "UNREACHABLE", "DRIVER_FAILED", "OTHER"})
CANCELLATIONS = frozenset({
    "CLIENT_DECLINED", "NOT_NEEDED", "SOLVED_OTHERWISE", "MOVED", "DIED", "DUPLICATE", "OTHER",
})  # fmt: skip
NO_ANSWER, ASKED_NEXT = "NO_ANSWER", "ASKED_NEXT"
NOT_RELEASED, TOO_LATE = "NOT_RELEASED", "TOO_LATE"
# How a referral ended, in the codes that loops know.
_OUTCOMES: Mapping[tuple[State, str], str] = MappingProxyType({
    (State.REJECTED, "NO_CAPACITY"): "no_capacity",
    (State.REJECTED, "NOT_ELIGIBLE"): "not_eligible",
    (State.FAILED, "CLIENT_DECLINED"): "client_declined",
    (State.FAILED, "CLIENT_ABSENT"): "unreachable",
    (State.FAILED, "UNREACHABLE"): "unreachable",
    (State.CANCELLED, "CLIENT_DECLINED"): "client_declined",
    (State.CANCELLED, "MOVED"): "moved",
    (State.CANCELLED, "DUPLICATE"): "duplicate",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    need: str
    service_id: UUID
    service_name: str
    state: State = State.DRAFT
    state_reason: str = ""
    outcome: str = ""
    priority: Priority = Priority.ROUTINE
    is_auto_next: bool = False
    appointment_id: UUID | None = None
    loop_id: UUID | None = None
    follows_id: UUID | None = None
    labels: Labels
    details: Details
    consent: Consent | None = None
    created_at: datetime
    created_by: UUID
    queued_at: datetime | None = None
    sent_at: datetime | None = None
    answer_due_at: datetime | None = None
    answer_due_explanation: str = ""
    ended_at: datetime | None = None
    link_at: datetime | None = None
    # Of a ride: which of the service's drivers, and for how long. The table lets nobody have one twice at a time.
    seat: int | None = None
    ride_from: datetime | None = None
    ride_until: datetime | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    def is_too_late(self, at: datetime) -> bool:
        """Whether the time for which help is needed has come: who is asked now could only learn who it was."""
        return self.details.start_at is not None and self.details.start_at <= at

    @property
    def told(self) -> Details:
        """What the partner may see now: until it says yes, nothing that says who it is; then what the patient agreed to."""
        is_said = self.state in UNDER_WAY and self.consent is not None
        return told(self.details, self.consent.items if self.consent and is_said else ())

    def queue(self, consent: Consent, *, at: datetime) -> Self:
        """Have it sent as soon as identity lets what it tells leave."""
        self._must_be(State.DRAFT)
        consent.check_names(self.service_id)
        self.check_time(at)
        return self._next(replace(self, consent=consent, queued_at=at))

    def send(self, consent: Consent, due: Due, *, at: datetime) -> Self:
        """The partner is asked, with the patient's consent, and has until `due` to answer."""
        consent.check_names(self.service_id)
        self.check_time(at)
        return self._to(
            State.REQUESTED,
            consent=consent,
            queued_at=None,
            sent_at=at,
            answer_due_at=due.at,
            answer_due_explanation=due.explanation,
        )

    def accept(self, *, seat: int | None) -> Self:
        """The partner said yes. Of a ride service, `seat` is the driver who is taken for it. Twice is once."""
        if self.state in UNDER_WAY:
            return self
        if seat is None:
            return self._to(State.ACCEPTED)
        return self._to(
            State.ACCEPTED,
            seat=seat,
            ride_from=self.details.start_at,
            ride_until=self.details.end_at,
        )

    def reject(self, reason: str, *, at: datetime) -> Self:
        """The partner said no. Twice is once."""
        if self.state is State.REJECTED:
            return self
        _must_be_one_of(reason, REJECTIONS)
        return self._end(State.REJECTED, reason, at)

    def begin(self) -> Self:
        """The partner has begun; whoever tells of the end has begun before."""
        return self if self.state is State.IN_PROGRESS else self._to(State.IN_PROGRESS)

    def complete(self, *, at: datetime) -> Self:
        """It was done, after it was begun."""
        return replace(self._to(State.COMPLETED, ended_at=at, queued_at=None), outcome="resolved")

    def fail(self, reason: str, *, at: datetime) -> Self:
        """It was begun and did not come about."""
        _must_be_one_of(reason, FAILURES)
        self._must_be(State.IN_PROGRESS)
        return self._end(State.FAILED, reason, at)

    def miss_answer(self, *, at: datetime) -> Self:
        """The partner did not answer in time; this one if it did, or has more time by now."""
        is_waiting = self.state is State.REQUESTED and self.answer_due_at is not None
        if not is_waiting or (self.answer_due_at and self.answer_due_at > at):
            return self
        return self._end(State.FAILED, NO_ANSWER, at)

    def cancel(self, reason: str, *, at: datetime) -> Self:
        """Somebody takes it back."""
        _must_be_one_of(reason, CANCELLATIONS)
        return self._end(State.CANCELLED, reason, at)

    def give_way(self, *, at: datetime) -> Self:
        """The next one is asked: whoever has not answered yet is asked no longer. What was promised has to be taken back."""
        if self.state in UNDER_WAY or self.state is State.COMPLETED:
            raise FailedPrecondition(
                "REFERRAL_PROMISED", "The partner said yes. Cancel it first, and tell them."
            )
        return self if self.has_ended else self._end(State.CANCELLED, ASKED_NEXT, at)

    def withhold(self, *, at: datetime) -> Self:
        """Identity does not let leave what it tells, or no longer: it is not sent, or taken back."""
        return self._end(State.CANCELLED, NOT_RELEASED, at)

    def check_time(self, at: datetime) -> None:
        """Refuse to ask anybody for what has begun."""
        if self.is_too_late(at):
            raise FailedPrecondition(
                "NEEDED_BEFORE_NOW",
                "The time for which help is needed has come. Make a new referral for another time.",
            )

    def lapse(self, *, at: datetime) -> Self:
        """It waited to be sent until it was needed: it is not sent."""
        return self._end(State.CANCELLED, TOO_LATE, at)

    def of_program(self) -> Self:
        """What a program under 42 CFR Part 2 asks for is a record of that program."""
        return replace(self, labels=labels_of(self.need, {*self.labels, Label.PART2}))

    def turned_out_of_program(self) -> Self:
        """It is one of a program, as is known by now."""
        return self._next(self.of_program())

    def move(self, patient_id: UUID) -> Self:
        """Its patient's record was merged into another one."""
        return self._next(replace(self, patient_id=patient_id))

    def note_link(self, *, at: datetime) -> Self:
        """Somebody has a link to the partner's page made."""
        if self.state is not State.REQUESTED and self.state not in UNDER_WAY:
            raise FailedPrecondition(
                "NOTHING_TO_ANSWER", "A partner has a page while it is asked, and until it is done."
            )
        return self._next(replace(self, link_at=at))

    def _must_be(self, state: State) -> None:
        if self.state is not state:
            raise _not_from(self.state)

    def _end(self, state: State, reason: str, at: datetime) -> Self:
        outcome = _OUTCOMES.get((state, reason), "")
        return self._to(state, state_reason=reason, outcome=outcome, ended_at=at, queued_at=None)

    def _to(self, state: State, **changes: object) -> Self:
        if state not in EDGES[self.state]:
            raise _not_from(self.state)
        return self._next(replace(self, state=state, **changes))  # type: ignore[arg-type]

    def _next(self, after: Self) -> Self:
        return replace(after, version=self.version + 1)


def _not_from(state: State) -> FailedPrecondition:
    return FailedPrecondition(
        "REFERRAL_STATE",
        f"That is not possible while it is {state.lower().replace('_', ' ')}.",
        state=state,
    )


def _must_be_one_of(reason: str, allowed: frozenset[str]) -> None:
    if reason not in allowed:
        words = ", ".join(sorted(allowed))
        raise InvalidArgument(
            "REFERRAL_REASON_UNKNOWN", f"Say why: one of {words}.", field="reason"
        )


def following(
    before: Referral, service_id: UUID, name: str, *, id: UUID, at: datetime, by: UUID
) -> Referral:
    """The referral to the next service: for the same patient, need and time. It has to be sent anew."""
    return replace(
        before,
        id=id,
        version=1,
        service_id=service_id,
        service_name=name,
        state=State.DRAFT,
        state_reason="",
        outcome="",
        follows_id=before.id,
        consent=None,
        created_at=at,
        created_by=by,
        queued_at=None,
        sent_at=None,
        answer_due_at=None,
        answer_due_explanation="",
        ended_at=None,
        link_at=None,
        seat=None,
        ride_from=None,
        ride_until=None,
    )
