"""What interop does when the others tell it something, and by the clock."""

import logging
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from carehub.identity.v1.identity_events_pb2 import FacilityChanged, StaffChanged
from carehub.registry.v1.registry_events_pb2 import ReportHandled
from prometheus_client import Gauge

from libs.chassis.database import Database, Transaction
from libs.chassis.faults import rest
from libs.conveyor.inbox import AT_LEISURE, Consumer, Delivery, Unprocessable
from libs.mail.server import NotSent
from libs.process.app import Job, Runtime
from libs.process.gauges import Reading
from services.interop.clients import Mail
from services.interop.convert import to_person
from services.interop.domain.feed import Feed
from services.interop.domain.message import MessageState, Outcome
from services.interop.domain.silence import MOST_TRIES, Notice, pause_after, to_be_told
from services.interop.store.feeds import AccountStore, Facility, FeedStore
from services.interop.store.messages import MessageStore
from services.interop.store.silences import SilenceStore

log = logging.getLogger(__name__)

_CLOCK_SECONDS = 60.0
_LETTER_SECONDS = 15.0
_LEASE = timedelta(minutes=5)
LAST = Gauge("carehub_feed_last_seconds", "Age of a feed's last message.", ["feed_id"])
SILENT = Gauge("carehub_feed_silent", "1 while a feed is silent for too long.", ["feed_id"])
SILENT_NOW = Gauge("carehub_feeds_silent", "Feeds that are silent for too long.")
SILENT_NOW.set(math.nan)  # until somebody has looked; where there is no feed, none is

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


async def follow_people(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Who may have to be told that a feed is silent."""
    changed = [
        to_person(delivery.event.staff_member, delivery.event.version)
        for delivery in deliveries
        if isinstance(delivery.event, StaffChanged)
    ]
    await SilenceStore(tx).keep_people(changed)


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
    silences = SilenceStore(tx)
    feeds = await FeedStore(tx).list_all()
    figures = await AccountStore(tx).figures([feed.id for feed in feeds], tx.at)
    count = 0
    for feed in feeds:
        is_silent = feed.is_silent(figures[feed.id].last_message_at, tx.at)
        sounds = is_silent and not feed.is_muted(tx.at)
        count += sounds
        SILENT.labels(str(feed.id)).set(sounds)
        if sounds and await silences.begin(feed.id, tx.at):
            await _tell_of_silence(silences, feed, tx.at)
        elif not is_silent and await silences.end(feed.id):
            log.info("a feed is heard again", extra={"feed_id": feed.id})
    SILENT_NOW.set(count)


async def _tell_of_silence(silences: SilenceStore, feed: Feed, at: datetime) -> None:
    told = to_be_told(await silences.people(), feed.facility_id)
    await silences.add_notices(
        [
            Notice(
                feed_id=feed.id,
                began_at=at,
                staff_id=person.id,
                staff_name=person.display_name,
                email=person.email,
                next_try_at=at,
            )
            for person in told
        ]
    )
    log.warning(
        "a feed is silent",
        extra={
            "feed_id": feed.id,
            "facility_id": feed.facility_id,
            "seconds": int(feed.silence_after.total_seconds()),
            "told": len(told),
        },
    )


async def feed_gauges(tx: Transaction) -> list[Reading]:
    """For how long each feed has not been heard that should be."""
    heard = await AccountStore(tx).heard()
    return [(LAST, (str(one.id),), max(0.0, (tx.at - one.at).total_seconds())) for one in heard]


async def send_letters(runtime: Runtime, mail: Mail) -> None:
    """Every 15 seconds: the letters about silences that are due, outside of any transaction."""
    while not runtime.stopping.is_set():
        await send_due(runtime.database, mail, runtime.now)
        await rest(runtime.stopping, _LETTER_SECONDS)


async def send_due(database: Database, mail: Mail, now: Callable[[], datetime]) -> None:
    async with database.system() as tx:
        letters = await SilenceStore(tx).take(now(), now() + _LEASE)
    for letter in letters:
        sent_at, again_at = None, None
        try:
            await mail.send(letter)
            sent_at = now()
        except NotSent as error:
            log.warning("not sent", extra={"feed_id": letter.feed_id, "reason": str(error)})
            again_at = now() + pause_after(letter.tries) if letter.tries < MOST_TRIES else None
        async with database.system() as tx:
            await SilenceStore(tx).settle(letter, sent_at=sent_at, again_at=again_at)


# The names are data: the durable consumers and the inbox remember them. Never rename one.
CONSUMERS = (
    Consumer("interop-outcomes", (ReportHandled,), follow_outcomes, gather=AT_LEISURE),
    Consumer("interop-facilities", (FacilityChanged,), follow_facilities),
    Consumer("interop-people", (StaffChanged,), follow_people),
)


def jobs(mail: Mail) -> tuple[Job, ...]:
    """Letters go out where a mail server is known; the screen tells of a silence all the same."""
    watch = Job("interop-watch", keep_watch)
    if not mail.server.is_there:
        return (watch,)
    return (watch, Job("interop-letters", lambda runtime: send_letters(runtime, mail)))
