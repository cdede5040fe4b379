"""Handle each event once: batches, the inbox, and what becomes of a message that cannot be handled.

An inbox row commits together with the changes, and only then is the message acknowledged; so a message that comes
again, for whatever reason, finds its row and does nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from prometheus_client import Gauge
from sqlalchemy import ARRAY, Column, DateTime, MetaData, Table, Text, Uuid, func, select
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Database, Transaction, param, sql
from libs.chassis.faults import backoff, is_weather, rest, whereabouts, within
from libs.conveyor import parked
from libs.conveyor.crashpoints import crashpoint
from libs.conveyor.headers import EPOCH, FACILITY, KEY, MESSAGE_ID, VERSION
from libs.conveyor.restores import STANDING, epoch_in, id_in
from libs.conveyor.streams import Conveyor, Pull, Silence, in_work, pull_from, stream_of
from libs.telemetry import tracing
from libs.telemetry.arrivals import because_of
from libs.telemetry.metrics import HANDLED, PARKED, SILENT

log = logging.getLogger(__name__)

PENDING = Gauge("carehub_inbox_pending", "Events that wait on the stream.", ["consumer"])

BATCH = 256
# Seconds in which a consumer gathers what nobody waits for: a batch costs little more than one event does. Such consumers
# of a process take turns: whatever somebody waits for shares the processor with one of them, and not with all.
AT_LEISURE = 0.25
ATTEMPTS = 8
# What was in work when a process died comes again after this time; being at work renews it.
ACK_WAIT = 10.0
LONGEST = 60.0
_RECONNECT_AFTER = 3

inbox = Table(
    "inbox",
    MetaData(),
    Column("consumer", Text, primary_key=True),
    Column("message_id", Uuid, primary_key=True),
    Column("handled_at", DateTime(timezone=True)),
)
_claimed = select(
    param("consumer", type_=Text),
    func.unnest(param("ids", type_=ARRAY(Uuid))),
    param("at", type_=DateTime(timezone=True)),
)
CLAIM = sql(
    insert(inbox)
    .from_select(["consumer", "message_id", "handled_at"], _claimed)
    .on_conflict_do_nothing()
    .returning(inbox.c.message_id)
)


class Unprocessable(Exception):
    """The content of a message is wrong, so that trying again is useless: it is parked at once.

    `reason` is to switch on, `message` to read; neither holds health data.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that has arrived."""

    id: UUID
    event: Message
    key: str
    version: int
    facility_id: UUID | None


@dataclass(frozen=True, slots=True)
class Consumer:
    """What one service does about some events of one other.

    `name` is data, never to be changed: the broker and the inbox remember it. `handle` gets batches, in a system
    transaction, sorted by key; with `newest_only`, of each type and key only the highest version in the batch. It can
    run twice (the first time was rolled back), and versions can be skipped or come late: write "if newer", and decide
    on the difference between what was known and what is told. `parked` is told, in the same transaction, of a message
    that is set aside, with the reason: for who must answer for every message.
    """

    name: str
    events: tuple[type[Message], ...]
    handle: Callable[[Transaction, Sequence[Delivery]], Awaitable[None]]
    newest_only: bool = True
    parked: Callable[[Transaction, Delivery, str], Awaitable[None]] | None = None
    gather: float = 0.0  # seconds
    types: Mapping[str, type[Message]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        types = {event.DESCRIPTOR.full_name: event for event in self.events}
        if len({stream_of(subject) for subject in types}) != 1:
            raise ValueError(f"{self.name} must listen to events of exactly one service")
        object.__setattr__(self, "types", types)

    def read(self, id: UUID, subject: str, payload: bytes, headers: Mapping[str, str]) -> Delivery:
        """Read an event. Raises Unprocessable if it cannot be read."""
        try:
            facility = headers.get(FACILITY)
            return Delivery(
                id=id,
                event=self.types[subject].FromString(payload),
                key=headers[KEY],
                version=int(headers[VERSION]),
                facility_id=UUID(facility) if facility else None,
            )
        except (DecodeError, KeyError, ValueError) as error:
            raise Unprocessable(
                "UNREADABLE", f"The event cannot be read ({type(error).__name__})."
            ) from error

    def in_order(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """What the handler gets of a batch: sorted by key, so that two batches never wait for each other in a ring."""
        if not self.newest_only:
            return sorted(deliveries, key=_by_key)
        newest: dict[tuple[str, str], Delivery] = {}
        for delivery in deliveries:
            slot = (delivery.event.DESCRIPTOR.full_name, delivery.key)
            if slot not in newest or delivery.version >= newest[slot].version:
                newest[slot] = delivery
        return sorted(newest.values(), key=_by_key)


def _by_key(delivery: Delivery) -> str:
    return delivery.key


async def run_consumer(
    service: str,
    consumer: Consumer,
    database: Database,
    conveyor: Conveyor,
    stopping: asyncio.Event,
    *,
    ack_wait: float = ACK_WAIT,
) -> None:
    """Handle what arrives for as long as the process works. Losing the broker or the database only makes it wait."""
    turn = conveyor.leisure if consumer.gather >= AT_LEISURE else contextlib.nullcontext()
    intake = _Intake(consumer, database, stopping, ack_wait, turn)
    silent = SILENT.labels(consumer.name)
    failures = silences = 0
    while await conveyor.wait_until_connected(stopping):
        try:
            await intake.begin()
            async with pull_from(conveyor, consumer.name, list(consumer.types), ack_wait) as pull:
                unwatch = asyncio.create_task(_interrupt(pull, stopping))
                try:
                    while not stopping.is_set():
                        messages = await pull.next_batch(BATCH, consumer.gather)
                        failures = silences = 0
                        await intake.take(messages)
                finally:
                    unwatch.cancel()
        except Exception as error:  # noqa: BLE001 a consumer outlives everything but its process
            if stopping.is_set():
                return
            failures += 1
            if isinstance(error, Silence):
                silent.inc()
                silences += 1
            log.warning(
                "the consumer listens anew",
                extra={"consumer": consumer.name, "reason": whereabouts(error)},
            )
            if silences == _RECONNECT_AFTER:
                silences = 0
                await conveyor.reconnect()
            await rest(stopping, backoff(min(failures, 6)))


async def _interrupt(pull: Pull, stopping: asyncio.Event) -> None:
    await stopping.wait()
    pull.interrupt()


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message with what was read of it; `fault` if it could not be read."""

    message: Msg
    id: UUID
    deliveries: int
    delivery: Delivery | None
    fault: Unprocessable | None = None


def _about_one(arrivals: Sequence[_Arrival]) -> dict[str, str]:
    """Of a single event its type and its id, for its span."""
    if len(arrivals) > 1:
        return {}
    return {
        "carehub.event": arrivals[0].message.subject,
        "carehub.message_id": str(arrivals[0].id),
    }


class _Intake:
    """Works off what one consumer is given."""

    def __init__(
        self,
        consumer: Consumer,
        database: Database,
        stopping: asyncio.Event,
        ack_wait: float,
        turn: AbstractAsyncContextManager[None],
    ) -> None:
        self._consumer = consumer
        self._database = database
        self._stopping = stopping
        self._ack_wait = ack_wait
        self._turn = turn
        self._epoch = 0

    async def begin(self) -> None:
        """Learn the epoch. Nothing is restored while anybody works."""
        async with self._database.system() as tx:
            self._epoch = (await tx.one(STANDING)).epoch

    async def take(self, messages: Sequence[Msg]) -> None:
        """Settle messages: each is acknowledged, or given back for later.

        Those that have failed before form a batch of their own, so that they spoil nobody else's.
        """
        PENDING.labels(self._consumer.name).set(
            messages[-1].metadata.num_pending if messages else 0
        )
        arrivals = [self._read(message) for message in await self._of_our_time(messages)]
        sound = [a for a in arrivals if a.delivery and a.deliveries <= ATTEMPTS]
        async with in_work(messages, self._ack_wait):
            await self._settle_batch([a for a in sound if a.deliveries == 1])
            await self._settle_batch([a for a in sound if a.deliveries > 1])
            for arrival in arrivals:
                if arrival.fault:
                    await self._settle(arrival, arrival.fault)
                elif arrival.deliveries > ATTEMPTS:
                    await self._settle_suspect(arrival)

    async def _of_our_time(self, messages: Sequence[Msg]) -> list[Msg]:
        """Without what was told before a backup was restored: what is still true of it is told again."""
        ours = list[Msg]()
        for message in messages:
            epoch = epoch_in((message.headers or {}).get(EPOCH))
            if epoch is None or epoch >= self._epoch:
                ours.append(message)
            else:
                await message.ack()
                HANDLED.labels(self._consumer.name, "outdated").inc()
        return ours

    def _read(self, message: Msg) -> _Arrival:
        headers = message.headers or {}
        about = message.metadata
        try:
            id = id_in(headers[MESSAGE_ID])
        except (KeyError, ValueError):
            id = uuid5(NAMESPACE_OID, f"{about.stream} {about.timestamp} {about.sequence.stream}")
        try:
            delivery = self._consumer.read(id, message.subject, message.data, headers)
        except Unprocessable as fault:
            return _Arrival(message, id, about.num_delivered, None, fault)
        return _Arrival(message, id, about.num_delivered, delivery)

    async def _settle_batch(self, arrivals: Sequence[_Arrival]) -> None:
        error = await self._attempt(arrivals) if arrivals else None
        if error is None:
            await self._acknowledge(arrivals, "handled")
        elif len(arrivals) == 1:
            await self._settle(arrivals[0], error)
        else:
            for arrival in arrivals:
                await self._settle(arrival, await self._attempt([arrival]))

    async def _settle(self, arrival: _Arrival, error: Exception | None) -> None:
        """Acknowledge what was handled, park what never will be, give the rest back for later."""
        if error is None:
            await self._acknowledge([arrival], "handled")
        elif is_weather(error):
            await arrival.message.nak()
        elif isinstance(error, Unprocessable) or arrival.deliveries >= ATTEMPTS:
            await self._park(arrival, error)
        else:
            HANDLED.labels(self._consumer.name, "failed").inc()
            log.warning(
                "an event failed", extra=self._about(arrival) | {"reason": whereabouts(error)}
            )
            await arrival.message.nak(backoff(arrival.deliveries))

    async def _settle_suspect(self, arrival: _Arrival) -> None:
        """Perhaps the process died of it each time. So it is set aside before it is tried, alone.

        If the process dies once more, it stays aside; those that were only in its company are handled.
        """
        fault = Unprocessable("PROCESS_DIED", "The process died of it.")
        async with self._database.system() as tx:
            is_tried_first = await parked.add(tx, self._entry(arrival, fault, tx.at))
        if is_tried_first:
            await self._settle(arrival, await self._attempt([arrival], unpark=True))
        else:
            await self._park(arrival, fault)

    async def _attempt(
        self, arrivals: Sequence[_Arrival], *, unpark: bool = False
    ) -> Exception | None:
        """Handle a batch in one transaction. Bad weather is waited out here and counts for nothing."""
        tries = 0
        while True:
            try:
                await self._handle([a.delivery for a in arrivals if a.delivery], arrivals, unpark)
            except Exception as error:  # noqa: BLE001 whatever it is, somebody else's message must not suffer
                if not is_weather(error) or self._stopping.is_set():
                    return error
                tries += 1
                log.warning(
                    "waiting for the database",
                    extra={"consumer": self._consumer.name, "reason": whereabouts(error)},
                )
                await rest(self._stopping, backoff(tries, most=5.0))
            else:
                return None

    async def _handle(
        self, deliveries: Sequence[Delivery], arrivals: Sequence[_Arrival], unpark: bool
    ) -> None:
        headers = [arrival.message.headers or {} for arrival in arrivals]
        told = {"carehub.events": len(arrivals)} | _about_one(arrivals)
        with because_of(headers), tracing.batch(self._consumer.name, headers, **told):
            async with self._turn, within(LONGEST), self._database.system() as tx:
                new = await self._claim(tx, [d.id for d in deliveries])
                # A dictionary, since one batch can bring the same message twice.
                fresh = {d.id: d for d in deliveries if d.id in new}
                if fresh:
                    await self._consumer.handle(tx, self._consumer.in_order(fresh.values()))
                if unpark:
                    await parked.remove(tx, self._consumer.name, arrivals[0].id)
                crashpoint("consumer.before_commit")
        crashpoint("consumer.after_commit")

    async def _claim(self, tx: Transaction, ids: Sequence[UUID]) -> set[UUID]:
        """Write the inbox rows; those that were not there yet. Sorted, so that two claims never form a ring."""
        return set(
            await tx.fetch(CLAIM, consumer=self._consumer.name, ids=sorted(set(ids)), at=tx.at)
        )

    async def _park(self, arrival: _Arrival, error: Exception) -> None:
        """Set a message aside, unless it was handled or decided upon before."""
        async with self._database.system() as tx:
            entry = self._entry(arrival, error, tx.at)
            is_new = await self._claim(tx, [arrival.id])
            if is_new:
                await parked.add(tx, entry, replace=True)
                if self._consumer.parked and arrival.delivery:
                    await self._consumer.parked(tx, arrival.delivery, entry.reason)
        if is_new:
            PARKED.labels(self._consumer.name, entry.reason).inc()
            log.error("an event was parked", extra=self._about(arrival) | {"reason": entry.reason})
        await self._acknowledge([arrival], "parked")

    def _entry(self, arrival: _Arrival, error: Exception, at: datetime) -> parked.Parked:
        reason, message = "FAILED_TOO_OFTEN", whereabouts(error)
        if isinstance(error, Unprocessable):
            reason, message = error.reason, error.message
        fault = parked.Fault(reason, message, arrival.deliveries)
        return parked.entry(self._consumer.name, arrival.id, arrival.message, fault, at)

    async def _acknowledge(self, arrivals: Sequence[_Arrival], outcome: str) -> None:
        crashpoint("consumer.before_ack")
        for arrival in arrivals:
            await arrival.message.ack()
        HANDLED.labels(self._consumer.name, outcome).inc(len(arrivals))

    def _about(self, arrival: _Arrival) -> dict[str, object]:
        return {
            "consumer": self._consumer.name,
            "message_id": arrival.id,
            "subject": arrival.message.subject,
            "attempts": arrival.deliveries,
        }
