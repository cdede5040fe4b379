"""Publish what the outbox holds: at least once and in order, whatever becomes of the stream.

One relay leads per database. It publishes what is not marked as published, and marks it together with the stream's
incarnation and sequence; where the stream turns out to be another one, or shorter, what it lost is published again.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import nats.errors
from nats.js.api import PubAck
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Database, Session, every_field, fields_except, param, sql
from libs.chassis.faults import backoff, rest
from libs.conveyor.crashpoints import crashpoint
from libs.conveyor.forgetting import forget
from libs.conveyor.headers import EPOCH, FACILITY, KEY, MESSAGE_ID, VERSION
from libs.conveyor.leading import Seat, take_turns
from libs.conveyor.outbox import outbox
from libs.conveyor.restores import ORIGINAL, STANDING, Standing
from libs.conveyor.streams import ANSWER_WITHIN, Conveyor, ensure_stream, make_room
from libs.telemetry.metrics import OUTBOX_AGE, PUBLISHED

log = logging.getLogger(__name__)

POLL = 0.05
BATCH = 500
# After publishing, so that under load a batch is worth its round trips; what comes after a quiet moment goes at once.
GATHER = 0.02
CHUNK = 5000
VERIFY_EVERY = 5.0
CLEAN_EVERY = 3600.0
LEADER = 7303015

stream_marks = Table(
    "stream_marks",
    MetaData(),
    Column("stream", Text, primary_key=True),
    Column("incarnation", Text),
    Column("sequence", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event that is not published, or not known to be."""

    position: int
    id: UUID
    subject: str
    key: str
    version: int
    facility_id: UUID | None
    payload: bytes
    headers: dict[str, str]
    created_at: datetime

    def nats_headers(self, standing: Standing = ORIGINAL) -> dict[str, str]:
        """What travels beside the payload: ids, never health data."""
        facility = {FACILITY: str(self.facility_id)} if self.facility_id else {}
        return {
            **self.headers,
            **facility,
            MESSAGE_ID: standing.broker_id(self.id),
            EPOCH: str(standing.epoch),
            KEY: self.key,
            VERSION: str(self.version + standing.lift),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a stream is known to have come."""

    incarnation: str
    sequence: int


_o = outbox.c
_waiting = _o.published_at.is_(None)
# Never "position greater than the last one seen": a slower transaction with a lower one would be lost.
WAITING = sql(
    select(*(c for c in _o if c.name in Waiting.__annotations__))
    .where(_waiting)
    .order_by(_o.position)
    .limit(BATCH),
    row=Waiting,
)
GET_MARK = sql(
    select(stream_marks.c.incarnation, stream_marks.c.sequence).where(
        stream_marks.c.stream == param("stream")
    ),
    row=Mark,
)
_new_mark = insert(stream_marks).values(every_field(stream_marks))
_put_mark = _new_mark.on_conflict_do_update(
    index_elements=["stream"],
    set_={c: _new_mark.excluded[c.name] for c in fields_except(stream_marks, "stream")},
)
SET_MARK = sql(_put_mark)
_acked = (
    func.unnest(
        param("positions", type_=ARRAY(BigInteger)), param("sequences", type_=ARRAY(BigInteger))
    )
    .table_valued("position", "sequence")
    .render_derived(name="acked")
)
_marked = (
    update(outbox)
    .where(_o.position == _acked.c.position)
    .values(
        published_at=param("at", type_=DateTime(timezone=True)),
        incarnation=param("incarnation", type_=Text),
        sequence=_acked.c.sequence,
    )
    .cte("marked")
)
RECORD = sql(_put_mark.add_cte(_marked))
_lost = (
    select(_o.position)
    .where(
        _o.position > param("start", type_=BigInteger),
        _o.published_at.is_not(None),
        or_(
            _o.incarnation != param("incarnation", type_=Text),
            _o.sequence > param("sequence", type_=BigInteger),
        ),
    )
    .order_by(_o.position)
    .limit(CHUNK)
)
AGAIN = sql(
    update(outbox)
    .where(_o.position.in_(_lost.scalar_subquery()))
    .values(published_at=null(), incarnation=null(), sequence=null())
    .returning(_o.position)
)


async def run_relay(
    service: str,
    database: Database,
    conveyor: Conveyor,
    wake: asyncio.Event,
    stopping: asyncio.Event,
) -> None:
    """Publish the events of one database for as long as the process works; wait while another relay does so."""

    async def lead(connection: Session) -> None:
        await connection.execute("SET statement_timeout = '30s'")
        await _Relay(service, database, conveyor, connection).lead(wake, stopping)

    def follow() -> None:
        """Another process publishes by now, and says how long the oldest event has waited."""
        OUTBOX_AGE.labels(service).set(0.0)

    seat = Seat(service, LEADER, "the relay begins again")
    await take_turns(seat, database, lead, stopping, follow=follow)


class _Relay:
    """The leader of one database."""

    def __init__(
        self,
        service: str,
        database: Database,
        conveyor: Conveyor,
        connection: Session,
    ) -> None:
        self._service = service
        self._database = database
        self._conveyor = conveyor
        self._connection = connection
        self._mark = Mark(incarnation="", sequence=0)
        self._standing = ORIGINAL
        self._generation = -1
        self._verify_at = 0.0
        self._clean_at = 0.0

    async def lead(self, wake: asyncio.Event, stopping: asyncio.Event) -> None:
        """Publish until the end. Raises where it is no longer sure of being the leader, or of the stream."""
        # Once: nothing is restored while somebody leads.
        self._standing = await self._database.statements(self._connection).one(STANDING)
        while await self._conveyor.wait_until_connected(stopping):
            await self._look_after()
            wake.clear()
            if waiting := await self._waiting():
                await rest(stopping, GATHER if await self._publish(waiting) else backoff(3))
            else:
                await rest(wake, POLL)

    async def _look_after(self) -> None:
        now = time.monotonic()
        if now >= self._verify_at or self._conveyor.generation != self._generation:
            generation = self._conveyor.generation
            await self._verify()
            self._generation, self._verify_at = generation, now + VERIFY_EVERY
        if now >= self._clean_at:
            await forget(self._database)
            self._clean_at = now + CLEAN_EVERY

    async def _verify(self) -> None:
        """Compare the stream with what was published to it, and take back what it lost."""
        state = await ensure_stream(self._conveyor, self._service)
        if state.is_nearly_full:
            await make_room(self._conveyor, self._service)
        async with self._database.system() as tx:
            mark = await tx.one_or_none(GET_MARK, stream=self._service)
        if mark is None:
            self._mark = Mark(incarnation=state.incarnation, sequence=0)
        elif mark.incarnation != state.incarnation:
            await self._take_back(Mark(incarnation=state.incarnation, sequence=0))
        elif mark.sequence > state.last_sequence:
            await self._take_back(Mark(incarnation=state.incarnation, sequence=state.last_sequence))
        else:
            self._mark = mark

    async def _take_back(self, mark: Mark) -> None:
        """Everything behind `mark` waits again. The mark is moved last, so that a crash begins anew."""
        start, count = 0, 0
        while True:
            async with self._database.system() as tx:
                positions = await tx.fetch(AGAIN, mark, start=start)
            count += len(positions)
            if len(positions) < CHUNK:
                break
            start = max(positions)
        async with self._database.system() as tx:
            await tx.run(SET_MARK, mark, stream=self._service)
        self._mark = mark
        log.error(
            "the stream has lost events; they are published again",
            extra={"stream": self._service, "sequence": mark.sequence, "count": count},
        )

    async def _waiting(self) -> list[Waiting]:
        """A batch; asked on the connection that holds the lock: who cannot ask is no longer the leader."""
        alone = self._database.statements(self._connection)
        waiting = await alone.fetch(WAITING)
        age = (alone.at - waiting[0].created_at).total_seconds() if waiting else 0.0
        OUTBOX_AGE.labels(self._service).set(age)
        return waiting

    async def _publish(self, waiting: Sequence[Waiting]) -> bool:
        """Publish a batch. False if nothing of it is known to have arrived."""
        crashpoint("relay.before_publish")
        sent = [await self._send(event) for event in waiting]
        await asyncio.wait(sent, timeout=ANSWER_WITHIN)
        crashpoint("relay.after_publish")
        acked, failures = _sort_out(waiting, sent)
        if failures:
            self._complain(failures)
        if not acked:
            return False
        lowest = min(ack.seq for _, ack in acked)
        if lowest <= self._mark.sequence:
            # It has lost its end, or was made anew, and grew again before anybody looked.
            await self._verify()
            if lowest <= self._mark.sequence:
                await self._take_back(Mark(incarnation=self._mark.incarnation, sequence=lowest - 1))
            return True
        await self._record(acked)
        return True

    async def _send(self, event: Waiting) -> asyncio.Future[PubAck]:
        try:
            return await self._conveyor.js.publish_async(
                event.subject,
                self._standing.lifted(event.subject, event.payload),
                stream=self._service,
                headers=event.nats_headers(self._standing),
            )
        except nats.errors.Error as error:
            refused: asyncio.Future[PubAck] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    def _complain(self, failures: Sequence[BaseException]) -> None:
        first = failures[0]
        log.warning(
            "events could not be published",
            extra={
                "service": self._service,
                "reason": type(first).__name__,
                "count": len(failures),
            },
        )
        self._verify_at = 0.0

    async def _record(self, acked: Sequence[tuple[Waiting, PubAck]]) -> None:
        crashpoint("relay.before_mark")
        mark = Mark(incarnation=self._mark.incarnation, sequence=max(ack.seq for _, ack in acked))
        alone = self._database.statements(self._connection)
        await alone.run(
            RECORD,
            mark,
            stream=self._service,
            at=alone.at,
            positions=[event.position for event, _ in acked],
            sequences=[ack.seq for _, ack in acked],
        )
        crashpoint("relay.after_mark")
        self._mark = mark
        PUBLISHED.labels(self._service).inc(len(acked))


def _sort_out(
    waiting: Sequence[Waiting], sent: Sequence[asyncio.Future[PubAck]]
) -> tuple[list[tuple[Waiting, PubAck]], list[BaseException]]:
    acked: list[tuple[Waiting, PubAck]] = []
    failures: list[BaseException] = []
    for event, answer in zip(waiting, sent, strict=True):
        if not answer.done():
            answer.cancel()
            failures.append(TimeoutError())
        elif error := answer.exception():
            failures.append(error)
        else:
            acked.append((event, answer.result()))
    return acked, failures
