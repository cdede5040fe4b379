"""What messaging tells: a change, the timers that it sets and the events that tell of it commit together. No words."""

from functools import partial

from carehub.messaging.v1 import messaging_events_pb2, thread_pb2
from prometheus_client import Counter, Histogram

from libs.chassis.database import Transaction
from libs.chassis.fields import to_timestamp
from libs.conveyor import outbox
from libs.conveyor.timers import clear_timer, set_timer
from services.messaging.convert import labels_to_proto, reply_to_proto
from services.messaging.domain.contact import Contact
from services.messaging.domain.message import Message, MessageState, Withdrawal
from services.messaging.domain.reply import Reply
from services.messaging.domain.template import templates
from services.messaging.domain.thread import Post, Thread
from services.messaging.store import ContactStore, MessageStore, ThreadStore

LEAVE = "leave"  # key: a message's id; due when it may leave
ANSWER = "answer"  # key: the id of what was written on a telephone; due at once
CLOCK = "thread-clock"  # key: a thread's id; due when it goes to the next person up
HEAR = "thread-hear"  # key: a thread's id; due at once, after somebody posted or read
OPEN = "thread-open"  # key: a reply's id; due when there may be somebody who can read it
PROGRAM = "program"  # key: a facility's id; due at once, when it turns out to be a program under 42 CFR Part 2
UNANSWERED = "unanswered"  # key: a patient's id; due when a person takes over

NOTIFICATIONS = Counter(
    "carehub_notifications",
    "Messages to patients, by what became of them. No way that there is reports delivery.",
    ["channel", "outcome"],
)
REMINDER_LATENESS = Histogram(
    "carehub_reminder_lateness_seconds",
    "From when a message that was planned was to leave until it was sent.",
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14400),
)
_OUTCOMES = {
    Withdrawal.NO_CONSENT: "refused",
    Withdrawal.TOO_LATE: "late_refused",
    Withdrawal.UNDELIVERED: "failed",
}


async def save_message(tx: Transaction, before: Message, message: Message) -> None:
    """Save the next version of a message, and wait for its time."""
    await MessageStore(tx).save(message)
    await await_message(tx, message)
    if message.state is not before.state:
        tx.after_commit(partial(_count, message))
    if message.state is MessageState.WITHDRAWN:
        await message_changed(tx, message)
    elif message.state is MessageState.SENT:
        await message_sent(tx, message)


async def try_again(tx: Transaction, before: Message, message: Message) -> None:
    """Save a message that the way did not take: it waits for its next try, or was given up."""
    await save_message(tx, before, message)
    if message.state is MessageState.READY:
        tx.after_commit(partial(_notifications, message, "not_taken"))


def _count(message: Message) -> None:
    """Count what became of it, once: it can be saved later for another reason."""
    if message.state is MessageState.SENT:
        _notifications(message, "sent")
        _time(message)
    elif message.state is MessageState.WITHDRAWN:
        why = Withdrawal(message.reason)
        _notifications(message, _OUTCOMES.get(why, why.lower()))


def _notifications(message: Message, outcome: str) -> None:
    NOTIFICATIONS.labels(message.channel or "none", outcome).inc()


def _time(message: Message) -> None:
    """What was planned for a time; an answer to somebody's message is due at once."""
    template = templates().get(message.template)
    if template and not template.is_answer and message.sent_at:
        late = (message.sent_at - message.due_at).total_seconds()
        REMINDER_LATENESS.observe(max(0.0, late))


async def await_message(tx: Transaction, message: Message) -> None:
    if message.state is MessageState.PENDING:
        await set_timer(tx, LEAVE, str(message.id), message.due_at)


async def message_changed(tx: Transaction, message: Message) -> None:
    event = messaging_events_pb2.PatientMessageChanged(
        message_id=str(message.id),
        facility_id=str(message.facility_id),
        patient_id=str(message.patient_id),
        state=message.state,
        version=message.version,
        labels=labels_to_proto(message.labels),
    )
    await outbox.add(
        tx, event, key=message.id, version=message.version, facility_id=message.facility_id
    )


async def message_sent(tx: Transaction, message: Message) -> None:
    event = messaging_events_pb2.MessageSent(
        message_id=str(message.id),
        facility_id=str(message.facility_id),
        patient_id=str(message.patient_id),
        channel=message.channel,
        template=message.template,
        appointment_id=str(message.appointment_id or ""),
        loop_id=str(message.loop_id or ""),
        time=to_timestamp(message.sent_at),
        version=message.version,
        labels=labels_to_proto(message.labels),
    )
    await outbox.add(
        tx, event, key=message.id, version=message.version, facility_id=message.facility_id
    )


async def reply_received(tx: Transaction, reply: Reply) -> None:
    event = messaging_events_pb2.ReplyReceived(
        reply=reply_to_proto(reply), version=reply.version, labels=labels_to_proto(reply.labels)
    )
    await outbox.add(tx, event, key=reply.id, version=reply.version, facility_id=reply.facility_id)


async def save_contact(tx: Transaction, contact: Contact) -> None:
    """Save what people or the patient said, and tell that it is another now."""
    await ContactStore(tx).save(contact)
    event = messaging_events_pb2.ContactChanged(
        patient_id=str(contact.patient_id),
        facility_ids=[str(each) for each in contact.facility_ids],
        version=contact.version,
    )
    await outbox.add(tx, event, key=contact.patient_id, version=contact.version)


async def start_thread(tx: Transaction, thread: Thread, post: Post) -> None:
    """Keep a new thread with its first words."""
    if await ThreadStore(tx).add(thread):
        await ThreadStore(tx).add_post(post, heard_at=tx.at)
        await _told(tx, thread)


async def save_thread(tx: Transaction, thread: Thread) -> None:
    """Save the next version of a thread, and its clock."""
    await ThreadStore(tx).save(thread)
    await _told(tx, thread)


async def _told(tx: Transaction, thread: Thread) -> None:
    if thread.clock_at is None:
        await clear_timer(tx, CLOCK, str(thread.id))
    else:
        await set_timer(tx, CLOCK, str(thread.id), thread.clock_at)
    await thread_changed(tx, thread)


async def thread_changed(tx: Transaction, thread: Thread) -> None:
    event = messaging_events_pb2.ThreadChanged(
        thread_id=str(thread.id),
        facility_id=str(thread.facility_id),
        patient_id=str(thread.patient_id),
        state=thread_pb2.Thread.State.Value(f"STATE_{thread.state}"),
        priority=thread_pb2.Thread.Priority.Value(f"PRIORITY_{thread.priority}"),
        reason=thread.reason,
        answering_facility_id=str(thread.answering_facility_id),
        accountable_staff_id=str(thread.accountable_id),
        escalation_level=thread.escalation_level,
        loop_id=str(thread.loop_id or ""),
        labels=labels_to_proto(thread.labels),
        version=thread.version,
    )
    await outbox.add(
        tx, event, key=thread.id, version=thread.version, facility_id=thread.facility_id
    )
