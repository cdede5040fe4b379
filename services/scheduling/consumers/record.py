"""Follows the record: encounters that show that patients came, merges, and appointments that facilities tell of."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from carehub.registry.v1 import registry_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.scheduling.consumers.weighing import Changed, weigh_all
from services.scheduling.convert import to_merge, to_told, to_visit
from services.scheduling.domain.appointment import Appointment, Told, first_told
from services.scheduling.store import AppointmentStore, RecordStore


async def follow_encounters(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshot of each encounter, and weigh what it can concern: what rests on it, and its patient's."""
    record = RecordStore(tx)
    told = [
        to_visit(delivery.event)
        for delivery in deliveries
        if isinstance(delivery.event, registry_events_pb2.EncounterChanged)
    ]
    survivors = await record.alone_with({each.patient_id for each in told})
    heard = [replace(each, patient_id=survivors[each.patient_id]) for each in told]
    await record.keep_visits(heard)
    patients = {each.patient_id for each in heard if each.is_of_use}
    touched = await AppointmentStore(tx).hold_touched({each.id for each in heard}, patients)
    await weigh_all(tx, [(each, each) for each in touched])


async def follow_merges(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Move what belongs to retired records to those that they live on in."""
    record = RecordStore(tx)
    merges = [
        to_merge(delivery.event)
        for delivery in deliveries
        if isinstance(delivery.event, registry_events_pb2.PatientsMerged)
    ]
    concerned = {each.retired_id for each in merges} | {each.survivor_id for each in merges}
    await record.alone_with(concerned)
    for merge in merges:
        await record.merge(merge.retired_id, merge.survivor_id)
    survivors = await record.alone_with(concerned)
    moved = {id: to for id, to in survivors.items() if id != to}
    for retired_id, survivor_id in moved.items():
        await record.move_visits(retired_id, survivor_id)
    held = await AppointmentStore(tx).hold_of({*moved, *moved.values()})
    await weigh_all(tx, [(each, _moved(each, moved)) for each in held])


def _moved(appointment: Appointment, moved: dict[UUID, UUID]) -> Appointment:
    return appointment.of_patient(moved.get(appointment.patient_id, appointment.patient_id))


async def follow_appointments(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Make of what facilities tell the appointments that they are; the newest version of each counts."""
    told = [
        to_told(delivery.event)
        for delivery in deliveries
        if isinstance(delivery.event, registry_events_pb2.AppointmentTold)
    ]
    survivors = await RecordStore(tx).alone_with({each.patient_id for each in told})
    held = await AppointmentStore(tx).hold({each.id for each in told})
    known = {each.id: each for each in held}
    news = list[Changed]()
    for each in told:
        each = replace(each, patient_id=survivors[each.patient_id])
        before = known.get(each.id)
        if after := _retold(before, each):
            news.append((before, after))
    await weigh_all(tx, news)


def _retold(before: Appointment | None, told: Told) -> Appointment | None:
    """As it is told now; None if that is nothing new, or not yet an appointment."""
    if before is None:
        return first_told(told)
    return before.retold(told) if told.version > before.told_version else None
