"""Sends what was written: outside of the decision, at least once; looked at once more just before it leaves.

Telephones of the demo hub get many at a time; letters go one by one, so that none waits for another between look and leaving.
"""

import logging
from datetime import timedelta

from libs.chassis.database import Transaction
from libs.chassis.faults import rest
from libs.mail.server import NotSent
from libs.process.app import Runtime
from services.messaging.clients import Mail
from services.messaging.consumers.opening import await_answers
from services.messaging.domain.contact import Contact, Means
from services.messaging.domain.hours import Hours
from services.messaging.domain.message import (
    Message,
    MessageState,
    Withdrawal,
)
from services.messaging.domain.telephone import Entry
from services.messaging.domain.template import templates
from services.messaging.events import save_message, try_again
from services.messaging.store import (
    ContactStore,
    DirectoryStore,
    MessageStore,
    TelephoneStore,
)

log = logging.getLogger(__name__)

AT_ONCE, LOOK_SECONDS = 50, 0.5
LEASE = timedelta(minutes=2)


async def send_messages(means: Means, mail: Mail, runtime: Runtime) -> None:
    """Send what is due for as long as the process works."""
    while not runtime.stopping.is_set():
        while await send_due(means, mail, runtime) and not runtime.stopping.is_set():
            pass
        await rest(runtime.stopping, LOOK_SECONDS)


async def send_due(means: Means, mail: Mail, runtime: Runtime) -> bool:
    """Send a few to telephones, and one letter; whether there may be more.

    Each is leased before it is sent, so a crash sends it late or twice, never not at all. A telephone of the demo hub is
    a table of this database: there a message comes in the transaction that says that it was sent.
    """
    async with runtime.database.system() as tx:
        taken, leaving = await _take(tx, means, AT_ONCE, is_mail=False)
        for message in leaving:
            await TelephoneStore(tx).add(_entry(message, tx))
            await _sent(tx, message, message)
    async with runtime.database.system() as tx:
        letters_taken, letters = await _take(tx, means, 1, is_mail=True)
    for letter in letters:
        await _post(mail, runtime, letter)
    return taken == AT_ONCE or letters_taken > 0


async def _take(
    tx: Transaction, means: Means, limit: int, *, is_mail: bool
) -> tuple[int, list[Message]]:
    """Lease a few, and put off what may not leave any more; how many there were, and what leaves now."""
    taken = await MessageStore(tx).take(tx.at, tx.at + LEASE, limit, is_mail=is_mail)
    if not taken:
        return 0, []
    await ContactStore(tx).lock(message.patient_id for message in taken)
    ready = [
        m for m in await MessageStore(tx).some(m.id for m in taken) if m.state is MessageState.READY
    ]
    contacts = await ContactStore(tx).some(message.patient_id for message in ready)
    facilities = await DirectoryStore(tx).facilities(message.facility_id for message in ready)
    leaving: list[Message] = []
    for message in ready:
        zone = facilities[message.facility_id].time_zone
        contact = contacts.get(message.patient_id)
        if contact is not None and _still_goes(message, contact, Hours(zone=zone), means, tx):
            leaving.append(message)
        else:
            # It is decided anew, as if it had not been written.
            await save_message(tx, message, message.wait(tx.at))
    return len(taken), leaving


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


async def _sent(tx: Transaction, before: Message, message: Message) -> None:
    await save_message(tx, before, message.sent(tx.at))
    if message.is_question:
        await await_answers(tx, message.patient_id)


async def _post(mail: Mail, runtime: Runtime, letter: Message) -> None:
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
        if message.state is MessageState.SENT:
            return
        if is_sent:
            # Whatever was decided meanwhile: it went out as it was written.
            await _sent(tx, message, message.gone_as(letter))
            return
        if message.state is not MessageState.READY:
            return
        after = message.try_again(tx.at)
        if after.state is MessageState.WITHDRAWN:
            log.warning(
                "given up", extra={"message_id": letter.id, "reason": Withdrawal.UNDELIVERED}
            )
        await try_again(tx, message, after)
