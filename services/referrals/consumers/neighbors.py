"""Follows identity's facilities, and registry's merges."""

from collections.abc import Sequence

from carehub.identity.v1 import identity_events_pb2
from carehub.registry.v1 import registry_events_pb2

from libs.chassis.database import Transaction
from libs.chassis.fields import to_uuid
from libs.conveyor.inbox import Delivery
from services.referrals.convert.facility import to_facility
from services.referrals.events import save_referral
from services.referrals.store import NeighborStore, ReferralStore


async def follow_facilities(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshots."""
    told = [
        to_facility(delivery.event)
        for delivery in deliveries
        if isinstance(delivery.event, identity_events_pb2.FacilityChanged)
    ]
    await NeighborStore(tx).keep(told)


async def follow_merges(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Move what belongs to a retired record to the one that it leads to by now, in whatever order merges are told."""
    neighbors, referrals = NeighborStore(tx), ReferralStore(tx)
    merges = [
        (
            to_uuid("retired_id", event.retired_id),
            to_uuid("survivor_id", event.survivor_id),
            event.version,
        )
        for delivery in deliveries
        if isinstance(event := delivery.event, registry_events_pb2.PatientsMerged)
    ]
    await neighbors.alone_with(id for retired, survivor, _ in merges for id in (retired, survivor))
    for each in merges:
        await neighbors.merge(*each)
    retired = {before for before, _, _ in merges}
    for referral in await referrals.of_patients(retired):
        survivor = await neighbors.survivor(referral.patient_id)
        if survivor != referral.patient_id:
            await save_referral(tx, referral.move(survivor))
