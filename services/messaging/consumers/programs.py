"""Follows interop: which facilities are programs under 42 CFR Part 2, in what people write there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carehub.interop.v1 import interop_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from libs.conveyor.timers import set_timer
from services.messaging.consumers.labeling import label_what_people_wrote
from services.messaging.convert import to_feed
from services.messaging.events import PROGRAM
from services.messaging.store import FeedStore


async def follow_feeds(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep which facilities are programs under 42 CFR Part 2: what people write there is theirs alone, from before too."""
    told = [
        to_feed(delivery.event)
        for delivery in deliveries
        if isinstance(delivery.event, interop_events_pb2.FeedChanged)
    ]
    for facility_id in await FeedStore(tx).keep(told):
        await set_timer(tx, PROGRAM, str(facility_id), tx.at)


async def label_program(tx: Transaction, key: str, due_at: datetime) -> None:
    """Label what people wrote at a program before it was known to be one: a part at a time, until nothing is left."""
    if await label_what_people_wrote(tx, UUID(key)):
        await set_timer(tx, PROGRAM, key, tx.at)
