"""Follows where appointments take place: the clocks of facilities, and which of them are programs' alone."""

from collections.abc import Sequence
from datetime import timedelta

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2

from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument
from libs.conveyor.inbox import Delivery, Unprocessable
from services.scheduling.consumers.weighing import weigh_all
from services.scheduling.convert import to_facility, to_feed
from services.scheduling.store import AppointmentStore, DirectoryStore, RecordStore

# What lies further back has been decided by the clock that was known then.
_LATELY = timedelta(days=7)


async def follow_facilities(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the clocks; where one is another now, or the first that is known, days begin and end at other instants."""
    told = [
        to_facility(delivery.event.facility, delivery.event.version)
        for delivery in deliveries
        if isinstance(delivery.event, identity_events_pb2.FacilityChanged)
    ]
    changed = await DirectoryStore(tx).keep_facilities(told)
    store = AppointmentStore(tx)
    ids = await store.ahead_at(changed, tx.at - _LATELY) if changed else []
    await RecordStore(tx).alone_with(await store.patients_of(ids))
    await weigh_all(tx, [(each, each) for each in await store.hold(ids)])


async def follow_feeds(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep which facilities are programs under 42 CFR Part 2: what is agreed on there is theirs alone."""
    try:
        told = [
            to_feed(delivery.event)
            for delivery in deliveries
            if isinstance(delivery.event, interop_events_pb2.FeedChanged)
        ]
    except (InvalidArgument, ValueError) as error:
        raise Unprocessable("FEED_UNREADABLE", "A feed with an id that is none.") from error
    await DirectoryStore(tx).keep_feeds(told)
