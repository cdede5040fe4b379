"""Follows identity: facilities, staff and teams. Nobody who left answers for a thread."""

from collections.abc import Sequence
from uuid import UUID

from carehub.identity.v1 import identity_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.messaging.consumers.planning import plan
from services.messaging.convert import to_facility, to_staff, to_team
from services.messaging.events import save_thread
from services.messaging.store import CauseStore, DirectoryStore, ThreadStore


async def follow_directory(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest snapshots; hand over what those had who left, and plan what waited for a facility."""
    store, left, new = DirectoryStore(tx), set[UUID](), set[UUID]()
    for delivery in deliveries:
        match delivery.event:
            case identity_events_pb2.FacilityChanged() as event:
                facility = to_facility(event.facility, event.version)
                known = await store.facilities([facility.id])
                await store.keep_facility(facility)
                new |= {facility.id} - known.keys()
            case identity_events_pb2.TeamChanged() as event:
                await store.keep_team(to_team(event.team, event.version))
            case identity_events_pb2.StaffChanged() as event:
                person = to_staff(event.staff_member, event.version)
                if await store.keep_staff(person) and not person.is_active:
                    left.add(person.id)
    await _hand_over(tx, left)
    await plan(tx, await CauseStore(tx).at(new))


async def _hand_over(tx: Transaction, left: set[UUID]) -> None:
    if not left:
        return
    held = await ThreadStore(tx).held_by(left)
    directory = await DirectoryStore(tx).at(thread.answering_facility_id for thread in held)
    for thread in held:
        ladder = directory.ladder(thread.answering_facility_id, thread.team_id)
        after = thread.hand_over(ladder, tx.at)
        if after != thread:
            await save_thread(tx, after)
