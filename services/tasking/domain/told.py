"""What other services told of a patient last: appointments, replies, referrals, reconciliations, risk scores, results.

Ids, states and times only: no name, no medicine, no word of a message. Each is the newest version that was heard.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self, TypeAlias, TypeVar
from uuid import UUID

from services.tasking.domain.labels import Label, Labels, may_be_told_elsewhere
from services.tasking.domain.protocol_parts import About

PLANNING = "planning"
NO_SHOW, CANCELLED, REQUESTED, SIGNED = "NO_SHOW", "CANCELLED", "REQUESTED", "SIGNED"
REJECTED, ASKED_NEXT = "REJECTED", "ASKED_NEXT"
NOT_SENT = frozenset({"UNSPECIFIED", "DRAFT"})
VERIFIED, WITHDRAWN = (
    frozenset({"FINAL", "CORRECTED"}),
    frozenset({"ENTERED_IN_ERROR", "CANCELLED"}),
)
HIGH = "HIGH"
# The same again within so long, and worse by less than such a part, is the same alarm: CareHub's choice.
AGAIN, MUCH = timedelta(hours=24), 0.1
NEEDS_SOMEBODY = frozenset({"CRISIS", "TEXT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What all of them have. `waits_for`: what has to be known before a loop about it can be planned; nothing if it can,
    or if it gives no reason for one.
    """

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    labels: Labels
    told_at: datetime
    waits_for: str = ""

    def may_count_at(self, facility_id: UUID) -> bool:
        """Whether loops of a facility may follow from it: what nobody else may know of closes nothing elsewhere."""
        return self.facility_id == facility_id or may_be_told_elsewhere(self.labels)

    def after(self, before: Self | None) -> Self:
        """What is known now, given what was. Itself only if it says something new: an older version does not, nor does one
        that differs in nothing that plans look at.
        """
        if before is None:
            return self
        if self.version <= before.version:
            return before.recalling(self)
        heard = self.knowing(before)
        kept = replace(heard, told_at=before.told_at, waits_for=before.waits_for)
        return kept if replace(before, version=self.version) == kept else heard

    def says_more_than(self, before: Self | None) -> bool:
        """Whether a plan could look otherwise because of it."""
        return before is None or replace(before, version=self.version) != self

    def knowing(self, before: Self) -> Self:
        """With what stays true of what it was."""
        return self

    def recalling(self, older: Self) -> Self:
        """With what stays true of an older version that came late."""
        return self

    @property
    def gives_reason(self) -> bool:
        """Whether a loop can be about it."""
        return False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(News):
    """A result of a laboratory. `critical_at`: since when it was known to be critical, also if it is not any more."""

    state: str
    analyte: str
    criticality: str = ""
    quantity: float | None = None
    verified_at: datetime
    critical_at: datetime | None = None

    @property
    def about(self) -> About:
        return About.RESULT

    @property
    def gives_reason(self) -> bool:
        return self.critical_at is not None

    @property
    def is_critical(self) -> bool:
        return self.state in VERIFIED and bool(self.criticality)

    @property
    def is_withdrawn(self) -> bool:
        return self.state in WITHDRAWN

    def knowing(self, before: Self) -> Self:
        return self._critical_since(before)

    def recalling(self, older: Self) -> Self:
        return self._critical_since(older)

    def _critical_since(self, other: Self) -> Self:
        """Known to be critical since the first time: telling it again, or worse, moves no clock."""
        known = [each.critical_at for each in (self, other) if each.critical_at]
        since = min(known, default=None)
        if since == self.critical_at:
            return self
        return replace(self, critical_at=since, waits_for=PLANNING)

    def is_worse_than(self, other: Self) -> bool:
        """Whether it is so much further off that somebody has to be told again."""
        if self.quantity is None or other.quantity is None:
            return False
        change = self.quantity - other.quantity
        return (change if self.criticality == HIGH else -change) >= abs(other.quantity) * MUCH


def is_repeat(result: Result, results: Iterable[Result]) -> bool:
    """Whether it is the alarm that was raised already: the same analyte in the same direction, not long after and not worse.

    Counted from alarm to alarm, so that a series of repeats does not go on for ever.
    """
    if not result.is_critical:
        return False
    alike = (
        (each.critical_at, each.id, each)
        for each in {each.id: each for each in (*results, result)}.values()
        if each.is_critical and each.critical_at and _is_alike(each, result)
    )
    raised: Result | None = None
    for at, _, each in sorted(alike, key=lambda one: one[:2]):
        is_again = raised is not None and _is_again(each, at, raised)
        if each.id == result.id:
            return is_again
        raised = raised if is_again else each
    return False


def _is_alike(one: Result, other: Result) -> bool:
    """Told to the same people: those of another facility have heard nothing."""
    return (one.facility_id, one.analyte, one.criticality) == (
        other.facility_id,
        other.analyte,
        other.criticality,
    )


def _is_again(each: Result, at: datetime, raised: Result) -> bool:
    since = raised.critical_at
    return since is not None and at - since < AGAIN and not each.is_worse_than(raised)


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
