"""Every process replaced by a new one under load, again and again: no request fails, no message is lost or doubled.

`make test-rolling` replaces two hundred, and goes to the next release and back.
"""

import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libs.local.environment import Machine
from libs.local.process import free_port
from libs.local.up import UpSettings
from tests.e2e.cluster import ROLES, THIS, Cluster, clustered
from tests.e2e.region import Region
from tests.e2e.releases import WORD, migrate, next_release
from tests.e2e.test_killed import _all_is_well
from tests.e2e.traffic import Traffic

SEED = int(os.environ.get("CAREHUB_SEED", "20261128"))
ROLLS = int(os.environ.get("CAREHUB_ROLLS", "0"))
# Two at a time, as where several Deployments of a release roll.
AT_ONCE = int(os.environ.get("CAREHUB_ROLLS_AT_ONCE", "2"))
# Those that people and senders wait for come first, where only a few are replaced.
RELEASED = ("tasking-serve", "tasking-work", "gateway-serve", "registry-serve", "registry-work")
FIRST = ("gateway-serve", "registry-serve", "interop-serve", "tasking-work")

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux",
        reason="no Linux: each process listens at an address of its own in 127.0.0.0/8",
    ),
    pytest.mark.skipif(
        ROLLS == 0,
        reason="nobody asked for so many processes: CAREHUB_ROLLS says how many to replace (make test-rolling)",
    ),
]


class Rolled(Region):
    """A region that runs in a cluster."""

    cluster: Cluster

    @asynccontextmanager
    async def _hub(self) -> AsyncIterator[Machine]:
        async with clustered(self.settings) as self.cluster:
            yield self.cluster.machine


@pytest.fixture(scope="module")
async def rolled() -> AsyncIterator[Rolled]:
    home = Path(tempfile.mkdtemp(prefix="carehub-roll-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    settings = UpSettings(home=home, http_port=free_port(), mllp_port=free_port())
    try:
        async with Rolled(settings).running() as region:
            yield region
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _order(count: int) -> list[str]:
    """Whom to replace: each as often as the others, in an order of the seed."""
    rng = random.Random(SEED)
    found = list(FIRST)
    while len(found) < count:
        found += rng.sample(ROLES, len(ROLES))
    return found[:count]


@asynccontextmanager
async def under_load(region: Rolled, name: str) -> AsyncIterator[Traffic]:
    """Traffic for as long as the block runs. In the end nothing has failed, and everything is there once and known to all."""
    traffic, over, began = Traffic(region, name, SEED), asyncio.Event(), time.monotonic()
    rolled = region.cluster.rolled
    busy = asyncio.create_task(traffic.run(over))
    try:
        yield traffic
    finally:
        over.set()
        await busy
    rolled = region.cluster.rolled - rolled
    print(f"{rolled} replaced in {time.monotonic() - began:.0f} s: {traffic.told()}")
    print(*traffic.failed, sep="\n")
    assert traffic.failed == []
    assert traffic.acknowledged == len(traffic.load)
    await _all_is_well(region, traffic.load)
    await _all_are_known(region, traffic.made)


@pytest.mark.timeout(600 + 20 * ROLLS)
async def test_every_process_is_replaced_under_load_and_nothing_fails(rolled: Rolled):
    waiting = _order(ROLLS)

    async def roll() -> None:
        while waiting:
            role = waiting.pop(0)
            async with busy[role]:
                await rolled.cluster.roll(role)
            print(f"{time.strftime('%T')} {role} replaced; {len(traffic.failed)} failed so far")

    busy = {role: asyncio.Lock() for role in ROLES}
    async with under_load(rolled, "ROLL") as traffic:
        await asyncio.gather(*(roll() for _ in range(AT_ONCE)))
    assert rolled.cluster.rolled == ROLLS


@pytest.mark.timeout(1800)
async def test_a_release_and_its_rollback_are_noticed_by_nobody(rolled: Rolled, tmp_path: Path):
    """The next release's migration runs while this one serves, its processes join and take over; then back, on its schema."""
    new, cluster = next_release(tmp_path / "next"), rolled.cluster
    async with under_load(rolled, "NEXT") as traffic:
        await _goes_on(rolled, traffic)
        assert "tasking: service_version" in await migrate(cluster.machine, new)
        await _goes_on(rolled, traffic)  # all of this release, on the newer schema
        assert await _tasks_of(rolled, WORD) == 0
        for role in RELEASED:
            await cluster.roll(role, new)
            await _goes_on(rolled, traffic)  # of some roles this release, of some the next one
        written = await _tasks_of(rolled, WORD)
        assert written > 0
        assert await migrate(cluster.machine, THIS) == ""  # what `helm rollback` runs
        for role in RELEASED:
            await cluster.roll(role, THIS)
            await _goes_on(rolled, traffic)
        print(f"{written} tasks written by the next release")
    assert await _tasks_of(rolled, WORD) >= written


async def _goes_on(region: Region, traffic: Traffic) -> None:
    """Some more is asked, written and sent, and tasking plans what comes of it."""
    tasks = await _tasks(region)
    asked, made, sent = traffic.asked + 40, len(traffic.made) + 5, traffic.acknowledged + 10

    async def did() -> bool:
        if traffic.asked < asked or len(traffic.made) < made or traffic.acknowledged < sent:
            return False
        return await _tasks(region) > tasks

    await region.until(did, 120, lambda: f"that traffic goes on: {traffic.failed[-3:]}")


async def _tasks(region: Region) -> int:
    return int((await region.rows("tasking", "SELECT count(*) FROM tasks"))[0][0])


async def _tasks_of(region: Region, word: str) -> int:
    found = await region.rows("tasking", "SELECT count(*) FROM tasks WHERE release_word = $1", word)
    return int(found[0][0])


async def _all_are_known(region: Region, made: list[str]) -> None:
    """Each patient that was registered is there once, and tasking has heard of each."""
    assert len(set(made)) == len(made)
    found = await region.rows("registry", "SELECT id FROM patients WHERE id = ANY ($1)", made)
    assert len(found) == len(made)

    async def is_heard() -> bool:
        found = await region.rows("tasking", "SELECT id FROM patients WHERE id = ANY ($1)", made)
        return len(found) == len(made)

    await region.until(is_heard, 60, "that tasking knows every patient")
