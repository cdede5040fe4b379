"""What happens when a patient answers: it is read by rule, told, and acknowledged; what no rule reads, a person does."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from libs.chassis.database import Transaction
from libs.conveyor.timers import set_timer
from services.messaging.consumers.opening import NEEDS_A_PERSON, TRY_AGAIN, open_reply
from services.messaging.domain.message import Message, MessageState
from services.messaging.domain.plan import MESSAGES
from services.messaging.domain.reply import Meaning, Reply, may_decline, read_reply
from services.messaging.domain.telephone import Entry
from services.messaging.domain.template import Replies, templates
from services.messaging.events import OPEN, await_message, reply_received, save_contact
from services.messaging.store import (
    ContactStore,
    MessageStore,
    ReplyStore,
    TelephoneStore,
)

log = logging.getLogger(__name__)

# A reply is to the newest question of a week; after that the newest message of any kind is as good.
ANSWERS_A_QUESTION, LOOK_BACK = timedelta(days=7), 20
# 47 CFR 64.1200(a)(12): one confirmation, within five minutes.
STOP_IS_CONFIRMED, OTHERS_ARE_ANSWERED = timedelta(minutes=5), timedelta(hours=1)
_ANSWERS = {
    Meaning.CONFIRMED: "reply-confirmed",
    Meaning.DECLINED: "reply-change",
    Meaning.REBOOK: "reply-change",
    Meaning.STOP: "reply-stop",
    Meaning.BARRIER: "reply-barrier",
    Meaning.TEXT: "reply-text",
    Meaning.CRISIS: "reply-crisis",
    Meaning.START: "reply-start",
    Meaning.HELP: "reply-help",
}


def answer_id(reply_id: UUID) -> UUID:
    """The message that answers a reply."""
    return uuid5(MESSAGES, f"{reply_id}/answer")


async def answer(tx: Transaction, key: str, due_at: datetime) -> None:
    """Do everything that a reply asks for, once."""
    entry = await TelephoneStore(tx).get(UUID(key))
    if entry is None:
        return
    await ContactStore(tx).lock([entry.patient_id])
    message = await _answered(tx, entry)
    if message is None:
        return
    reading = read_reply(entry.text, _replies(message))
    reply = _reply(entry, message, reading.meaning, reading.barrier)
    if not await ReplyStore(tx).add(reply):
        return
    if message.answered_at is None:
        answered = replace(message, version=message.version + 1, answered_at=entry.at)
        await MessageStore(tx).save(answered)
    await _hear_about_channel(tx, entry.phone, reply)
    if not reply.meaning.is_about_channel:
        await reply_received(tx, reply)
    await _acknowledge(tx, message, reply)
    await _put_before_a_person(tx, message, reply)


def _replies(message: Message) -> Replies:
    template = templates().get(message.template)
    return template.replies if template else Replies.NONE


async def _answered(tx: Transaction, entry: Entry) -> Message | None:
    """The message that somebody answers when they write: the newest that asks something, else the newest."""
    received = await TelephoneStore(tx).received(entry.phone, LOOK_BACK)
    earlier = [one for one in received if one.at <= entry.at]
    known = {m.id: m for m in await MessageStore(tx).some(one.message_id for one in earlier)}
    messages: Sequence[Message] = [
        known[one.message_id] for one in earlier if one.message_id in known
    ]
    for message in messages:
        is_lately = message.sent_at and entry.at - message.sent_at <= ANSWERS_A_QUESTION
        if is_lately and _replies(message) is not Replies.NONE:
            return message
    return messages[0] if messages else None


def _reply(entry: Entry, message: Message, meaning: Meaning, barrier: str) -> Reply:
    return Reply(
        id=entry.id,
        facility_id=message.facility_id,
        patient_id=message.patient_id,
        message_id=message.id,
        appointment_id=message.appointment_id,
        loop_id=message.loop_id,
        meaning=meaning,
        barrier=barrier,
        text=entry.text,
        received_at=entry.at,
        labels=message.labels,
    )


async def _hear_about_channel(tx: Transaction, phone: str, reply: Reply) -> None:
    """STOP is for everybody whom a number reaches. START takes that back; it allows nothing for others than who answers."""
    if reply.meaning not in (Meaning.STOP, Meaning.START):
        return
    for contact in await ContactStore(tx).of_number(phone):
        if reply.meaning is Meaning.STOP:
            after = contact.stopped()
        else:
            after = contact.started(is_theirs=contact.patient_id == reply.patient_id)
        if after is not contact:
            await save_contact(tx, after)


async def _acknowledge(tx: Transaction, message: Message, reply: Reply) -> None:
    template = templates()[_ANSWERS[reply.meaning]]
    useful = STOP_IS_CONFIRMED if reply.meaning is Meaning.STOP else OTHERS_ARE_ANSWERED
    word = Message(
        id=answer_id(reply.id),
        facility_id=message.facility_id,
        patient_id=message.patient_id,
        template=template.key,
        template_version=template.version,
        appointment_id=None,
        loop_id=None,
        state=MessageState.PENDING,
        due_at=tx.at,
        until_at=reply.received_at + useful,
        created_at=tx.at,
        labels=message.labels,
    )
    await MessageStore(tx).add([word])
    await await_message(tx, word)


async def _put_before_a_person(tx: Transaction, message: Message, reply: Reply) -> None:
    # "Cancel" ends messages whatever was meant; a visit that was meant has to be freed by somebody.
    is_needed = reply.meaning in NEEDS_A_PERSON or may_decline(reply.text, _replies(message))
    if is_needed and not await open_reply(tx, reply):
        log.error("nobody to read a reply", extra={"reply_id": reply.id})
        await set_timer(tx, OPEN, str(reply.id), tx.at + TRY_AGAIN)


async def open_late(tx: Transaction, key: str, due_at: datetime) -> None:
    """Perhaps there is somebody by now who can read it."""
    reply = await ReplyStore(tx).get(UUID(key))
    if reply is not None:
        [message] = await MessageStore(tx).some([reply.message_id])
        await _put_before_a_person(tx, message, reply)
