"""Follows identity and interop: clocks of facilities, who can answer for something, and which facilities are programs."""

from collections.abc import Collection, Sequence
from uuid import UUID

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.careplans.consumers.leaving import without_who_left
from services.careplans.convert.told import (
    to_facility,
    to_feed,
    to_organization,
    to_person,
    to_team,
)
from services.careplans.domain.neighbor import Facility, Organization, Owner
from services.careplans.events import save_plans
from services.careplans.store import NeighborStore, PlanStore


async def follow_directory(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshots, of which plans are made from then on; and whoever left coordinates nothing and has no goal any more."""
    facilities, owners, members = list[Facility](), list[Owner](), list[Organization]()
    for delivery in deliveries:
        match delivery.event:
            case identity_events_pb2.FacilityChanged() as event:
                facilities.append(to_facility(event.facility, event.version))
            case identity_events_pb2.OrganizationChanged() as event:
                members.append(to_organization(event))
            case identity_events_pb2.StaffChanged() as event:
                owners.append(to_person(event))
            case identity_events_pb2.TeamChanged() as event:
                owners.append(to_team(event))
    store = NeighborStore(tx)
    await store.keep_facilities(facilities)
    await store.keep_organizations(members)
    await store.keep_owners(owners)
    known = await store.owners(owner.id for owner in owners)
    if left := {each.id for each in known.values() if not each.is_active}:
        await _hand_over(tx, left)


async def _hand_over(tx: Transaction, left: Collection[UUID]) -> None:
    plans = PlanStore(tx)
    patients = {plan.patient_id for plan in await plans.owned_by(left)}
    await NeighborStore(tx).alone_with(patients)
    affected = await plans.owned_by(left)
    handed = zip(affected, await without_who_left(tx, affected), strict=True)
    await save_plans(tx, [after.next() for before, after in handed if after != before])


async def follow_feeds(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep which facilities are programs under 42 CFR Part 2: what people write there is theirs alone."""
    await NeighborStore(tx).keep_feeds(
        [
            to_feed(delivery.event)
            for delivery in deliveries
            if isinstance(delivery.event, interop_events_pb2.FeedChanged)
        ]
    )
