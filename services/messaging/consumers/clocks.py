"""What happens to threads when something was said in them, or nothing was in time."""

import logging
from datetime import datetime
from uuid import UUID

from libs.chassis.database import Transaction
from libs.conveyor.timers import set_timer
from services.messaging.consumers.opening import open_unanswered
from services.messaging.domain.message import most_unanswered
from services.messaging.events import CLOCK, save_thread
from services.messaging.store import ContactStore, DirectoryStore, MessageStore, ThreadStore

log = logging.getLogger(__name__)


async def hear(tx: Transaction, key: str, due_at: datetime) -> None:
    """Tell a thread what was said or read: people of other facilities cannot change it, and need not."""
    store = ThreadStore(tx)
    thread = await store.locked(UUID(key))
    if thread is not None:
        await save_thread(tx, thread.heard(await store.hear(thread.id, tx.at), tx.at))


async def escalate(tx: Transaction, key: str, due_at: datetime) -> None:
    """Nobody took it or answered in time: the next person up does."""
    thread = await ThreadStore(tx).locked(UUID(key))
    if thread is None or thread.clock_at is None:
        return
    if thread.clock_at > tx.at:
        await set_timer(tx, CLOCK, key, thread.clock_at)
        return
    answering_id, asking_id = thread.answering_facility_id, thread.facility_id
    directory = await DirectoryStore(tx).at([answering_id, asking_id])
    ladder = directory.ladder_between(answering_id, asking_id, thread.team_id)
    after = thread.escalate(ladder, tx.at)
    await save_thread(tx, after)
    log.info("escalated", extra={"thread_id": key, "escalation_level": after.escalation_level})


async def take_over(tx: Transaction, key: str, due_at: datetime) -> None:
    """A day after the last of too many questions there is still no answer: a person takes over."""
    patient_id = UUID(key)
    await ContactStore(tx).lock([patient_id])
    if len(await MessageStore(tx).unanswered(patient_id)) >= most_unanswered():
        await open_unanswered(tx, patient_id)
