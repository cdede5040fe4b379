"""What tasking does by itself: send letters, publish the protocols that came with CareHub, look after its promise."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from prometheus_client import Gauge

from libs.chassis.database import Transaction
from libs.chassis.faults import rest
from libs.mail.server import NotSent
from libs.process.app import Job, Runtime
from libs.process.gauges import Reading
from services.tasking.clients import Mail
from services.tasking.consumers.invariants import check_invariants, mend_owners
from services.tasking.consumers.planning import plan_patients
from services.tasking.domain.notification import MOST_TRIES, Letter, Sending, pause_after
from services.tasking.domain.promise import Rule
from services.tasking.domain.protocol import parse_protocol, shipped_protocols
from services.tasking.domain.publication import publish
from services.tasking.events import protocol_published
from services.tasking.store import CountStore, NotificationStore, ProtocolStore, RecordStore

log = logging.getLogger(__name__)

LETTERS_AT_ONCE, PATIENTS_AT_ONCE = 20, 100
LEASE = timedelta(minutes=2)
LOOK_FOR_LETTERS, LOOK_AFTER_PROMISE = 1.0, 60.0
BROKEN = Gauge(
    "carehub_tasking_broken_promises", "Loops and tasks without owner, clock or evidence.", ["rule"]
)

LOOPS = Gauge(
    "carehub_loops",
    "Open loops; overdue and escalated are among them as the console has it.",
    ["state"],
)


def jobs(mail: Mail) -> tuple[Job, ...]:
    async def send_letters(runtime: Runtime) -> None:
        if not mail.server.is_there:
            log.info("no mail server: escalations stay on the screen")
            return
        await _again_and_again(runtime, LOOK_FOR_LETTERS, lambda: send_due(runtime, mail))

    return (
        Job("tasking-protocols", publish_shipped),
        Job("tasking-letters", send_letters),
        Job("tasking-promise", look_after_promise),
    )


async def loop_gauges(tx: Transaction) -> list[Reading]:
    """How much of the promise is open, and how much of it is late. Of the network; nobody's in particular."""
    counts = await CountStore(tx).loops(tx.at)
    return [
        (LOOPS, ("open",), counts.open),
        (LOOPS, ("overdue",), counts.overdue),
        (LOOPS, ("escalated",), counts.escalated),
    ]


async def send_due(runtime: Runtime, mail: Mail) -> None:
    """Send what is due. Each letter is leased before it is sent, so a crash sends it late or twice, never not at all."""
    is_more = True
    while is_more and not runtime.stopping.is_set():
        now = runtime.now()
        async with runtime.database.system() as tx:
            letters = await NotificationStore(tx).take(now, now + LEASE, LETTERS_AT_ONCE)
        for letter in letters:
            await _send(runtime, mail, letter)
        is_more = len(letters) == LETTERS_AT_ONCE


async def _send(runtime: Runtime, mail: Mail, letter: Letter) -> None:
    outcome = await _outcome(mail, letter)
    async with runtime.database.system() as tx:
        store, now = NotificationStore(tx), runtime.now()
        match outcome:
            case Sending.SENT:
                await store.sent(letter.id, now)
            case Sending.AGAIN:
                await store.again(letter.id, now + pause_after(letter.tries))
            case Sending.NEVER:
                await store.give_up(letter.id)


async def _outcome(mail: Mail, letter: Letter) -> Sending:
    if letter.is_moot:
        return Sending.NEVER
    known = {"notification_id": letter.id, "attempts": letter.tries}
    if not letter.email:
        log.warning("nowhere to send a letter", extra=known)
        return Sending.NEVER
    try:
        await mail.send(letter)
    except NotSent as error:
        log.warning("not sent", extra={**known, "reason": str(error)})
        return Sending.AGAIN if letter.tries < MOST_TRIES else Sending.NEVER
    return Sending.SENT


async def publish_shipped(runtime: Runtime) -> None:
    """Publish the protocols that came with CareHub where their text is not the one that came last time."""
    for text in shipped_protocols():
        async with runtime.database.system() as tx:
            store, key = ProtocolStore(tx), parse_protocol(text).key
            await store.lock(key)
            shipped = await store.newest_shipped(key)
            if shipped is not None and shipped.text == text:
                continue
            published = publish(text, await store.find(key), by=None, at=runtime.now())
            await store.add(published)
            await protocol_published(tx, published)
            log.info("published", extra={"protocol": key, "revision": published.version})
    await _plan_waiting(runtime)


async def _plan_waiting(runtime: Runtime) -> None:
    """Plan the encounters that came before any protocol did, a few patients at a time."""
    async with runtime.database.system() as tx:
        waiting = await RecordStore(tx).waiting_at(None)
    for start in range(0, len(waiting), PATIENTS_AT_ONCE):
        some = waiting[start : start + PATIENTS_AT_ONCE]
        async with runtime.database.system() as tx:
            await RecordStore(tx).lock_patients(some)
            await plan_patients(tx, some)


async def look_after_promise(runtime: Runtime) -> None:
    await _again_and_again(runtime, LOOK_AFTER_PROMISE, lambda: count_broken(runtime))


async def count_broken(runtime: Runtime) -> None:
    """Mend what can be mended, count what breaks the promise all the same, and name it by its id."""
    async with runtime.database.system() as tx:
        await mend_owners(tx)
    async with runtime.database.system() as tx:
        violations = await check_invariants(tx)
    for rule in Rule:
        BROKEN.labels(rule).set(sum(1 for each in violations if each.rule is rule))
    for each in violations:
        log.error("broken promise", extra={"violation": each.rule, "subject": each.id})


async def _again_and_again(
    runtime: Runtime, pause: float, work: Callable[[], Awaitable[None]]
) -> None:
    while not runtime.stopping.is_set():
        await work()
        await rest(runtime.stopping, pause)
