"""What other services told of a patient last: appointments, replies, referrals, reconciliations, risk scores, results.

Ids, states and times only: no name, no medicine, no word of a message. Each is the newest version that was heard.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self, TypeAlias, TypeVar
from uuid import UUID

from services.tasking.domain.labels import Label, Labels
from services.tasking.domain.news import PLANNING, News
from services.tasking.domain.protocol_parts import About
from services.tasking.domain.result import Result

NO_SHOW, CANCELLED, REQUESTED, SIGNED = "NO_SHOW", "CANCELLED", "REQUESTED", "SIGNED"
REJECTED, ASKED_NEXT = "REJECTED", "ASKED_NEXT"
NOT_SENT = frozenset({"UNSPECIFIED", "DRAFT"})
NEEDS_SOMEBODY = frozenset({"CRISIS", "TEXT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment(News):
    """A visit that was agreed on. `was_missed_at`: the time that was missed, before it was cancelled or moved."""

    state: str
    purpose: str
    start_at: datetime
    arrived_at: datetime | None = None
    rebooked_from_id: UUID | None = None
    was_missed_at: datetime | None = None

    @property
    def about(self) -> About:
        return About.APPOINTMENT

    @property
    def gives_reason(self) -> bool:
        return self.missed_at is not None

    @property
    def missed_at(self) -> datetime | None:
        """The time that was missed last. A clinic that cancels or moves it afterwards does not undo that."""
        return self.start_at if self.state == NO_SHOW else self.was_missed_at

    @property
    def is_moved(self) -> bool:
        """Whether it stands for a later time by now than the one that was missed."""
        return self.missed_at is not None and self.start_at > self.missed_at

    @property
    def as_missed(self) -> Self:
        """As it was at the time that was missed; as it is where nobody missed it, or came late, or it was no miss after all."""
        if self.missed_at and (self.is_moved or self.state == CANCELLED):
            return replace(self, state=NO_SHOW, start_at=self.missed_at)
        return self

    def knowing(self, before: Self) -> Self:
        return self._missed(None if self.state == NO_SHOW else before.missed_at)

    def recalling(self, older: Self) -> Self:
        if older.state != NO_SHOW or self.state == NO_SHOW:
            return self
        return self._missed(max(older.start_at, self.was_missed_at or older.start_at))

    def _missed(self, at: datetime | None) -> Self:
        if at == self.was_missed_at:
            return self
        return replace(self, was_missed_at=at, waits_for=PLANNING)

    @property
    def happened_at(self) -> datetime:
        """When it became what it is now: it was kept or missed at its time; it was booked when that was told."""
        if self.state in ("ARRIVED", "FULFILLED"):
            return self.arrived_at or self.start_at
        return self.start_at if self.state == NO_SHOW else self.told_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(News):
    """What a patient answered to a message. Its labels are not told, so it never leaves its facility."""

    labels: Labels = (Label.WITHHELD,)
    appointment_id: UUID | None = None
    loop_id: UUID | None = None
    meaning: str
    barrier: str = ""
    at: datetime

    @property
    def about(self) -> About:
        return About.REPLY

    @property
    def gives_reason(self) -> bool:
        return self.meaning in NEEDS_SOMEBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral(News):
    """That a partner was asked to help with one need."""

    need: str
    state: str
    state_reason: str = ""
    appointment_id: UUID | None = None
    loop_id: UUID | None = None
    follows_id: UUID | None = None
    sent_at: datetime | None = None
    answer_due_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def about(self) -> About:
        return About.REFERRAL

    @property
    def gives_reason(self) -> bool:
        return self.state not in NOT_SENT

    @property
    def gave_way(self) -> bool:
        """Whether it was sent, and taken back for the next service: the need is there until that one is asked, too."""
        is_taken_back = self.state == CANCELLED and self.state_reason == ASKED_NEXT
        return is_taken_back and self.sent_at is not None

    @property
    def happened_at(self) -> datetime:
        return self.ended_at or self.told_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a reconciliation, without its medicine."""

    id: UUID
    is_ask: bool = False
    role: str = ""
    due_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation(News):
    """The comparison of the medicines before and after a stay."""

    encounter_id: UUID
    state: str
    signed_at: datetime | None = None
    signed_by_id: UUID | None = None
    lines: tuple[Line, ...] = ()

    @property
    def about(self) -> About:
        return About.QUESTION

    @property
    def gives_reason(self) -> bool:
        return any(question.gives_reason for question in self.questions)

    @property
    def questions(self) -> "tuple[Question, ...]":
        """Each line that somebody has to be asked about, or once had to be."""
        return tuple(
            Question(
                id=line.id,
                facility_id=self.facility_id,
                patient_id=self.patient_id,
                labels=self.labels,
                is_asked=self.state == SIGNED and line.is_ask,
                role=line.role,
                asked_at=self.signed_at,
                due_at=line.due_at,
                answered_at=line.answered_at,
            )
            for line in self.lines
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a signed reconciliation leaves to somebody's answer."""

    id: UUID
    facility_id: UUID
    patient_id: UUID
    labels: Labels
    is_asked: bool
    role: str
    asked_at: datetime | None
    due_at: datetime | None
    answered_at: datetime | None

    @property
    def about(self) -> About:
        return About.QUESTION

    @property
    def gives_reason(self) -> bool:
        return self.is_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk(News):
    """A score of a stay."""

    encounter_id: UUID
    instrument: str
    score: int
    is_partial: bool = False


T = TypeVar("T", bound=News)
Matter: TypeAlias = Appointment | Reply | Referral | Question | Result
Source: TypeAlias = Appointment | Reply | Referral | Reconciliation | Result


def matters_of(source: Source) -> tuple[Matter, ...]:
    """What loops can be about in it: of a reconciliation its questions, of all else itself."""
    return source.questions if isinstance(source, Reconciliation) else (source,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All of it about one or several patients."""

    appointments: tuple[Appointment, ...] = ()
    replies: tuple[Reply, ...] = ()
    referrals: tuple[Referral, ...] = ()
    reconciliations: tuple[Reconciliation, ...] = ()
    risks: tuple[Risk, ...] = ()
    results: tuple[Result, ...] = ()

    def at(self, facility_id: UUID, patient_id: UUID) -> "Told":
        """What a facility's loops of one patient may follow from."""
        return Told(
            appointments=_there(self.appointments, facility_id, patient_id),
            replies=_there(self.replies, facility_id, patient_id),
            referrals=_there(self.referrals, facility_id, patient_id),
            reconciliations=_there(self.reconciliations, facility_id, patient_id),
            risks=_there(self.risks, facility_id, patient_id),
            results=_there(self.results, facility_id, patient_id),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """What a loop can be about."""
        return (
            *self.appointments,
            *self.replies,
            *self.referrals,
            *self.reconciliations,
            *self.results,
        )


def _there(news: tuple[T, ...], facility_id: UUID, patient_id: UUID) -> tuple[T, ...]:
    return tuple(
        each for each in news if each.patient_id == patient_id and each.may_count_at(facility_id)
    )
