"""Decides whether a message leaves, in the moment in which its time has come; and writes it as of that moment."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.chassis.database import Transaction
from services.messaging.consumers.opening import open_unanswered
from services.messaging.domain.contact import Contact, Means, Way
from services.messaging.domain.directory import Facility
from services.messaging.domain.gsm import length_of
from services.messaging.domain.hours import Hours, jitter
from services.messaging.domain.message import (
    DAYS_OF_A_WEEK,
    Go,
    Message,
    MessageState,
    Never,
    Person,
    Wait,
    Withdrawal,
    decide,
    is_neutral,
)
from services.messaging.domain.template import (
    Template,
    day_in,
    language_for,
    templates,
    time_in,
)
from services.messaging.events import save_message
from services.messaging.store import CauseStore, ContactStore, DirectoryStore, MessageStore

log = logging.getLogger(__name__)

# What is not known yet will be told in a moment.
NOT_KNOWN_YET = timedelta(minutes=1)


async def leave(means: Means, tx: Transaction, key: str, due_at: datetime) -> None:
    """Write it and have it sent; or put it off; or withdraw it. Nothing is decided twice: it is no longer pending then."""
    message = await _pending(tx, UUID(key))
    if message is None:
        return
    facility = (await DirectoryStore(tx).facilities([message.facility_id])).get(message.facility_id)
    contact = (await ContactStore(tx).some([message.patient_id])).get(message.patient_id)
    if facility is not None and contact is not None:
        await _leave(means, tx, message, contact, facility)
    elif tx.at >= message.until_at:
        await save_message(tx, message, message.withdraw(Withdrawal.NO_ADDRESS))
    else:
        await save_message(tx, message, message.wait(tx.at + NOT_KNOWN_YET))


async def _leave(
    means: Means, tx: Transaction, message: Message, contact: Contact, facility: Facility
) -> None:
    template = templates().get(message.template)
    person = await person_of(tx, message, contact, facility)
    match decide(message, template, person, means, tx.at):
        case Never(why):
            await save_message(tx, message, message.withdraw(why))
            if why is Withdrawal.UNANSWERED:
                await open_unanswered(tx, message.patient_id)
        case Wait(until):
            # Not everybody at the stroke of eight.
            await save_message(tx, message, message.wait(until + jitter(message.id)))
        case Go(way):
            written = await _written(tx, message, template, person, facility, way)
            await save_message(tx, message, written)


async def _pending(tx: Transaction, message_id: UUID) -> Message | None:
    """The message, alone with what its person is sent."""
    found = await MessageStore(tx).some([message_id])
    if not found:
        return None
    await ContactStore(tx).lock([found[0].patient_id])
    [message] = await MessageStore(tx).some([message_id])
    return message if message.state is MessageState.PENDING else None


async def person_of(
    tx: Transaction, message: Message, contact: Contact, facility: Facility
) -> Person:
    """What has to be known of the person. Their zone is the facility's: nobody tells where they are."""
    hours = Hours(zone=facility.time_zone)
    since = hours.day(tx.at) - timedelta(days=DAYS_OF_A_WEEK)
    history = await MessageStore(tx).history(message, since)
    return Person(contact=contact, hours=hours, history=history)


async def _written(
    tx: Transaction,
    message: Message,
    template: Template | None,
    person: Person,
    facility: Facility,
    way: Way,
) -> Message:
    if template is None:
        return _as_written(message, way, message.text, "", tx.at)
    language = language_for(person.contact.speaks)
    slots = await _slots(tx, message, facility, language)
    neutral = is_neutral(person.contact, message.labels)
    text = template.write(language, slots, is_neutral=neutral)
    written = _as_written(message, way, text, language, tx.at)
    counted_on = person.hours.day(tx.at) if template.is_counted else None
    return replace(written, template_version=template.version, counted_on=counted_on)


def _as_written(message: Message, way: Way, text: str, language: str, at: datetime) -> Message:
    written = message.written(way, text, language, at)
    return replace(written, segments=length_of(text).segments)


async def _slots(
    tx: Transaction, message: Message, facility: Facility, language: str
) -> Mapping[str, str]:
    slots = {"facility": facility.name, "phone": _as_spoken(facility.phone), "day": "", "time": ""}
    if message.appointment_id:
        for appointment in await CauseStore(tx).appointments([message.appointment_id]):
            local = Hours(zone=facility.time_zone).local(appointment.start_at)
            slots |= {"day": day_in(language, local), "time": time_in(language, local)}
    return slots


def _as_spoken(phone: str) -> str:
    """+12175550100 as people of the United States write it; another country's as it is."""
    if phone.startswith("+1") and len(phone) == len("+12175550100"):
        return f"{phone[2:5]}-{phone[5:8]}-{phone[8:]}"
    return phone
