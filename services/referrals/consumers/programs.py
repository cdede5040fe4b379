"""Follows interop: which facilities are programs under 42 CFR Part 2, in what people write there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from carehub.interop.v1 import interop_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from libs.conveyor.timers import set_timer
from services.referrals.convert.facility import to_feed
from services.referrals.domain.labels import SHOWN_AS_A_PROGRAMS
from services.referrals.events import PROGRAM, save_referral
from services.referrals.store import FeedStore, ReferralStore

AT_ONCE = 100


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
    """Label what a program asked for before it was known to be one: a part at a time, until nothing is left.

    What follows one of these while it is labeled is found the next time.
    """
    found = await ReferralStore(tx).asked_at(UUID(key), SHOWN_AS_A_PROGRAMS, AT_ONCE)
    for referral in found:
        await save_referral(tx, referral.turned_out_of_program())
    if found:
        await set_timer(tx, PROGRAM, key, tx.at)
