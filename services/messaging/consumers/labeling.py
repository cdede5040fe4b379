"""What a cause was not known to be when its messages were planned: what came of them is as sensitive as it is now."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from libs.chassis.database import Transaction
from services.messaging.consumers.answers import answer_id
from services.messaging.consumers.opening import reply_post, unanswered_post
from services.messaging.domain.labels import OF_A_PROGRAM, SHOWN_AS_A_PROGRAMS, inherit
from services.messaging.domain.plan import Transition
from services.messaging.domain.reply import Reply
from services.messaging.domain.thread import Opened
from services.messaging.events import reply_received, save_message, save_thread
from services.messaging.store import (
    ContactStore,
    MessageStore,
    ReplyStore,
    TelephoneStore,
    ThreadStore,
)

Labels = tuple[str, ...]
AT_ONCE = 100


async def label_what_followed(tx: Transaction, messages: Sequence[UUID], labels: Labels) -> None:
    """Label the replies to these messages, the answers to those, the threads that both opened and what telephones show."""
    if not messages:
        return
    replies = await ReplyStore(tx).label(messages, labels)
    for reply in replies:
        if not reply.meaning.is_about_channel:
            await reply_received(tx, reply)
    answers = [answer_id(reply.id) for reply in replies]
    await _label_messages(tx, answers, labels)
    # What a telephone shows has the id of the message, or of the reply.
    shown = [*messages, *answers, *(reply.id for reply in replies)]
    await TelephoneStore(tx).label(shown, labels)
    await _label_threads(tx, messages, replies, labels)


async def label_what_people_said(tx: Transaction, loops: Sequence[Transition]) -> None:
    """Label the threads that people opened about these loops: never as less than they were."""
    labels = {loop.id: loop.labels for loop in loops}
    for thread in await ThreadStore(tx).about(labels, Opened.PEOPLE):
        after = thread.about(labels[thread.loop_id]) if thread.loop_id else thread
        if after is not thread:
            await save_thread(tx, after)


async def label_what_people_wrote(tx: Transaction, facility_id: UUID) -> bool:
    """Label what people wrote at a program, and what followed from it: a part of it. Whether there was something to label."""
    store = MessageStore(tx)
    ids = await store.of_people_at(facility_id, SHOWN_AS_A_PROGRAMS, AT_ONCE)
    await ContactStore(tx).alone_with(each.patient_id for each in await store.some(ids))
    await _label_messages(tx, ids, OF_A_PROGRAM)
    await label_what_followed(tx, ids, OF_A_PROGRAM)
    threads = await ThreadStore(tx).opened_at(
        facility_id, Opened.PEOPLE, SHOWN_AS_A_PROGRAMS, AT_ONCE
    )
    for thread in threads:
        await save_thread(tx, thread.about(OF_A_PROGRAM))
    return bool(ids or threads)


async def _label_messages(tx: Transaction, ids: Iterable[UUID], labels: Labels) -> None:
    for message in await MessageStore(tx).some(ids):
        after = message.labeled(labels, tx.at)
        if after is not message:
            await save_message(tx, message, after)


async def _label_threads(
    tx: Transaction, messages: Sequence[UUID], replies: Sequence[Reply], labels: Labels
) -> None:
    """A thread about replies is as sensitive as all of them; one about silence, as the last question."""
    store = ThreadStore(tx)
    said = [*(reply_post(each.id) for each in replies), *map(unanswered_post, messages)]
    for thread in await store.with_posts(said):
        posts = await store.posts([thread.id])
        heard = await ReplyStore(tx).some(post.reply_id for post in posts if post.reply_id)
        after = thread.labeled(inherit(each.labels for each in heard) if heard else labels)
        if after is not thread:
            await save_thread(tx, after)
