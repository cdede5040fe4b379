"""What referrals tells: a change, the clocks that it sets, the links that it ends and the event that tells of it."""

from carehub.referrals.v1 import referrals_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor import outbox
from libs.conveyor.timers import clear_timer, set_timer
from services.referrals.convert.directory import capacity_to_proto
from services.referrals.convert.referral import referral_to_proto
from services.referrals.domain.directory import CapacityStatus, Service
from services.referrals.domain.referral import Referral, State
from services.referrals.store import DirectoryStore, LinkStore, ReferralStore

ANSWER = "answer"  # key: a referral's id; due when its partner has to have answered
PROGRAM = "program"  # key: a facility's id; due at once, when it turns out to be a program under 42 CFR Part 2
CAPACITY = "capacity"  # key: a service's id; due when what it said of its capacity is too old


async def add_referral(tx: Transaction, referral: Referral) -> None:
    await ReferralStore(tx).add(referral)
    await _tell(tx, referral)


async def save_referral(tx: Transaction, referral: Referral) -> None:
    """Save the next version of a referral that was taken. Once it has ended, no link opens it."""
    await ReferralStore(tx).save(referral)
    if referral.state is State.REQUESTED and referral.answer_due_at:
        await set_timer(tx, ANSWER, str(referral.id), referral.answer_due_at)
    else:
        await clear_timer(tx, ANSWER, str(referral.id))
    if referral.has_ended:
        await LinkStore(tx).revoke(referral.id)
    await _tell(tx, referral)


async def _tell(tx: Transaction, referral: Referral) -> None:
    event = referrals_events_pb2.ReferralChanged(
        referral=referral_to_proto(referral, is_whole=False), version=referral.version
    )
    await outbox.add(
        tx,
        event,
        key=referral.id,
        version=referral.version,
        facility_id=referral.facility_id,
    )


async def save_services(tx: Transaction, *services: Service) -> None:
    """Save new services and next versions, and have what they said of their capacity forgotten in time."""
    await DirectoryStore(tx).save(services)
    for service in services:
        is_said = service.capacity is not CapacityStatus.UNVERIFIED
        if is_said and service.capacity_until:
            await set_timer(tx, CAPACITY, str(service.id), service.capacity_until)
        event = referrals_events_pb2.CapacityChanged(
            service_id=str(service.id),
            service_name=service.name,
            capacity=capacity_to_proto(service, tx.at),
            version=service.version,
        )
        await outbox.add(tx, event, key=service.id, version=service.version)
