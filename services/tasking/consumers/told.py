"""Follows what scheduling, messaging, referrals, careplans, analytics and laboratories tell of patients."""

from collections.abc import Sequence
from dataclasses import replace

from carehub.analytics.v1 import analytics_events_pb2
from carehub.careplans.v1 import careplans_events_pb2
from carehub.messaging.v1 import messaging_events_pb2
from carehub.referrals.v1 import referrals_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.scheduling.v1 import scheduling_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery
from services.tasking.consumers.planning import plan_patients
from services.tasking.convert.told import (
    to_appointment,
    to_reconciliation,
    to_referral,
    to_reply,
    to_result,
    to_risk,
)
from services.tasking.domain.news import News
from services.tasking.store import LoopStore, RecordStore, ToldStore


async def follow_appointments(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each appointment: one that was missed opens a loop, one that is kept closes it."""
    told = [
        to_appointment(delivery.event.appointment, delivery.event.version, tx.at)
        for delivery in deliveries
        if isinstance(delivery.event, scheduling_events_pb2.AppointmentChanged)
    ]
    await _follow(tx, told)


async def follow_replies(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep what patients answered: it can be the reason that somebody asks for, or need somebody itself."""
    told = [
        to_reply(delivery.event.reply, delivery.event.version, tx.at)
        for delivery in deliveries
        if isinstance(delivery.event, messaging_events_pb2.ReplyReceived)
    ]
    await _follow(tx, told)


async def follow_referrals(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each referral: what a partner promised, did, or does not answer."""
    told = [
        to_referral(delivery.event.referral, delivery.event.version, tx.at)
        for delivery in deliveries
        if isinstance(delivery.event, referrals_events_pb2.ReferralChanged)
    ]
    await _follow(tx, told)


async def follow_reconciliations(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each reconciliation: whether it is signed, and what it leaves to be asked."""
    told = [
        to_reconciliation(delivery.event.reconciliation, delivery.event.version, tx.at)
        for delivery in deliveries
        if isinstance(delivery.event, careplans_events_pb2.ReconciliationChanged)
    ]
    await _follow(tx, told)


async def follow_risks(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest score of each stay; the plan of the stay is made anew with it."""
    told = [
        to_risk(delivery.event.risk, delivery.event.version, tx.at)
        for delivery in deliveries
        if isinstance(delivery.event, analytics_events_pb2.RiskScored)
    ]
    await _follow(tx, told)


async def follow_results(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each result, and since when it was critical: somebody has to be told."""
    told = [
        to_result(delivery.event.observation, delivery.event.version, tx.at)
        for delivery in deliveries
        if isinstance(delivery.event, registry_events_pb2.ResultReceived)
    ]
    await _follow(tx, told)


async def _follow(tx: Transaction, told: Sequence[News]) -> None:
    """Keep what is newer under the record that its patient lives on in, and plan whose plan it can change.

    That is a patient with a loop, or one who gets a reason for one. For all others a row is written and no more: what their
    plans will look at has to be there once they have one, in whatever order the events come.
    """
    if not told:
        return
    kind, record, store = type(told[0]), RecordStore(tx), ToldStore(tx)
    survivors = await record.alone_with(each.patient_id for each in told)
    known = await store.some(kind, (each.id for each in told))
    heard = dict(known)
    for each in sorted(told, key=lambda each: each.version):
        whose = replace(each, patient_id=survivors[each.patient_id])
        heard[each.id] = whose.after(heard.get(each.id))
    news = [each for each in heard.values() if each.says_more_than(known.get(each.id))]
    reasons = {each.patient_id for each in news if each.gives_reason}
    changed = [each for each in heard.values() if each != known.get(each.id)]
    await store.keep(
        kind, [each if each.gives_reason else replace(each, waits_for="") for each in changed]
    )
    if not news:
        return
    moved = {known[each.id].patient_id for each in news if each.id in known}
    concerned = {each.patient_id for each in news} | moved
    await record.lock_patients(moved)
    with_loops = await LoopStore(tx).patients_with(concerned - reasons)
    await plan_patients(tx, reasons | with_loops)
