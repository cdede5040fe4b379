"""What graphs and alerts show of a database: counted every few seconds by the processes that work, never in a request.

Each round is one transaction of a few statements along partial indexes, with limits: about 2 ms of CPU for a service.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from prometheus_client import Gauge
from sqlalchemy import ColumnElement, DateTime, Double, extract, func, literal_column, select

from libs.chassis.access import heartbeat
from libs.chassis.database import Database, Transaction, param, sql
from libs.chassis.faults import rest, whereabouts, within
from libs.conveyor.outbox import outbox
from libs.conveyor.parked import parked
from libs.conveyor.timers import timers
from libs.telemetry.metrics import (
    DATABASE_POOL,
    GRANTS_HEARTBEAT,
    OUTBOX_WAITING,
    PARKED_NOW,
    TIMERS_OVERDUE,
    TIMERS_OVERDUE_AGE,
)

if TYPE_CHECKING:
    from asyncpg import Pool, Record

log = logging.getLogger(__name__)

EVERY = 15.0
LONGEST = 5.0
# What is more than this is as bad.
MOST = 100_000

# A gauge, the values of its labels in their order, and what it shows.
Reading: TypeAlias = tuple[Gauge, tuple[str, ...], float]
# Must be cheap: along an index, and not further than a limit.
Read: TypeAlias = Callable[[Transaction], Awaitable[Sequence[Reading]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is read of the tables that every service has, in one statement."""

    outbox: int
    timers: int
    timers_since: datetime | None
    beat_age: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parked:
    consumer: str
    count: int


_most: ColumnElement[int] = literal_column(str(MOST))
_one: ColumnElement[int] = literal_column("1")
_at = param("at", type_=DateTime(timezone=True))
_waiting = select(_one).where(outbox.c.published_at.is_(None)).limit(_most)
_due = select(_one).where(timers.c.due_at <= _at).limit(_most)
_count = select(func.count())
COUNTS = sql(
    select(
        _count.select_from(_waiting.subquery("waiting")).scalar_subquery().label("outbox"),
        _count.select_from(_due.subquery("due")).scalar_subquery().label("timers"),
        select(func.min(timers.c.due_at))
        .where(timers.c.due_at <= _at)
        .scalar_subquery()
        .label("timers_since"),
        # By the clock that the policies read, which the demo does not move.
        select(extract("epoch", func.clock_timestamp() - heartbeat.c.beat_at).cast(Double))
        .scalar_subquery()
        .label("beat_age"),
    ),
    row=Counts,
)
_held = (
    select(parked.c.consumer)
    .where(parked.c.state == literal_column("'PARKED'"))
    .limit(_most)
    .subquery("held")
)
PARKED = sql(
    select(_held.c.consumer, func.count().label("count")).group_by(_held.c.consumer), row=_Parked
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A service as it is watched: its consumers, and whether it holds grants."""

    service: str
    consumers: Sequence[str]
    is_holder: bool

    async def read(self, tx: Transaction) -> list[Reading]:
        counts = await tx.one(COUNTS, at=tx.at)
        held = {row.consumer: row.count for row in await tx.fetch(PARKED)}
        since, at = counts.timers_since, (self.service,)
        late = max(0.0, (tx.at - since).total_seconds()) if since else 0.0
        readings: list[Reading] = [
            (OUTBOX_WAITING, at, counts.outbox),
            (TIMERS_OVERDUE, at, counts.timers),
            (TIMERS_OVERDUE_AGE, at, late),
        ]
        if self.is_holder:
            # Who never heard of identity has been without it for ever.
            age = math.inf if counts.beat_age is None else counts.beat_age
            readings.append((GRANTS_HEARTBEAT, at, age))
        for consumer in {*self.consumers, *held}:
            readings.append((PARKED_NOW, (self.service, consumer), held.get(consumer, 0)))
        return readings


def watch_pool(service: str, kind: str, pool: "Pool[Record]") -> None:
    """Show how many of its connections are used, and idle, and how many there may be: counted when somebody asks."""
    for state, count in (
        ("used", lambda: pool.get_size() - pool.get_idle_size()),
        ("idle", pool.get_idle_size),
        ("limit", pool.get_max_size),
    ):
        DATABASE_POOL.labels(service, kind, state).set_function(count)


async def run_gauges(
    reads: Sequence[Read], database: Database, stopping: asyncio.Event, every: float = EVERY
) -> None:
    """Read and show for as long as the process works. What cannot be read is shown as not known, never as it was."""
    shown = dict[tuple[Gauge, tuple[str, ...]], float]()
    while not stopping.is_set():
        try:
            readings = await _read(reads, database)
        except Exception as error:  # noqa: BLE001 whatever it is: what was shown is not known to be so any more
            log.warning("the gauges were not read", extra={"reason": whereabouts(error)})
            readings = dict.fromkeys(shown, math.nan)
        for gauge, labels in shown.keys() - readings.keys():
            with contextlib.suppress(KeyError):
                gauge.remove(*labels)
        for (gauge, labels), value in readings.items():
            gauge.labels(*labels).set(value)
        shown = readings
        await rest(stopping, every)


async def _read(
    reads: Sequence[Read], database: Database
) -> dict[tuple[Gauge, tuple[str, ...]], float]:
    readings = dict[tuple[Gauge, tuple[str, ...]], float]()
    async with within(LONGEST), database.system(timeout=LONGEST) as tx:
        for read in reads:
            readings |= {(gauge, labels): value for gauge, labels, value in await read(tx)}
    return readings
