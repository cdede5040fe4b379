"""Something to do at a time: a row that is taken, acted upon and gone in one transaction, so that it happens once.

The row keeps its `due_at` whatever happens; how long to leave a failing one alone is this process's own memory.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    all_,
    any_,
    delete,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Database, Transaction, param, sql
from libs.chassis.faults import backoff, is_weather, rest, whereabouts, within
from libs.conveyor.crashpoints import crashpoint
from libs.telemetry.metrics import TIMER_LATENESS, TIMERS_FIRED

log = logging.getLogger(__name__)

ATTEMPTS = 8
RESIGNED = 600.0
LONGEST = 60.0
POLL = 0.25

timers = Table(
    "timers",
    MetaData(),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True)),
    Column("attempts", Integer),
)


@dataclass(frozen=True, slots=True)
class Timer:
    """What to do when a timer of this kind is due. `handle` gets its key and when it was due, in a system transaction."""

    kind: str
    handle: Callable[[Transaction, str, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A timer whose time has come."""

    kind: str
    key: str
    due_at: datetime
    attempts: int

    @property
    def name(self) -> str:
        return f"{self.kind} {self.key}"


_t = timers.c
# Setting and clearing are one statement, without `due_at` it clears: so those of a transaction run together and in order.
_kind, _key = param("kind", type_=Text), param("key", type_=Text)
_due_at = param("due_at", type_=DateTime(timezone=True))
_cleared = delete(timers).where(_t.kind == _kind, _t.key == _key, _due_at.is_(None)).cte("cleared")
_new = (
    insert(timers)
    .from_select(
        ["kind", "key", "due_at", "attempts"],
        select(_kind, _key, _due_at, literal_column("0")).where(_due_at.is_not(None)),
    )
    .add_cte(_cleared)
)
_PUT = sql(
    _new.on_conflict_do_update(
        index_elements=["kind", "key"], set_={"due_at": _new.excluded.due_at, "attempts": 0}
    )
)
_next = (
    select(timers)
    .where(
        _t.kind == any_(param("kinds", type_=ARRAY(Text))),
        _t.due_at <= param("now"),
        (_t.kind + " " + _t.key) != all_(param("resting", type_=ARRAY(Text))),
    )
    .order_by(_t.due_at)
    .limit(1)
    .with_for_update(skip_locked=True)
    .cte("next")
)
_TAKE = sql(
    delete(timers)
    .where(_t.kind == _next.c.kind, _t.key == _next.c.key)
    .returning(_t.kind, _t.key, _t.due_at, _t.attempts),
    row=Due,
)
# A request may hold what the handler wants, and want this timer: then the scheduler gives way, long before
# PostgreSQL would find the deadlock and might end the request.
_GIVE_WAY = sql(select(func.set_config(text("'lock_timeout'"), text("'200ms'"), text("true"))))
_FAILED = sql(
    update(timers)
    .where(_t.kind == param("k"), _t.key == param("name"), _t.due_at == param("due"))
    .values(attempts=_t.attempts + 1)
)


async def set_timer(tx: Transaction, kind: str, key: str, due_at: datetime) -> None:
    """Have the handler of `kind` called at `due_at`, if this transaction commits. Replaces a timer of that kind and key.

    The row is written just before the commit, in one round trip with all that were set or cleared.
    """
    tx.defer(_PUT, kind=kind, key=key, due_at=due_at)


async def clear_timer(tx: Transaction, kind: str, key: str) -> None:
    """Forget a timer, if there is one."""
    tx.defer(_PUT, kind=kind, key=key, due_at=None)


async def run_timers(
    timers: Sequence[Timer],
    database: Database,
    stopping: asyncio.Event,
    now: Callable[[], datetime],
) -> None:
    """Fire what is due for as long as the process works. Any number of processes may do so at once."""
    scheduler = _Scheduler(timers, database, now)
    stormy = 0
    while not stopping.is_set():
        try:
            fired = await scheduler.fire_next()
            stormy = 0
        except Exception as error:  # noqa: BLE001 the scheduler outlives everything but its process
            stormy += 1
            log.warning("timers wait for the database", extra={"reason": whereabouts(error)})
            await rest(stopping, backoff(stormy, most=5.0))
            continue
        if not fired:
            await rest(stopping, POLL)


class _Scheduler:
    """Takes one due timer at a time."""

    def __init__(
        self, timers: Sequence[Timer], database: Database, now: Callable[[], datetime]
    ) -> None:
        self._handlers = {timer.kind: timer.handle for timer in timers}
        self._database = database
        self._now = now
        self._resting: dict[str, float] = {}

    async def fire_next(self) -> bool:
        """Fire the timer that has been due longest. False if there is none."""
        self._wake_the_rested()
        due: Due | None = None
        try:
            async with within(LONGEST), self._database.system() as tx:
                await tx.run(_GIVE_WAY)
                # Taken before it is handled, so that the handler may set it again; and by the handler's own time, so that
                # it never finds that it is not yet due.
                due = await tx.one_or_none(
                    _TAKE,
                    kinds=list(self._handlers),
                    now=tx.at,
                    resting=list(self._resting),
                )
                if due is None:
                    return False
                await self._handlers[due.kind](tx, due.key, due.due_at)
                crashpoint("timers.before_commit")
        except Exception as error:
            if due is None:
                raise
            await self._failed(due, error)
            return True
        crashpoint("timers.after_commit")
        TIMERS_FIRED.labels(due.kind, "fired").inc()
        TIMER_LATENESS.labels(due.kind).observe((self._now() - due.due_at).total_seconds())
        return True

    def _wake_the_rested(self) -> None:
        present = time.monotonic()
        self._resting = {name: end for name, end in self._resting.items() if end > present}

    async def _failed(self, due: Due, error: Exception) -> None:
        """Leave it alone for a while. It stays due and is never lost."""
        if is_weather(error):
            self._resting[due.name] = time.monotonic() + backoff(1)
            return
        attempts = due.attempts + 1
        pause = RESIGNED if attempts >= ATTEMPTS else backoff(attempts, first=1.0, most=60.0)
        self._resting[due.name] = time.monotonic() + pause
        TIMERS_FIRED.labels(due.kind, "failed").inc()
        log.error(
            "a timer failed",
            extra={
                "kind": due.kind,
                "attempts": attempts,
                "seconds": pause,
                "reason": whereabouts(error),
            },
        )
        async with self._database.system() as tx:
            await tx.run(_FAILED, k=due.kind, name=due.key, due=due.due_at)
