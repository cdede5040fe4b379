"""Follows the record: how patients are reached, and which records became one."""

from collections.abc import Sequence
from uuid import UUID

from carehub.registry.v1 import registry_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.messaging.consumers.opening import await_answers
from services.messaging.consumers.planning import plan
from services.messaging.convert import to_contact
from services.messaging.domain.contact import Contact
from services.messaging.events import save_contact, thread_changed
from services.messaging.store import (
    CauseStore,
    ContactStore,
    MessageStore,
    ReplyStore,
    TelephoneStore,
    ThreadStore,
    WishStore,
)


async def follow_patients(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """One upsert for each patient; and what belongs to a retired record goes to the one that it lives on in."""
    told, merged = list[Contact](), list[registry_events_pb2.PatientsMerged]()
    for delivery in deliveries:
        if isinstance(delivery.event, registry_events_pb2.PatientChanged):
            told.append(to_contact(delivery.event.patient, delivery.event.version))
        elif isinstance(delivery.event, registry_events_pb2.PatientsMerged):
            merged.append(delivery.event)
    await ContactStore(tx).keep(told)
    for event in merged:
        await _merge(tx, UUID(event.retired_id), UUID(event.survivor_id))


async def _merge(tx: Transaction, retired_id: UUID, survivor_id: UUID) -> None:
    contacts = ContactStore(tx)
    await contacts.alone_with([retired_id, survivor_id])
    await contacts.retire(retired_id, survivor_id)
    survivor_id = (await contacts.survivors([retired_id]))[retired_id]
    if survivor_id == retired_id:  # merged and merged back
        return
    stores = CauseStore, WishStore, MessageStore, ReplyStore, TelephoneStore
    for store in stores:
        await store(tx).move(retired_id, survivor_id)
    for thread in await ThreadStore(tx).move(retired_id, survivor_id):
        await thread_changed(tx, thread)
    # What was told of the merge elsewhere may have come first: then both were to be told the same.
    await plan(tx, await CauseStore(tx).of_patient(survivor_id))
    # The survivor may not have been told of yet: what the retired one refused must not wait for that.
    await contacts.expect(survivor_id)
    known = await contacts.some([retired_id, survivor_id])
    joined = known[survivor_id].joined_by(known[retired_id])
    if joined != known[survivor_id]:
        await save_contact(tx, joined)
    # Their questions are one person's now, and the timer was the retired record's.
    await await_answers(tx, survivor_id)
