"""Opens threads that nobody of the staff opened: a reply that a person has to read, a patient who answers nothing."""

import logging
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

from libs.chassis.database import Transaction
from libs.conveyor.timers import set_timer
from services.messaging.domain.message import Message, most_unanswered
from services.messaging.domain.plan import MESSAGES
from services.messaging.domain.reply import Meaning, Reply
from services.messaging.domain.thread import (
    Opened,
    Post,
    Priority,
    Thread,
    pause,
    unanswered_after,
)
from services.messaging.events import UNANSWERED, save_thread, start_thread
from services.messaging.store import DirectoryStore, MessageStore, ThreadStore

log = logging.getLogger(__name__)

# Where nobody works now, there may be somebody then.
TRY_AGAIN = timedelta(minutes=5)

# As the console shows them; what the patient wrote is the post.
_TITLES = {
    Opened.REPLY: "A patient wrote",
    Opened.CRISIS: "A patient wrote words of danger: call now",
    Opened.UNANSWERED: "Messages stay unanswered: reach the patient another way",
}
_PRIORITIES = {
    Opened.REPLY: Priority.HIGH,
    Opened.CRISIS: Priority.URGENT,
    Opened.UNANSWERED: Priority.ROUTINE,
}
# What a person has to read or act on. A barrier is the missed-visit protocol's.
NEEDS_A_PERSON = {
    Meaning.TEXT: Opened.REPLY,
    Meaning.DECLINED: Opened.REPLY,
    Meaning.REBOOK: Opened.REPLY,
    Meaning.CRISIS: Opened.CRISIS,
}


def reply_post(reply_id: UUID) -> UUID:
    return uuid5(reply_id, "post")


def unanswered_post(last_id: UUID) -> UUID:
    """Of the thread about questions that stay unanswered, of which this message is the last."""
    return uuid5(MESSAGES, f"{last_id}/unanswered/post")


async def open_reply(tx: Transaction, reply: Reply) -> bool:
    """Put a reply in front of somebody. False if nobody works there who could read it."""
    opened = NEEDS_A_PERSON.get(reply.meaning, Opened.REPLY)
    post = Post(
        id=reply_post(reply.id),
        thread_id=uuid5(reply.id, "thread"),
        facility_id=reply.facility_id,
        staff_id=None,
        reply_id=reply.id,
        text=reply.text,
        posted_at=reply.received_at,
    )
    return await _open(tx, opened, post, reply.patient_id, reply.loop_id, reply.labels)


async def await_answers(tx: Transaction, patient_id: UUID) -> None:
    """After too many questions without an answer, have a person take over a day after the last of them."""
    waiting = await MessageStore(tx).unanswered(patient_id)
    if len(waiting) >= most_unanswered():
        due_at = (waiting[-1].sent_at or tx.at) + unanswered_after()
        await set_timer(tx, UNANSWERED, str(patient_id), due_at)


async def open_unanswered(tx: Transaction, patient_id: UUID) -> None:
    """Have a person take over from questions that stay unanswered; once for the same last question."""
    waiting = await MessageStore(tx).unanswered(patient_id)
    if not waiting:
        return
    last: Message = waiting[-1]
    post = Post(
        id=unanswered_post(last.id),
        thread_id=uuid5(MESSAGES, f"{last.id}/unanswered"),
        facility_id=last.facility_id,
        staff_id=None,
        text=f"{len(waiting)} messages in a row have no answer. No more are sent until somebody has closed this thread.",
        posted_at=tx.at,
    )
    if not await _open(tx, Opened.UNANSWERED, post, patient_id, last.loop_id, last.labels):
        log.warning("nobody to take over", extra={"facility_id": last.facility_id})
        await set_timer(tx, UNANSWERED, str(patient_id), tx.at + TRY_AGAIN)


async def _open(
    tx: Transaction,
    opened: Opened,
    post: Post,
    patient_id: UUID,
    loop_id: UUID | None,
    labels: tuple[str, ...],
) -> bool:
    store = ThreadStore(tx)
    known = await store.open_of(patient_id, post.facility_id, opened)
    if known is not None and known.labels == labels:
        if opened is Opened.UNANSWERED:
            return True
        said = replace(post, thread_id=known.id)
        await store.add_post(said, heard_at=tx.at)
        await save_thread(tx, known.heard([said], tx.at))
        return True
    directory = await DirectoryStore(tx).at([post.facility_id])
    ladder = directory.ladder(post.facility_id, None)
    if not ladder:
        return False
    facility = directory.facilities.get(post.facility_id)
    priority = _PRIORITIES[opened]
    thread = Thread(
        id=post.thread_id,
        facility_id=post.facility_id,
        patient_id=patient_id,
        title=_TITLES[opened],
        priority=priority,
        reason=opened,
        answering_facility_id=post.facility_id,
        team_id=facility.duty_team_id if facility else None,
        accountable_id=ladder[0],
        clock_at=tx.at + pause(priority, 0),
        started_at=tx.at,
        last_post_at=post.posted_at,
        loop_id=loop_id,
        labels=labels,
    )
    await start_thread(tx, thread, post)
    return True
