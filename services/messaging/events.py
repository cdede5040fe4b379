"""What messaging tells: a change, the timers that it sets and the events that tell of it commit together. No words."""

from carehub.messaging.v1 import messaging_events_pb2, thread_pb2

from libs.chassis import outbox
from libs.chassis.database import Transaction
from libs.chassis.fields import to_timestamp
from libs.chassis.timers import clear_timer, set_timer
from services.messaging.convert import labels_to_proto, reply_to_proto
from services.messaging.domain.contact import Contact
from services.messaging.domain.message import Message, MessageState
from services.messaging.domain.reply import Reply
from services.messaging.domain.thread import Post, Thread
from services.messaging.store import ContactStore, MessageStore, ThreadStore

LEAVE = "leave"  # key: a message's id; due when it may leave
ANSWER = "answer"  # key: the id of what was written on a telephone; due at once
CLOCK = "thread-clock"  # key: a thread's id; due when it goes to the next person up
HEAR = "thread-hear"  # key: a thread's id; due at once, after somebody posted or read
OPEN = "thread-open"  # key: a reply's id; due when there may be somebody who can read it
UNANSWERED = "unanswered"  # key: a patient's id; due when a person takes over


async def save_message(tx: Transaction, message: Message) -> None:
    """Save the next version of a message, and wait for its time."""
    await MessageStore(tx).save(message)
    await await_message(tx, message)
    if message.state is MessageState.WITHDRAWN:
        await message_changed(tx, message)
    elif message.state is MessageState.SENT:
        await message_sent(tx, message)


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
