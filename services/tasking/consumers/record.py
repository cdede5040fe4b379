"""Follows the record: patients, merges and encounters; and emergency access to them."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from carehub.identity.v1 import identity_events_pb2
from carehub.registry.v1 import registry_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.tasking.consumers.planning import plan_patients
from services.tasking.convert import to_encounter, to_glass, to_patient, to_program
from services.tasking.domain.snapshot import PatientSnapshot, ProgramSnapshot
from services.tasking.store import RecordStore, TimeStore, ToldStore


async def follow_encounters(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshot of each visit and plan its patient; with a merge or a move, both patients."""
    record = RecordStore(tx)
    told = [
        to_encounter(delivery.event.encounter, delivery.event.version)
        for delivery in deliveries
        if isinstance(delivery.event, registry_events_pb2.EncounterChanged)
    ]
    stored = await record.encounters(each.id for each in told)
    survivors = await record.alone_with(each.patient_id for each in (*stored, *told))
    known = {each.id: each for each in await record.encounters(each.id for each in told)}
    heard = [
        replace(each, patient_id=survivors[each.patient_id]).after(known.get(each.id))
        for each in told
    ]
    await record.keep_encounters(heard)
    news = [each for each in heard if each.waits_for]
    concerned = {each.patient_id for each in news}
    concerned |= {known[each.id].patient_id for each in news if each.id in known}
    await plan_patients(tx, concerned)


async def follow_patients(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshot of each patient, move what belongs to a retired one, and plan."""
    record = RecordStore(tx)
    patients, retired = list[PatientSnapshot](), list[PatientSnapshot]()
    programs = list[ProgramSnapshot]()
    for delivery in deliveries:
        if isinstance(delivery.event, registry_events_pb2.PatientChanged):
            patients.append(to_patient(delivery.event.patient, delivery.event.version))
        elif isinstance(delivery.event, registry_events_pb2.PatientsMerged):
            retired.append(_retired(delivery.event))
        elif isinstance(delivery.event, registry_events_pb2.ProgramRecordChanged):
            programs.append(to_program(delivery.event))
    touched = {each.id for each in (*patients, *retired)}
    touched |= {each.patient_id for each in programs}
    touched |= {each.merged_into_id for each in (*patients, *retired) if each.merged_into_id}
    touched |= set((await record.alone_with(touched)).values())
    before = await record.patients(each.id for each in patients)
    news = {each.id for each in patients if each.differs_from(before.get(each.id))}
    news |= await _keep_programs(record, programs)
    await record.keep_patients(patients)
    for each in retired:
        await record.retire_patient(each)
    await plan_patients(tx, news | await _moved(tx, touched))


async def _keep_programs(record: RecordStore, programs: Sequence[ProgramSnapshot]) -> set[UUID]:
    """Keep what programs told, and return whose plans it can change."""
    before = await record.programs(each.patient_id for each in programs)
    await record.keep_programs(programs)
    keys = {(each.patient_id, each.facility_id): each for each in programs}
    return {key[0] for key, each in keys.items() if each.differs_from(before.get(key))}


async def follow_break_glass(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each emergency access, under the record that its patient lives on in, and plan its review."""
    record = RecordStore(tx)
    told = [
        to_glass(delivery.event.break_glass, delivery.event.version)
        for delivery in deliveries
        if isinstance(delivery.event, identity_events_pb2.BreakGlassChanged)
    ]
    survivors = await record.alone_with(each.patient_id for each in told)
    await record.keep_glasses(
        [replace(each, patient_id=survivors[each.patient_id]) for each in told]
    )
    await plan_patients(tx, survivors.values())


async def _moved(tx: Transaction, touched: set[UUID]) -> set[UUID]:
    """Give what belongs to the retired to those that they live on in; both of each."""
    record, told, minutes = RecordStore(tx), ToldStore(tx), TimeStore(tx)
    survivors = await record.survivors(touched)
    moved = {retired: survivor for retired, survivor in survivors.items() if retired != survivor}
    for retired_id, survivor_id in moved.items():
        await record.move(retired_id, survivor_id)
        await told.move(retired_id, survivor_id)
        await minutes.move(retired_id, survivor_id)
    return {*moved, *moved.values()}


def _retired(event: registry_events_pb2.PatientsMerged) -> PatientSnapshot:
    return PatientSnapshot(
        id=UUID(event.retired_id),
        version=event.version,
        merged_into_id=UUID(event.survivor_id),
    )
