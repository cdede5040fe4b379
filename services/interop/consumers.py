"""What interop does when the others tell it something, and by the clock."""

import logging
from collections.abc import Sequence
from uuid import UUID

from carehub.identity.v1.identity_events_pb2 import FacilityChanged
from carehub.registry.v1.registry_events_pb2 import ReportHandled
from prometheus_client import Gauge

from libs.chassis.app import Job, Runtime
from libs.chassis.database import Transaction
from libs.chassis.faults import rest
from libs.chassis.inbox import Consumer, Delivery, Unprocessable
from services.interop.domain.message import MessageState, Outcome
from services.interop.store.feeds import AccountStore, Facility, FeedStore
from services.interop.store.messages import MessageStore

log = logging.getLogger(__name__)

_CLOCK_SECONDS = 60.0
SILENT = Gauge("carehub_feed_silent", "1 while a feed is silent for too long.", ["feed_id"])

_OUTCOMES = {
    ReportHandled.OUTCOME_APPLIED: MessageState.APPLIED,
    ReportHandled.OUTCOME_NO_OP: MessageState.NO_OP,
    ReportHandled.OUTCOME_PARKED: MessageState.PARKED,
}


async def follow_outcomes(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """What became of a report is noted on its message, so that a feed shows one truth."""
    outcomes = [_outcome(d.event) for d in deliveries if isinstance(d.event, ReportHandled)]
    if outcomes:
        await MessageStore(tx).save_outcomes(outcomes)


def _outcome(event: ReportHandled) -> Outcome:
    if event.outcome not in _OUTCOMES:
        raise Unprocessable("OUTCOME_UNKNOWN", "An outcome that this version does not know.")
    reason = event.reason
    return Outcome(
        message_id=_id(event.message_id),
        state=_OUTCOMES[event.outcome],
        reason=reason,
        explanation=f"The record: {reason.replace('_', ' ').lower()}." if reason else "",
        patient_id=_id(event.patient_id) if event.patient_id else None,
        encounter_id=_id(event.encounter_id) if event.encounter_id else None,
        version=event.version,
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Unprocessable("ID_INVALID", "An id that is none.") from error


async def follow_facilities(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """The clocks that times without an offset are read by."""
    changed = [
        Facility(
            id=_id(delivery.event.facility.id),
            name=delivery.event.facility.name,
            time_zone=delivery.event.facility.time_zone,
            version=delivery.event.version,
        )
        for delivery in deliveries
        if isinstance(delivery.event, FacilityChanged)
    ]
    await FeedStore(tx).save_facilities(changed)


async def keep_watch(runtime: Runtime) -> None:
    """Each minute: fold the accounts, and raise or end the alarm of feeds that are silent."""
    while not runtime.stopping.is_set():
        async with runtime.database.system() as tx:
            await AccountStore(tx).fold(runtime.now())
        async with runtime.database.system() as tx:
            await watch_silence(tx)
        await rest(runtime.stopping, _CLOCK_SECONDS)


async def watch_silence(tx: Transaction) -> None:
    """Tell of each silence once, whichever process notices, and of its end."""
    accounts = AccountStore(tx)
    feeds = await FeedStore(tx).list_all()
    figures = await accounts.figures([feed.id for feed in feeds], tx.at)
    for feed in feeds:
        is_silent = feed.is_silent(figures[feed.id].last_message_at, tx.at)
        SILENT.labels(str(feed.id)).set(is_silent)
        if is_silent and await accounts.begin_silence(feed.id, tx.at):
            log.warning(
                "a feed is silent",
                extra={
                    "feed_id": feed.id,
                    "facility_id": feed.facility_id,
                    "seconds": int(feed.silence_after.total_seconds()),
                },
            )
        elif not is_silent and await accounts.end_silence(feed.id):
            log.info("a feed is heard again", extra={"feed_id": feed.id})


# The names are data: the durable consumers and the inbox remember them. Never rename one.
CONSUMERS = (
    Consumer("interop-outcomes", (ReportHandled,), follow_outcomes),
    Consumer("interop-facilities", (FacilityChanged,), follow_facilities),
)
JOBS = (Job("interop-watch", keep_watch),)
