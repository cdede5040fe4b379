"""Follows registry: visits, as far as somebody works on their medicines; and merges, which move everything of a patient."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from carehub.registry.v1 import registry_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.careplans.consumers.stays import apply_stays
from services.careplans.consumers.work import follow_loops
from services.careplans.convert.told import to_merge, to_seen, to_stay
from services.careplans.domain.neighbor import Merge
from services.careplans.domain.preferences import Preferences
from services.careplans.events import save_plans, save_preferences, save_reconciliations
from services.careplans.store import MedicineStore, NeighborStore, PlanStore, PreferenceStore


async def follow_record(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Move what belongs to retired records, then give what belongs to visits their newest labels, and plans what follows
    from who has seen the patient.
    """
    events = [delivery.event for delivery in deliveries]
    merges = [to_merge(e) for e in events if isinstance(e, registry_events_pb2.PatientsMerged)]
    visits = [e for e in events if isinstance(e, registry_events_pb2.EncounterChanged)]
    stays, seen = [to_stay(e) for e in visits], [to_seen(e) for e in visits]
    store = NeighborStore(tx)
    # Also those whose visits these were, as far as was known.
    before = await store.seen_by(each.encounter_id for each in seen)
    patients = {each.patient_id for each in (*seen, *before)}
    merged = {patient for each in merges for patient in (each.retired_id, each.survivor_id)}
    now = await store.alone_with(patients | merged)
    for merge in merges:
        await _merge(tx, merge)
    if merges:
        now = await store.survivors(now)
    await store.keep_seen([replace(e, patient_id=now[e.patient_id]) for e in seen])
    await apply_stays(tx, [replace(e, patient_id=now[e.patient_id]) for e in stays])
    await follow_loops(tx, await store.open_loops_of(set(now.values())))


async def _merge(tx: Transaction, told: Merge) -> None:
    """Give everything of the retired record to the one that it lives on in, perhaps through others. Alone with them."""
    store = NeighborStore(tx)
    survivor_id = (await store.survivors([told.survivor_id]))[told.survivor_id]
    if survivor_id == told.retired_id:
        return
    await store.merge(Merge(retired_id=told.retired_id, survivor_id=survivor_id))
    await _move_rows(tx, told.retired_id, survivor_id)


async def _move_rows(tx: Transaction, retired_id: UUID, survivor_id: UUID) -> None:
    plans = await PlanStore(tx).of_patient(retired_id)
    await save_plans(tx, [replace(e, patient_id=survivor_id, version=e.version + 1) for e in plans])
    medicines = MedicineStore(tx)
    lists, found = await medicines.lists_of([retired_id]), await medicines.of([retired_id])
    await medicines.save_lists(
        [replace(e, patient_id=survivor_id, version=e.version + 1) for e in lists]
    )
    await save_reconciliations(
        tx, [replace(e, patient_id=survivor_id, version=e.version + 1) for e in found]
    )
    await _move_preferences(tx, retired_id, survivor_id)


async def _move_preferences(tx: Transaction, retired_id: UUID, survivor_id: UUID) -> None:
    """Of two that one facility wrote down, the newer stays."""
    store = PreferenceStore(tx)
    kept: dict[UUID, Preferences] = {}
    every = [*await store.of(survivor_id), *await store.of(retired_id)]
    for each in every:
        known = kept.get(each.facility_id)
        if known is None or known.updated_at < each.updated_at:
            kept[each.facility_id] = each
    await store.drop(each.id for each in every if kept[each.facility_id].id != each.id)
    await save_preferences(
        tx,
        [
            replace(each, patient_id=survivor_id, version=each.version + 1)
            for each in kept.values()
            if each.patient_id == retired_id
        ],
    )
