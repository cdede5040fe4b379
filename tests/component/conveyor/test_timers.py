"""A timer fires at its time, once, whatever happens to the process that fires it."""

import asyncio
import random
from collections.abc import AsyncIterator, Sized
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, table, text

from libs.chassis.database import Transaction, sql
from libs.conveyor import timers
from libs.conveyor.timers import Timer, clear_timer, run_timers, set_timer
from tests.component.conveyor.conftest import World, until
from tests.component.conveyor.story import BELL, RUNG, RUNG_TWICE, ring

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ATTEMPTS = sql(select(timers.timers.c.attempts).where(timers.timers.c.kind == "bell"))
BELLS = sql(select(timers.timers).where(timers.timers.c.kind == "bell"), row=timers.Due)
DUE_AT = sql(select(timers.timers.c.due_at).where(timers.timers.c.kind == "bell"))


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


class Ticking(Clock):
    """A second later whenever it is looked at."""

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@asynccontextmanager
async def scheduling(
    world: World, clock: Clock, *handlers: Timer, schedulers: int = 1
) -> AsyncIterator[None]:
    world.now, stopping = clock, asyncio.Event()
    tasks = [
        asyncio.create_task(run_timers(handlers, world.teller, stopping, clock))
        for _ in range(schedulers)
    ]
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*tasks)


async def set_bell(world: World, key: str = "b", due_at: datetime = NOON) -> None:
    async with world.teller.system() as tx:
        await set_timer(tx, "bell", key, due_at)


async def rung(world: World, count: int) -> None:
    async def all_rung() -> bool:
        return await world.ask(world.teller, RUNG) == count

    await until(all_rung, what=f"ringing {count} bells")
    assert await world.ask(world.teller, RUNG_TWICE) == 0


async def test_an_idle_scheduler_ends_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "POLL", 60.0)
    clock = Clock()
    await set_bell(world)
    async with scheduling(world, clock, BELL):
        await rung(world, 1)


async def test_a_timer_fires_when_it_is_due_and_not_before(world: World) -> None:
    clock = Clock()
    await set_bell(world, "now", NOON)
    await set_bell(world, "later", NOON + timedelta(hours=1))
    async with scheduling(world, clock, BELL):
        await rung(world, 1)
        clock.time += timedelta(minutes=59, seconds=59)
        await set_bell(world, "also now", clock.time)
        await rung(world, 2)
        clock.time += timedelta(seconds=1)
        await rung(world, 3)


async def test_a_handlers_time_is_never_before_its_timer_is_due(world: World) -> None:
    clock = Ticking()
    seen: list[tuple[datetime, datetime]] = []

    async def look(tx: Transaction, key: str, due_at: datetime) -> None:
        seen.append((due_at, tx.at))

    # Whatever is read first and second in a look at what is due: one of these lies between.
    for second in (4, 5):
        await set_bell(world, f"b{second}", NOON + timedelta(seconds=second))
    async with scheduling(world, clock, Timer("bell", look)):
        await until(lambda: reached(seen, 2))
    assert all(at >= due_at for due_at, at in seen)


async def test_two_schedulers_fire_each_timer_once(world: World) -> None:
    for n in range(150):
        await set_bell(world, f"b{n}")
    async with scheduling(world, Clock(), BELL, schedulers=3):
        await rung(world, 150)


async def test_setting_a_timer_again_replaces_it_and_clearing_forgets_it(world: World) -> None:
    clock = Clock()
    await set_bell(world, "moved", NOON)
    await set_bell(world, "moved", NOON + timedelta(hours=1))
    await set_bell(world, "cleared", NOON)
    async with world.teller.system() as tx:
        await clear_timer(tx, "bell", "cleared")
    await set_bell(world, "sentinel", NOON)
    async with scheduling(world, clock, BELL):
        await rung(world, 1)
        clock.time += timedelta(hours=1)
        await rung(world, 2)


async def test_setting_and_clearing_in_one_transaction_end_as_they_were_called(
    world: World,
) -> None:
    chance = random.Random(20261122)
    wanted: dict[str, datetime] = {}
    for _ in range(20):
        async with world.teller.system() as tx:
            for _ in range(chance.randrange(12)):
                key = chance.choice("abc")
                if chance.random() < 0.5:
                    wanted[key] = NOON + timedelta(minutes=chance.randrange(100))
                    await set_timer(tx, "bell", key, wanted[key])
                else:
                    wanted.pop(key, None)
                    await clear_timer(tx, "bell", key)
        async with world.teller.system() as tx:
            assert {each.key: each.due_at for each in await tx.fetch(BELLS)} == wanted


async def test_a_timer_of_a_transaction_that_fails_is_not_set(world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        async with world.teller.system() as tx:
            await set_timer(tx, "bell", "b", NOON)
            1 / 0  # noqa: B018 the failure
    async with world.teller.system() as tx:
        assert await tx.fetch(BELLS) == []


async def test_a_handler_may_set_its_own_timer_again(world: World) -> None:
    clock = Clock()
    seen: list[datetime] = []

    async def again(tx: Transaction, key: str, due_at: datetime) -> None:
        seen.append(due_at)
        await set_timer(tx, "bell", key, due_at + timedelta(days=1))

    await set_bell(world)
    async with scheduling(world, clock, Timer("bell", again)):
        for day in (1, 2):
            await until(lambda day=day: reached(seen, day))
            clock.time = NOON + timedelta(days=day)
        await until(lambda: reached(seen, 3))
    assert seen == [NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)]


async def reached(seen: Sized, count: int) -> bool:
    return len(seen) >= count


async def test_a_failing_timer_is_tried_again_keeps_its_time_and_blocks_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "backoff", lambda attempt, **_: 0.05)
    tries: list[datetime] = []

    async def fails_twice(tx: Transaction, key: str, due_at: datetime) -> None:
        if key == "weak":
            tries.append(due_at)
            await ring(tx, "half done", due_at)
            if len(tries) < 3:
                raise RuntimeError
        await ring(tx, key, due_at)

    await set_bell(world, "weak", NOON - timedelta(hours=1))
    await set_bell(world, "sound", NOON)
    async with scheduling(world, Clock(), Timer("bell", fails_twice)):
        await rung(world, 3)
    assert tries == [NOON - timedelta(hours=1)] * 3


async def test_a_timer_that_never_works_is_kept_and_rests(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "backoff", lambda attempt, **_: 0.01)

    async def never(tx: Transaction, key: str, due_at: datetime) -> None:
        raise RuntimeError

    await set_bell(world)
    async with scheduling(world, Clock(), Timer("bell", never)):

        async def resigned() -> bool:
            return await world.ask(world.teller, ATTEMPTS) == timers.ATTEMPTS

        await until(resigned)
    assert await world.ask(world.teller, DUE_AT) == NOON
    # Another process, or this one ten minutes later, with the bug mended.
    async with scheduling(world, Clock(), BELL):
        await rung(world, 1)


WAITING_FOR_US = sql(
    select(func.count())
    .select_from(table("pg_locks"))
    .where(text("NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"))
)


async def test_the_scheduler_gives_way_to_a_request_that_wants_the_timer(world: World) -> None:
    """A request holds what the handler wants, and waits for the timer: not the request must fail."""
    taken = asyncio.Event()

    async def wants_the_same(tx: Transaction, key: str, due_at: datetime) -> None:
        taken.set()

        async def request_waits() -> bool:
            return await tx.one(WAITING_FOR_US) > 0

        if not released.is_set():
            await until(request_waits, what="the request's waiting for the timer")
        await ring(tx, key, due_at)

    released = asyncio.Event()
    await set_bell(world)
    async with scheduling(world, Clock(), Timer("bell", wants_the_same)):
        async with world.teller.system() as tx:
            await ring(tx, "b", NOON)
            await taken.wait()
            await clear_timer(tx, "bell", "b")
        released.set()
        await set_bell(world, "sentinel")
        await rung(world, 2)
