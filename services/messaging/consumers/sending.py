"""Sends what was written: outside of the decision, at least once; looked at once more just before it leaves."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta

from libs.chassis.app import Runtime
from libs.chassis.database import Transaction
from libs.chassis.timers import set_timer
from services.messaging.clients import MailServer, NotSent
from services.messaging.domain.contact import Channel, Contact, Means
from services.messaging.domain.hours import Hours
from services.messaging.domain.message import (
    Message,
    MessageState,
    Withdrawal,
    most_unanswered,
)
from services.messaging.domain.telephone import Entry
from services.messaging.domain.template import templates
from services.messaging.domain.thread import unanswered_after
from services.messaging.events import UNANSWERED, save_message
from services.messaging.store import (
    ContactStore,
    DirectoryStore,
    MessageStore,
    TelephoneStore,
)

log = logging.getLogger(__name__)

AT_ONCE, LOOK_SECONDS = 50, 0.5
LEASE = timedelta(minutes=2)


async def send_messages(means: Means, mail: MailServer, runtime: Runtime) -> None:
    """Send what is due for as long as the process works."""
    while not runtime.stopping.is_set():
        while await send_due(means, mail, runtime) and not runtime.stopping.is_set():
            pass
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(runtime.stopping.wait(), LOOK_SECONDS)


async def send_due(means: Means, mail: MailServer, runtime: Runtime) -> bool:
    """Send a few; whether there may be more.

    Each is leased before it is sent, so a crash sends it late or twice, never not at all. A telephone of the demo hub is
    a table of this database: there a message comes in the transaction that says that it was sent.
    """
    async with runtime.database.system() as tx:
        taken = await MessageStore(tx).take(tx.at, tx.at + LEASE, AT_ONCE)
        if not taken:
            return False
        await ContactStore(tx).lock(message.patient_id for message in taken)
        taken = [
            m
            for m in await MessageStore(tx).some(m.id for m in taken)
            if m.state is MessageState.READY
        ]
        letters = await _deliver(tx, means, taken)
    for letter in letters:
        await _post(mail, runtime, letter)
    return len(taken) == AT_ONCE


async def _deliver(tx: Transaction, means: Means, taken: Sequence[Message]) -> list[Message]:
    """Put off what may not leave any more, hand over what goes to a telephone, and return what goes by mail."""
    contacts = await ContactStore(tx).some(message.patient_id for message in taken)
    facilities = await DirectoryStore(tx).facilities(message.facility_id for message in taken)
    letters: list[Message] = []
    for message in taken:
        zone = facilities[message.facility_id].time_zone
        contact = contacts.get(message.patient_id)
        if contact is None or not _still_goes(message, contact, Hours(zone=zone), means, tx):
            # It is decided anew, as if it had not been written.
            await save_message(tx, message.wait(tx.at))
        elif message.channel == Channel.EMAIL:
            letters.append(message)
        else:
            await TelephoneStore(tx).add(_entry(message, tx))
            await _sent(tx, message)
    return letters


def _still_goes(
    message: Message, contact: Contact, hours: Hours, means: Means, tx: Transaction
) -> bool:
    """Between writing and leaving somebody may have said STOP, died, got another number; or the evening came."""
    template = templates().get(message.template)
    if contact.is_deceased or tx.at >= message.until_at:
        return False
    is_last_word = template is not None and template.key == "reply-stop"
    way = next((w for w in contact.ways() if w.channel == message.channel), None)
    if way is None or way.address != message.address or way.channel not in means.channels:
        return False
    if not is_last_word and not contact.allows(way.channel, means):
        return False
    if template is not None and template.is_answer:
        return True
    is_same_day = message.counted_on is None or message.counted_on == hours.day(tx.at)
    return hours.allow(tx.at) and is_same_day


def _entry(message: Message, tx: Transaction) -> Entry:
    return Entry(
        id=message.id,
        facility_id=message.facility_id,
        patient_id=message.patient_id,
        message_id=message.id,
        phone=message.address,
        is_written=False,
        channel=message.channel,
        text=message.text,
        at=tx.at,
        labels=message.labels,
    )


async def _sent(tx: Transaction, message: Message) -> None:
    await save_message(tx, message.sent(tx.at))
    if message.is_question:
        waiting = await MessageStore(tx).unanswered(message.patient_id)
        if len(waiting) >= most_unanswered():
            due_at = tx.at + unanswered_after()
            await set_timer(tx, UNANSWERED, str(message.patient_id), due_at)


async def _post(mail: MailServer, runtime: Runtime, letter: Message) -> None:
    """One e-mail: sent outside of a transaction, then noted."""
    try:
        await mail.send(letter.id, letter.address, letter.language, letter.text)
        is_sent = True
    except NotSent as error:
        is_sent = False
        log.warning("not sent", extra={"message_id": letter.id, "reason": str(error)})
    async with runtime.database.system() as tx:
        await ContactStore(tx).lock([letter.patient_id])
        [message] = await MessageStore(tx).some([letter.id])
        if message.state is not MessageState.READY:
            return
        if is_sent:
            await _sent(tx, message)
            return
        after = message.try_again(tx.at)
        if after.state is MessageState.WITHDRAWN:
            log.warning(
                "given up", extra={"message_id": letter.id, "reason": Withdrawal.UNDELIVERED}
            )
        await save_message(tx, after)
