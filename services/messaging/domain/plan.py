"""Which messages an appointment or a loop asks for as it is now; never which event came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.messaging.domain.hours import Hours, jitter
from services.messaging.domain.message import Message, MessageState, Withdrawal
from services.messaging.domain.template import templates

# The namespace of messages' ids; never changes.
MESSAGES = UUID("5b1a3a52-2f0e-5d0b-9f5c-7b0c8e4f6a11")
TRANSITION = "discharge-transition"
# Engagement, reminder cadences. The hour is ours: after the morning's visits have begun.
REMINDERS = (("appointment-3-days", 3), ("appointment-1-day", 1))
REMINDER_HOUR = 10
# What is older is told by a feed that catches up; nobody waits for a word about it.
MISSED_IS_NEWS, DISCHARGE_IS_NEWS = timedelta(hours=24), timedelta(hours=72)
MISSED_IS_ASKED = timedelta(days=3)
# Another patient may turn out to be the same one: the merge that says so can be told after what it changed.
MERGE_IS_TOLD = timedelta(minutes=10)
_NEAREST = (MessageState.SENT, MessageState.READY, MessageState.PENDING, MessageState.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """As scheduling told last."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    state: str
    start_at: datetime
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A loop of the transition protocol, as tasking told last."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    state: str
    anchor_at: datetime | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A message that is asked for: from when on, until when it is of use, and until when it is worth beginning."""

    id: UUID
    template: str
    due_at: datetime
    until_at: datetime
    begins_until: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be saved so that the messages are those that are wanted."""

    new: tuple[Message, ...] = ()
    changed: tuple[Message, ...] = ()


def for_appointment(one: Appointment, hours: Hours, at: datetime) -> tuple[Wanted, ...]:
    """Ahead: a confirmation and two reminders. Missed: the question why. Anything else: nothing."""
    if one.state == "BOOKED":
        return (_confirmation(one, at), *(_reminder(one, hours, *each) for each in REMINDERS))
    if one.state == "NO_SHOW":
        missed_id = _id(one.id, "appointment-missed", one.start_at)
        return (
            Wanted(
                id=missed_id,
                template="appointment-missed",
                due_at=at + jitter(missed_id),
                until_at=one.start_at + MISSED_IS_ASKED,
                begins_until=one.start_at + MISSED_IS_NEWS,
            ),
        )
    return ()


def _confirmation(one: Appointment, at: datetime) -> Wanted:
    message_id = _id(one.id, "appointment-booked", one.start_at)
    return Wanted(
        id=message_id,
        template="appointment-booked",
        due_at=at + jitter(message_id),
        until_at=one.start_at,
        begins_until=one.start_at,
    )


def _reminder(one: Appointment, hours: Hours, template: str, days: int) -> Wanted:
    message_id = _id(one.id, template, one.start_at)
    day = hours.day(one.start_at) - timedelta(days=days)
    due_at = hours.at_hour(day, REMINDER_HOUR) + jitter(message_id)
    return Wanted(
        id=message_id,
        template=template,
        due_at=due_at,
        until_at=one.start_at,
        begins_until=min(due_at, one.start_at),
    )


def for_transition(one: Transition, at: datetime) -> tuple[Wanted, ...]:
    """Home, and followed: what happens next, once for each discharge."""
    if one.state != "OPEN" or one.anchor_at is None:
        return ()
    # Of the loop and not of the moment: a corrected discharge time is no second discharge.
    message_id = _id(one.id, "discharge-next", None)
    return (
        Wanted(
            id=message_id,
            template="discharge-next",
            due_at=max(at, one.anchor_at) + jitter(message_id),
            until_at=one.anchor_at + DISCHARGE_IS_NEWS,
            begins_until=one.anchor_at + DISCHARGE_IS_NEWS,
        ),
    )


def _id(cause: UUID, step: str, moment: datetime | None) -> UUID:
    """The same for the same cause and step, for ever; of an appointment that was moved, another one."""
    return uuid5(MESSAGES, f"{cause}/{step}/{moment.timestamp() if moment else ''}")


def reconcile(
    cause: Appointment | Transition,
    wanted: Sequence[Wanted],
    stored: Sequence[Message],
    patient_id: UUID,
    at: datetime,
) -> Changes:
    """Make the messages of one cause those that are wanted: what left stays, what waits for nothing is withdrawn.

    All of them are as sensitive as the cause is now, whatever it was when they were planned.
    """
    told = {message.id: message for message in stored if message.is_automatic}
    ours = [_for_patient(each, told, patient_id, at) for each in wanted]
    asked = {each.id: each for each in ours}
    after = [_as_asked(cause, message, asked.get(message.id), at) for message in told.values()]
    new = [
        _planned(cause, each, patient_id, at)
        for each in ours
        if each.id not in told and at <= each.begins_until
    ]
    changed = [now for now, before in zip(after, told.values(), strict=True) if now is not before]
    return Changes(tuple(new), tuple(changed))


def _for_patient(
    wanted: Wanted, told: Mapping[UUID, Message], patient_id: UUID, at: datetime
) -> Wanted:
    """The message as this patient's. What another one was to get is never made theirs: it may have left, or be leaving.

    Of several that a merge made theirs the one counts that has come nearest to them.
    """
    theirs, others, free = list[Message](), list[Message](), wanted.id
    while message := told.get(free):
        (theirs if message.patient_id == patient_id else others).append(message)
        free = uuid5(free, "another patient")
    nearest = min(theirs, key=lambda each: _NEAREST.index(each.state), default=None)
    wanted = replace(wanted, id=nearest.id if nearest else free)
    if any(each.is_waiting for each in others):  # it takes the place of one that has begun
        wanted = replace(wanted, begins_until=wanted.until_at)
    if any(each.state in (MessageState.SENT, MessageState.READY) for each in others):
        wanted = replace(wanted, due_at=max(wanted.due_at, at + MERGE_IS_TOLD))
    return wanted


def _as_asked(
    cause: Appointment | Transition, message: Message, wanted: Wanted | None, at: datetime
) -> Message:
    """The message as its cause asks for it now, and as sensitive as that is now."""
    if wanted is None and message.is_waiting:
        return replace(message.withdraw(Withdrawal.CHANGED), labels=cause.labels)
    if wanted is not None and _is_asked_anew(message, wanted, at):
        again = message.plan_again(wanted.due_at, wanted.until_at)
        return replace(again, labels=cause.labels)
    return message.labeled(cause.labels, at)


def _is_asked_anew(message: Message, wanted: Wanted, at: datetime) -> bool:
    """Whether what was decided, if only when it is due, was for a time that is no more, or for a cause that was gone."""
    is_of_other_time = message.until_at != wanted.until_at
    if message.state is MessageState.WITHDRAWN:
        is_back = is_of_other_time or message.reason == Withdrawal.CHANGED
        return is_back and at <= wanted.begins_until
    return is_of_other_time and message.is_waiting


def _planned(
    cause: Appointment | Transition, wanted: Wanted, patient_id: UUID, at: datetime
) -> Message:
    template = templates()[wanted.template]
    return Message(
        id=wanted.id,
        facility_id=cause.facility_id,
        patient_id=patient_id,
        template=template.key,
        template_version=template.version,
        appointment_id=cause.id if isinstance(cause, Appointment) else None,
        loop_id=cause.id if isinstance(cause, Transition) else None,
        due_at=wanted.due_at,
        until_at=wanted.until_at,
        is_question=template.asks,
        created_at=at,
        labels=cause.labels,
    )
