"""Killed anywhere, and started again: nothing is lost, nothing happens twice."""

import asyncio
import itertools
import multiprocessing
import random
from multiprocessing.context import ForkServerProcess

import pytest

from libs.conveyor.crashpoints import POINTS
from tests.component.conveyor.conftest import STREAM, World, until
from tests.component.conveyor.story import (
    COUNTER,
    HEARD,
    HEARD_TWICE,
    LISTENER,
    RUNG,
    RUNG_TWICE,
    TELLER,
    TOLD,
    UNPUBLISHED,
)
from tests.component.conveyor.worker import work

KILLED = 137
# A worker of this story has no ledger to seal: tests/component/ledger/test_sealing.py.
_PASSED = sorted(point for point in POINTS if not point.startswith("sealer."))


_processes = multiprocessing.get_context("forkserver")  # imports once; each life is a fork of that
_processes.set_forkserver_preload(["tests.component.conveyor.worker"])


def start_worker(world: World, events: int, crashpoint: str = "") -> ForkServerProcess:
    plan = {
        TELLER: world.servers.url(TELLER, "system"),
        LISTENER: world.servers.url(LISTENER, "system"),
        "nats": world.nats_url,
        "events": events,
        "crashpoint": crashpoint,
    }
    process = _processes.Process(target=work, args=(plan,), daemon=True)
    process.start()
    return process


async def end(worker: ForkServerProcess) -> None:
    worker.kill()
    await asyncio.to_thread(worker.join)


async def all_done(world: World, events: int) -> bool:
    return (
        await world.ask(world.listener, HEARD) == events
        and await world.ask(world.teller, RUNG) == events
        and await world.ask(world.teller, UNPUBLISHED) == 0
    )


async def finish_and_check(world: World, worker: ForkServerProcess, events: int) -> None:
    """Let a worker finish; then everything was told, heard and rung, each once, and nothing is left over."""
    try:
        await until(lambda: all_done(world, events), what="finishing")
        await until(lambda: nothing_pending(world), what="acknowledging everything")
    finally:
        await end(worker)
    assert await world.ask(world.teller, TOLD) == events
    assert await world.ask(world.listener, HEARD_TWICE) == 0
    assert await world.ask(world.teller, RUNG_TWICE) == 0


async def nothing_pending(world: World) -> bool:
    info = await world.conveyor.js.consumer_info(STREAM, COUNTER.name)
    return info.num_pending == 0 and info.num_ack_pending == 0


@pytest.mark.timeout(600)
async def test_a_process_killed_at_each_named_point_loses_and_doubles_nothing(
    world: World,
) -> None:
    """One story in many lives: each ends at another point, at its first or second passing."""
    events = 0
    for passing, point in itertools.product((1, 2), _PASSED):
        events += 20
        worker = start_worker(world, events, f"{point}:{passing}")
        await asyncio.to_thread(worker.join, 90)
        code = worker.exitcode
        await end(worker)
        assert code == KILLED, point
    await finish_and_check(world, start_worker(world, events), events)


@pytest.mark.timeout(600)
async def test_a_process_killed_at_random_moments_loses_and_doubles_nothing(
    world: World,
) -> None:
    events, seed = 600, random.randrange(10**6)
    chance = random.Random(seed)
    for life in range(1, 6):
        worker = start_worker(world, events)
        target = events * life // 8

        async def far_enough(target: int = target) -> bool:
            return await world.ask(world.listener, HEARD) >= target

        await until(far_enough, what=f"progress in life {life} of seed {seed}")
        await asyncio.sleep(
            chance.random() * 0.1
        )  # not to wait for something: the moment is the test
        await end(worker)
    await finish_and_check(world, start_worker(world, events), events)


async def test_two_workers_at_once_share_the_work(world: World) -> None:
    first, second = [start_worker(world, 200) for _ in range(2)]
    try:
        await finish_and_check(world, first, 200)
    finally:
        await end(second)
