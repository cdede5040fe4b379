"""Follows registry, tasking, referrals and identity, as far as something is counted."""

from collections.abc import Sequence
from dataclasses import replace

from carehub.identity.v1 import identity_events_pb2
from carehub.referrals.v1 import referrals_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.tasking.v1 import tasking_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.analytics.consumers.computing import compute_anew
from services.analytics.convert.told import (
    to_critical_result,
    to_discharge,
    to_facility,
    to_merge,
    to_referral,
    to_visit,
)
from services.analytics.domain.record import (
    Known,
    KnownCriticalResult,
    KnownDischarge,
    KnownReferral,
    KnownVisit,
    Merge,
    is_news,
)
from services.analytics.store import RecordStore

# So many patients at a time when a facility's clock changes.
AT_ONCE = 500


async def follow_record(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Move what belongs to retired records, then keep the newest visits."""
    events = [delivery.event for delivery in deliveries]
    merges = [to_merge(e) for e in events if isinstance(e, registry_events_pb2.PatientsMerged)]
    visits = [to_visit(e) for e in events if isinstance(e, registry_events_pb2.EncounterChanged)]
    # Alone with all of them at once: who takes locks one after the other may wait in a ring.
    merged = {p for merge in merges for p in (merge.retired_id, merge.survivor_id)}
    await RecordStore(tx).alone_with(merged | {visit.patient_id for visit in visits})
    for merge in merges:
        await _merge(tx, merge)
    await _keep(tx, KnownVisit, visits)


async def _merge(tx: Transaction, told: Merge) -> None:
    """Give everything of the retired record to the one that it lives on in, perhaps through others."""
    store = RecordStore(tx)
    survivor_id = (await store.survivors([told.survivor_id]))[told.survivor_id]
    if survivor_id == told.retired_id:
        return
    await store.merge(Merge(retired_id=told.retired_id, survivor_id=survivor_id))
    await compute_anew(tx, {told.retired_id, survivor_id})


async def follow_loops(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each transition loop and of each critical result; one of another protocol costs nothing."""
    events = [
        delivery.event
        for delivery in deliveries
        if isinstance(delivery.event, tasking_events_pb2.LoopChanged)
    ]
    discharges = [discharge for event in events if (discharge := to_discharge(event))]
    results = [result for event in events if (result := to_critical_result(event))]
    patients = {each.patient_id for each in discharges} | {each.patient_id for each in results}
    if patients:
        # Alone with all of them at once: who takes locks one after the other may wait in a ring.
        await RecordStore(tx).alone_with(patients)
    await _keep(tx, KnownDischarge, discharges)
    await _keep(tx, KnownCriticalResult, results)


async def follow_referrals(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each referral."""
    told = [
        to_referral(delivery.event)
        for delivery in deliveries
        if isinstance(delivery.event, referrals_events_pb2.ReferralChanged)
    ]
    await _keep(tx, KnownReferral, told)


async def _keep(tx: Transaction, kind: type[Known], told: Sequence[Known]) -> None:
    """Keep the newest, and compute anew of whom they say something else than was known."""
    if not told:
        return
    store, ids = RecordStore(tx), [each.id for each in told]
    moving = await store.known(kind, ids)
    patients = {each.patient_id for each in told} | {each.patient_id for each in moving.values()}
    now = await RecordStore(tx).alone_with(patients)
    before = await store.known(kind, ids)
    moved = [replace(each, patient_id=now[each.patient_id]) for each in told]
    news = [each for each in moved if is_news(each, before.get(each.id))]
    await store.keep(kind, moved)
    whose = {each.patient_id for each in news}
    whose |= {before[each.id].patient_id for each in news if each.id in before}
    await compute_anew(tx, whose)


async def follow_facilities(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest clock of each facility; where it is another one, or the first, count its patients by it."""
    found = [
        to_facility(delivery.event)
        for delivery in deliveries
        if isinstance(delivery.event, identity_events_pb2.FacilityChanged)
    ]
    store = RecordStore(tx)
    await store.lock_everybody()
    before = await store.zones(each.id for each in found)
    await store.keep_facilities(found)
    after = await store.zones(each.id for each in found)
    patients = await store.patients_at(each for each in after if after[each] != before.get(each))
    for first in range(0, len(patients), AT_ONCE):
        await compute_anew(tx, patients[first : first + AT_ONCE])
