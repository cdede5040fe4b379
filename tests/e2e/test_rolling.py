"""Every process replaced by a new one under load, again and again: no request fails, no message is lost or doubled.

A few in `make test`; `make test-faults` replaces two hundred.
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
from tests.e2e.cluster import ROLES, Cluster, clustered
from tests.e2e.region import Region
from tests.e2e.test_killed import _all_is_well
from tests.e2e.traffic import Traffic

SEED = int(os.environ.get("CAREHUB_SEED", "20261128"))
ROLLS = int(os.environ.get("CAREHUB_ROLLS", "4"))
# Those that people and senders wait for come first, where only a few are replaced.
FIRST = ("gateway-serve", "registry-serve", "interop-work", "tasking-work")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs all of 127.0.0.0/8")


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
        if not os.environ.get("CAREHUB_KEEP"):
            shutil.rmtree(home, ignore_errors=True)


def _order(count: int) -> list[str]:
    """Whom to replace: each as often as the others, in an order of the seed."""
    rng = random.Random(SEED)
    found = list(FIRST)
    while len(found) < count:
        found += rng.sample(ROLES, len(ROLES))
    return found[:count]


@pytest.mark.timeout(300 + 15 * ROLLS)
async def test_every_process_is_replaced_under_load_and_nothing_fails(rolled: Rolled):
    traffic, over, began = Traffic(rolled, "ROLL", SEED), asyncio.Event(), time.monotonic()
    busy = asyncio.create_task(traffic.run(over))
    for role in _order(ROLLS):
        was = len(traffic.failed)
        await rolled.cluster.roll(role)
        print(f"{time.strftime('%T')} {role} replaced; {len(traffic.failed) - was} failed")
        print(*traffic.failed[was:], sep="\n")
    over.set()
    await busy
    print(f"{rolled.cluster.rolled} replaced in {time.monotonic() - began:.0f} s: {traffic.told()}")
    assert traffic.failed == []
    assert traffic.acknowledged == len(traffic.load)
    await _all_is_well(rolled, traffic.load)
    await _all_are_known(rolled, traffic.made)


async def _all_are_known(region: Region, made: list[str]) -> None:
    """Each patient that was registered is there once, and tasking has heard of each."""
    assert len(set(made)) == len(made)
    found = await region.rows("registry", "SELECT id FROM patients WHERE id = ANY ($1)", made)
    assert len(found) == len(made)

    async def is_heard() -> bool:
        found = await region.rows("tasking", "SELECT id FROM patients WHERE id = ANY ($1)", made)
        return len(found) == len(made)

    await region.until(is_heard, 60, "that tasking knows every patient")
