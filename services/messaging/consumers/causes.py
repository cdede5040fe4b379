"""Follows what messages are about: appointments, and the loops of patients who went home."""

from collections.abc import Sequence
from dataclasses import replace

from carehub.scheduling.v1 import scheduling_events_pb2
from carehub.tasking.v1 import tasking_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.messaging.consumers.labeling import label_what_people_said
from services.messaging.consumers.planning import plan
from services.messaging.convert import to_appointment, to_transition
from services.messaging.domain.plan import TRANSITION
from services.messaging.store import CauseStore, ContactStore


async def follow_appointments(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each appointment, under the record that its patient lives on in, and plan its messages."""
    told = [
        to_appointment(delivery.event.appointment, delivery.event.version)
        for delivery in deliveries
        if isinstance(delivery.event, scheduling_events_pb2.AppointmentChanged)
    ]
    contacts, causes = ContactStore(tx), CauseStore(tx)
    before = await causes.appointments(each.id for each in told)
    survivors = await contacts.alone_with(each.patient_id for each in (*before, *told))
    await causes.keep_appointments(
        [replace(each, patient_id=survivors[each.patient_id]) for each in told]
    )
    await plan(tx, await causes.appointments(each.id for each in told))


async def follow_loops(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each transition, and plan its messages. Who is still in hospital, or again, is told nothing."""
    told = [
        to_transition(delivery.event.loop, delivery.event.version)
        for delivery in deliveries
        if isinstance(delivery.event, tasking_events_pb2.LoopChanged)
        and delivery.event.loop.protocol == TRANSITION
    ]
    if not told:
        return
    contacts, causes = ContactStore(tx), CauseStore(tx)
    known = await causes.transitions(each.id for each in told)
    survivors = await contacts.alone_with(each.patient_id for each in (*known, *told))
    before = {each.id: each.labels for each in await causes.transitions(each.id for each in told)}
    await causes.keep_transitions(
        [replace(each, patient_id=survivors[each.patient_id]) for each in told]
    )
    loops = await causes.transitions(each.id for each in told)
    await plan(tx, loops)
    await label_what_people_said(tx, [loop for loop in loops if loop.labels != before.get(loop.id)])
