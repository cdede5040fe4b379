"""An appointment: what a feed, people, the clock and the record say of it, and what it is because of that.

Each of them is a fact of its own, and the state is a pure function of all of them. So a fact that is taken back leaves
no trace, and facts may come in any order.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.chassis.errors import FailedPrecondition
from services.scheduling.domain.facility import Facility
from services.scheduling.domain.labels import OF_A_PROGRAM, ORDINARY, Labels, inherit
from services.scheduling.domain.rules import LATE_CANCEL_WITHIN, NO_SHOW_AFTER
from services.scheduling.domain.schedule import Purpose, Slot


class State(StrEnum):
    BOOKED = "BOOKED"
    ARRIVED = "ARRIVED"
    FULFILLED = "FULFILLED"
    NO_SHOW = "NO_SHOW"
    CANCELLED = "CANCELLED"


class Reason(StrEnum):
    """Why it was cancelled."""

    NONE = ""
    PATIENT = "PATIENT"
    CLINIC = "CLINIC"
    REBOOKED = "REBOOKED"
    FEED = "FEED"
    DECEASED = "DECEASED"


# Of what is said, the highest counts: who was seen was seen, whatever was said before.
_RANKS = (State.BOOKED, State.NO_SHOW, State.CANCELLED, State.ARRIVED, State.FULFILLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What registry says that a facility told, newest. `start_at` None: it has not said when yet."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    number: str
    at: datetime
    start_at: datetime | None
    end_at: datetime | None
    state: State
    practitioner: str
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """`done` is what people said, about the beginning that it had then, as is `arrived_at`; `told_state` what a feed says."""

    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    schedule_id: UUID | None = None
    state: State = State.BOOKED
    purpose: Purpose = Purpose.UNSPECIFIED
    start_at: datetime
    end_at: datetime | None = None
    practitioner: str = ""
    external_number: str = ""
    booked_by_id: UUID | None = None
    booked_at: datetime | None = None
    rebooked_from_id: UUID | None = None
    told_state: State | None = None
    told_version: int = 0
    done: State | None = None
    done_at: datetime | None = None
    done_start_at: datetime | None = None
    done_reason: Reason = Reason.NONE
    arrived_at: datetime | None = None
    arrived_start_at: datetime | None = None
    encounter_id: UUID | None = None
    visit_labels: Labels = ()
    death_id: UUID | None = None
    own_labels: Labels = ORDINARY
    labels: Labels = ORDINARY

    @property
    def is_of_feed(self) -> bool:
        return self.told_state is not None

    @property
    def holds_slot(self) -> bool:
        """Whether nobody else can have the time."""
        return self.schedule_id is not None and self.state is not State.CANCELLED

    @property
    def missed_at(self) -> datetime:
        """When it counts as missed, if nobody has come."""
        return self.start_at + NO_SHOW_AFTER

    @property
    def cancel_reason(self) -> Reason:
        if self.state is not State.CANCELLED:
            return Reason.NONE
        if self._said is State.CANCELLED:
            return self.done_reason
        return Reason.FEED if self.told_state is State.CANCELLED else Reason.DECEASED

    @property
    def cancelled_at(self) -> datetime | None:
        """When people cancelled it."""
        is_theirs = self.state is State.CANCELLED and self._said is State.CANCELLED
        return self.done_at if is_theirs else None

    @property
    def is_late_cancel(self) -> bool:
        """Whether people cancelled it so late that the time was lost."""
        at = self.cancelled_at
        return at is not None and self.start_at - at < LATE_CANCEL_WITHIN

    @property
    def shown_arrived_at(self) -> datetime | None:
        """When the patient came, unless that was for another time."""
        has_come = self.state in (State.ARRIVED, State.FULFILLED)
        return self.arrived_at if has_come and self.arrived_start_at == self.start_at else None

    @property
    def _said(self) -> State | None:
        """What people said, unless it was about another time."""
        return self.done if self.done_start_at == self.start_at else None

    def settled(self, now: datetime) -> "Appointment":
        """As it is at this instant."""
        facts = [State.BOOKED, self.told_state, self._said]
        if self.death_id:
            facts.append(State.CANCELLED)
        if now >= self.missed_at:
            facts.append(State.NO_SHOW)
        state = max((fact for fact in facts if fact), key=_RANKS.index)
        if self.encounter_id and state is not State.CANCELLED:
            state = State.FULFILLED
        is_shown = self.encounter_id is not None and state is State.FULFILLED
        labels = inherit(self.own_labels, self.visit_labels) if is_shown else self.own_labels
        return replace(self, state=state, labels=labels)

    def with_evidence(
        self, *, encounter_id: UUID | None, visit_labels: Labels, death_id: UUID | None
    ) -> "Appointment":
        return replace(
            self, encounter_id=encounter_id, visit_labels=visit_labels, death_id=death_id
        )

    def of_program(self) -> "Appointment":
        """What a program under 42 CFR Part 2 agrees on is the program's."""
        return replace(self, own_labels=OF_A_PROGRAM, labels=OF_A_PROGRAM)

    def of_patient(self, patient_id: UUID) -> "Appointment":
        """Whose it is after a merge."""
        return replace(self, patient_id=patient_id)

    def retold(self, told: Told) -> "Appointment":
        """As its feed tells it now."""
        start_at, is_arrival = told.start_at or self.start_at, told.state is State.ARRIVED
        return replace(
            self,
            patient_id=told.patient_id,
            start_at=start_at,
            end_at=told.end_at,
            practitioner=told.practitioner,
            external_number=told.number,
            told_state=told.state,
            told_version=told.version,
            arrived_at=told.at if is_arrival else self.arrived_at,
            arrived_start_at=start_at if is_arrival else self.arrived_start_at,
            own_labels=told.labels,
        )

    # What people do.

    def cancel(self, reason: Reason, now: datetime) -> "Appointment":
        """Give the time back. Only what is ahead, and was booked here."""
        if self.is_of_feed:
            raise FailedPrecondition(
                "APPOINTMENT_OF_FEED",
                "It was booked in the facility's own system. Cancel it there: its feed tells of it.",
            )
        self._check_state(State.BOOKED)
        return self._do(State.CANCELLED, now, reason)

    def lose_slot(self, now: datetime) -> "Appointment":
        """Stay cancelled: somebody else has the time by now."""
        return self._do(State.CANCELLED, now, Reason.CLINIC)

    def check_in(self, facility: Facility, now: datetime) -> "Appointment":
        """The patient is there: on the day, also late."""
        self._check_state(State.BOOKED, State.NO_SHOW)
        if facility.day_of(now) != facility.day_of(self.start_at):
            raise FailedPrecondition(
                "APPOINTMENT_OF_ANOTHER_DAY", "A patient can arrive on the day of the appointment."
            )
        arrived = self._do(State.ARRIVED, now)
        return replace(arrived, arrived_at=now, arrived_start_at=self.start_at)

    def complete(self, facility: Facility, now: datetime) -> "Appointment":
        """It took place."""
        self._check_state(State.BOOKED, State.ARRIVED, State.NO_SHOW)
        if facility.day_of(now) < facility.day_of(self.start_at):
            raise FailedPrecondition(
                "APPOINTMENT_DAY_AHEAD", "It cannot have taken place before its day."
            )
        return self._do(State.FULFILLED, now)

    def miss(self, now: datetime) -> "Appointment":
        """The patient did not come."""
        self._check_state(State.BOOKED)
        if now < self.start_at:
            raise FailedPrecondition(
                "APPOINTMENT_AHEAD", "Nobody can have missed it before it begins."
            )
        return self._do(State.NO_SHOW, now)

    def rebooked(self, now: datetime) -> "Appointment":
        """What becomes of it when another one is booked in its place."""
        if self.state is State.BOOKED:
            return self.cancel(Reason.REBOOKED, now)
        if self.cancel_reason is Reason.REBOOKED:
            raise booked_again()
        self._check_state(State.NO_SHOW, State.CANCELLED)
        return self

    def _do(self, what: State, now: datetime, reason: Reason = Reason.NONE) -> "Appointment":
        done = replace(
            self, done=what, done_at=now, done_start_at=self.start_at, done_reason=reason
        )
        return done.settled(now)

    def _check_state(self, *allowed: State) -> None:
        if self.state not in allowed:
            raise FailedPrecondition(
                "APPOINTMENT_STATE",
                f"It is {self.state.replace('_', ' ').lower()} by now.",
                state=self.state,
            )


def book(
    slot: Slot, *, id: UUID, patient_id: UUID, purpose: Purpose, by: UUID, now: datetime
) -> Appointment:
    """Agree on a slot."""
    return Appointment(
        id=id,
        facility_id=slot.facility_id,
        patient_id=patient_id,
        schedule_id=slot.schedule_id,
        purpose=purpose,
        start_at=slot.start_at,
        end_at=slot.end_at,
        practitioner=slot.practitioner,
        booked_by_id=by,
        booked_at=now,
    )


def first_told(told: Told) -> Appointment | None:
    """The appointment that a feed tells of for the first time; None while it has not said when."""
    if told.start_at is None:
        return None
    blank = Appointment(
        id=told.id,
        version=0,
        facility_id=told.facility_id,
        patient_id=told.patient_id,
        start_at=told.start_at,
    )
    return blank.retold(told)


def booked_again() -> FailedPrecondition:
    return FailedPrecondition(
        "APPOINTMENT_REBOOKED", "Another one was booked in its place. Change that one."
    )
