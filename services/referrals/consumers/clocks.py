"""What happens when a clock runs out: nobody answered, or what a service said is too old."""

import logging
from datetime import datetime
from uuid import UUID

from libs.chassis.database import Transaction
from libs.chassis.ids import new_id
from libs.conveyor.timers import set_timer
from services.referrals.deciding import go_on
from services.referrals.events import ANSWER, CAPACITY, save_referral, save_services
from services.referrals.store import DirectoryStore, ReferralStore

log = logging.getLogger(__name__)


async def miss_answer(tx: Transaction, key: str, due_at: datetime) -> None:
    """The partner said nothing: the referral has failed, and the next one is asked if it says so."""
    referral = await ReferralStore(tx).maybe(UUID(key))
    if referral is None:
        return
    after = referral.miss_answer(at=tx.at)
    if after is referral:
        if referral.answer_due_at and referral.answer_due_at > tx.at:
            await set_timer(tx, ANSWER, key, referral.answer_due_at)
        return
    await save_referral(tx, after)
    await go_on(tx, after, new_id)
    log.info("nobody answered", extra={"referral_id": key})


async def forget_capacity(tx: Transaction, key: str, due_at: datetime) -> None:
    """What a service said is no longer believed: nobody knows."""
    service = await DirectoryStore(tx).take(UUID(key))
    after = service.forget_capacity(at=tx.at)
    if after is not service:
        await save_services(tx, after)
    elif service.capacity_until and service.capacity_until > tx.at:
        await set_timer(tx, CAPACITY, key, service.capacity_until)
