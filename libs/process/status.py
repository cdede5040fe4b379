"""How a service is: what its tables count, and the heartbeats of its processes. Nothing in it tells of a patient."""

import asyncio
import logging
import os
import socket
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import version

from sqlalchemy import Column, DateTime, MetaData, Table, Text, column, delete, func, select, table
from sqlalchemy.dialects.postgresql import JSONB, insert

from libs.chassis import ids
from libs.chassis.database import (
    Database,
    Statement,
    Transaction,
    every_field,
    fields_except,
    param,
    sql,
)
from libs.chassis.faults import rest, whereabouts
from libs.conveyor.inbox import PENDING, Consumer, inbox
from libs.conveyor.streams import BROKER_REFUSES, Conveyor, stream_of, waiting_for
from libs.conveyor.timers import timers
from libs.telemetry.figures import Recent, Shown, Told

log = logging.getLogger(__name__)

BEAT = 10.0
ALIVE = timedelta(seconds=30)
FORGOTTEN = timedelta(hours=1)
RECENTLY = timedelta(hours=1)
VERSION = version("carehub")
_ASK_WITHIN = 2.0

heartbeats = Table(
    "heartbeats",
    MetaData(),
    Column("process", Text, primary_key=True),
    Column("role", Text),
    Column("started_at", DateTime(timezone=True)),
    Column("seen_at", DateTime(timezone=True)),
    Column("consumer_lag", JSONB),
    Column("figures", JSONB),
)


class Role(StrEnum):
    """What a process does: answer whoever asks from outside, work off events and timers, or both."""

    SERVE = "serve"
    WORK = "work"
    ALL = "all"

    @property
    def answers(self) -> bool:
        return self is not Role.WORK

    @property
    def works(self) -> bool:
        return self is not Role.SERVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Events of one consumer: not given to it yet, and given but not settled."""

    waiting: int
    in_work: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A sign of life of one process: kept by the machine's clock, since whoever moves the hub's ends nobody's life."""

    process: str
    role: Role
    started_at: datetime
    seen_at: datetime
    consumer_lag: dict[str, Lag]
    figures: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCounts:
    """Events on their way out."""

    waiting: int
    oldest_at: datetime | None
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedCounts:
    """What one consumer set aside for one reason."""

    consumer: str
    reason: str
    waiting: int
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerCounts:
    """Timers that are set, those that are due, and since when the first of these is."""

    waiting: int
    late: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCounts:
    """The chain that seals the audit ledger: how long it is, what waits for it, and how far a signed head vouches for it."""

    sealed: int
    oldest_at: datetime | None
    head_sequence: int
    head_at: datetime | None
    overflows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What one consumer has done."""

    consumer: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The database itself."""

    chassis: str
    service: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it, at one moment."""

    at: datetime
    about: About
    outbox: OutboxCounts
    timers: TimerCounts
    handled: Mapping[str, int]
    parked: Mapping[str, Sequence[ParkedCounts]]
    heartbeats: Sequence[Heartbeat]
    ledger: LedgerCounts

    def is_alive(self, heartbeat: Heartbeat) -> bool:
        return self.at - heartbeat.seen_at <= ALIVE

    @property
    def lag(self) -> dict[str, Lag]:
        """Of each consumer, what the newest living process tells."""
        alive = [heartbeat for heartbeat in self.heartbeats if self.is_alive(heartbeat)]
        oldest_first = sorted(alive, key=lambda heartbeat: heartbeat.seen_at)
        return {name: lag for beat in oldest_first for name, lag in beat.consumer_lag.items()}

    @property
    def told(self) -> list[Told]:
        """What the metrics of each living process show."""
        return [beat.figures for beat in self.heartbeats if self.is_alive(beat)]

    @property
    def told_since(self) -> datetime:
        """Since when that was counted, by the process that has counted longest."""
        began = [beat.started_at for beat in self.heartbeats if self.is_alive(beat)]
        return max(self.at - RECENTLY, min(began, default=self.at))

    def age(self, since: datetime | None) -> int:
        return max(0, int((self.at - since).total_seconds())) if since else 0


_since = param("since", type_=DateTime(timezone=True))
_at = param("at", type_=DateTime(timezone=True))
_due = timers.c.due_at <= _at
_ABOUT = sql(
    select(
        select(column("version_num")).select_from(table("chassis_version")).label("chassis"),
        select(column("version_num")).select_from(table("service_version")).label("service"),
        func.pg_database_size(func.current_database()).label("bytes"),
    ),
    row=About,
)
_OUTBOX = sql(
    select(func.outbox_status(_since).table_valued("waiting", "oldest_at", "published")),
    row=OutboxCounts,
)
_PARKED = sql(
    select(func.parked_status().table_valued("consumer", "reason", "waiting", "newest_at")),
    row=ParkedCounts,
)
_TIMERS = sql(
    select(
        func.count().label("waiting"),
        func.count().filter(_due).label("late"),
        func.min(timers.c.due_at).filter(_due).label("oldest_at"),
    ).select_from(timers),
    row=TimerCounts,
)
_HANDLED = sql(
    select(inbox.c.consumer, func.count().label("count"))
    .where(inbox.c.handled_at > _since)
    .group_by(inbox.c.consumer),
    row=Handled,
)
_LEDGER = sql(
    select(
        func.audit_status().table_valued(
            "sealed", "oldest_at", "head_sequence", "head_at", "overflows"
        )
    ),
    row=LedgerCounts,
)
_HEARTBEATS = sql(
    select(heartbeats).order_by(heartbeats.c.role, heartbeats.c.process), row=Heartbeat
)
_new = insert(heartbeats).values(every_field(heartbeats))
_PUT = sql(
    _new.on_conflict_do_update(
        index_elements=["process"],
        set_={c: _new.excluded[c.name] for c in fields_except(heartbeats, "process")},
    )
)
_FORGET: Statement[None] = sql(delete(heartbeats).where(heartbeats.c.seen_at < param("before")))
_GONE: Statement[None] = sql(delete(heartbeats).where(heartbeats.c.process == param("process")))


async def status_of(tx: Transaction) -> Status:
    """Count. Works in a person's transaction: people may count what they may not read."""
    since = tx.at - RECENTLY
    parked = defaultdict(list)
    for counts in await tx.fetch(_PARKED):
        parked[counts.consumer].append(counts)
    return Status(
        at=tx.at,
        about=await tx.one(_ABOUT),
        outbox=await tx.one(_OUTBOX, since=since),
        timers=await tx.one(_TIMERS, at=tx.at),
        handled={row.consumer: row.count for row in await tx.fetch(_HANDLED, since=since)},
        parked=parked,
        heartbeats=[
            replace(beat, seen_at=ids.from_machine(beat.seen_at))
            for beat in await tx.fetch(_HEARTBEATS)
        ],
        ledger=await tx.one(_LEDGER),
    )


async def run_heartbeat(
    role: Role,
    consumers: Sequence[Consumer],
    shown: Sequence[Shown],
    database: Database,
    conveyor: Conveyor | None,
    stopping: asyncio.Event,
) -> None:
    """Say every few seconds that this process is there, how far behind its consumers are, and what its metrics show; at
    the end, take leave.
    """
    recent = Recent(shown, time.monotonic())
    process = f"{socket.gethostname()}-{os.getpid()}"
    started_at: datetime | None = None
    while not stopping.is_set():
        try:
            lag = await _lag(consumers, conveyor) if conveyor else {}
            async with database.system() as tx:
                started_at = started_at or tx.at
                beat = Heartbeat(
                    process=process,
                    role=role,
                    started_at=started_at,
                    seen_at=ids.to_machine(tx.at),
                    consumer_lag=lag,
                    figures=recent.told(time.monotonic()),
                )
                await tx.run(_PUT, beat)
                await tx.run(_FORGET, before=ids.to_machine(tx.at) - FORGOTTEN)
        except Exception as error:  # noqa: BLE001 who cannot say so is not seen, which says it
            log.warning("no heartbeat", extra={"reason": whereabouts(error)})
        await rest(stopping, BEAT)
    async with database.system(timeout=2.0) as tx:
        await tx.run(_GONE, process=process)


async def _lag(consumers: Sequence[Consumer], conveyor: Conveyor) -> dict[str, Lag]:
    """What the broker says of each consumer; nothing of those that it does not know yet, or while it is away."""
    found: dict[str, Lag] = {}
    if not conveyor.is_connected:
        return found
    for consumer in consumers:
        stream = stream_of(next(iter(consumer.types)))
        try:
            async with asyncio.timeout(_ASK_WITHIN):
                waiting, in_work = await waiting_for(conveyor, stream, consumer.name)
        except (*BROKER_REFUSES, TimeoutError):
            continue
        found[consumer.name] = Lag(waiting=waiting, in_work=in_work)
        # A consumer that hangs takes nothing and says nothing.
        PENDING.labels(consumer.name).set(waiting)
    return found
