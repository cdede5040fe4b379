"""PostgreSQL killed again and again, and the broker's store deleted, both under load: nothing acknowledged is lost.

A few times in `make test`; `make test-faults` does it twenty times.
"""

import asyncio
import os
import random
import shutil
import time

import asyncpg
import httpx
import pytest

from tests.e2e.conftest import together
from tests.e2e.load import Insistent, hospital_load
from tests.e2e.processes import kill, pid_of
from tests.e2e.region import Region
from tests.e2e.test_killed import _all_is_well, _everybody_is_back, _everything_is_told

SEED = int(os.environ.get("CAREHUB_SEED", "20261128"))
KILLS = int(os.environ.get("CAREHUB_POSTGRES_KILLS", "2"))
LOSSES = int(os.environ.get("CAREHUB_STORE_LOSSES", "1"))
BACK_WITHIN = 5.0  # seconds from when PostgreSQL accepts connections to when the API answers
STREAMS = ("identity", "interop", "registry", "tasking")


async def _answers(region: Region) -> bool:
    """The API asks the databases of identity and tasking for it."""
    try:
        answer = await region.ask("nurse", "GET", "/v1/facilities")
        return (
            answer.status_code == 200
            and (await region.ask("nurse", "GET", "/v1/loops")).status_code == 200
        )
    except httpx.HTTPError:
        return False


async def _accepts(region: Region) -> bool:
    try:
        connection = await asyncpg.connect(region.machine.database_url, timeout=2)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return False
    await connection.close()
    return True


async def _acknowledged(region: Region, sender: Insistent, count: int) -> None:
    async def reached() -> bool:
        return len(sender.acknowledged) >= count

    await region.until(reached, 90, f"{count} acknowledgements")


@pytest.mark.timeout(600 + 60 * KILLS)
@together
async def test_postgres_killed_under_load_loses_nothing_and_the_api_is_back_at_once(region: Region):
    rng = random.Random(SEED)
    load = hospital_load(SEED, patients=15 * (KILLS + 1), name="PGKILL")
    sender = Insistent(lambda: region.machine.mllp_port)
    sending = asyncio.create_task(sender.send_all(load.streams, connections=2))
    share = len(load) // (KILLS + 1)
    took = []
    for number in range(1, KILLS + 1):
        await _acknowledged(region, sender, min(number * share, len(load)) - share // 2)
        await asyncio.sleep(rng.uniform(0, 0.08))
        assert kill(region, "postgres")
        await region.until(lambda: _accepts(region), 60, "PostgreSQL back")
        accepts_at = time.monotonic()
        await region.until(lambda: _answers(region), 60, "the API back")
        took.append(time.monotonic() - accepts_at)
    await sending
    print(f"PostgreSQL killed {KILLS} times; the API back after {[f'{one:.1f} s' for one in took]}")
    await _everybody_is_back(region)
    await _all_is_well(region, load)
    assert max(took) <= BACK_WITHIN, took


@pytest.mark.timeout(600 + 90 * LOSSES)
@together
async def test_the_store_of_the_broker_deleted_under_load_is_filled_again(region: Region):
    load = hospital_load(SEED + 1, patients=15 * (LOSSES + 1), name="STORE")
    sender = Insistent(lambda: region.machine.mllp_port)
    sending = asyncio.create_task(sender.send_all(load.streams, connections=2))
    share = len(load) // (LOSSES + 1)
    for number in range(1, LOSSES + 1):
        await _acknowledged(region, sender, number * share - share // 2)
        before = pid_of(region, "nats")
        assert kill(region, "nats")
        shutil.rmtree(region.machine.home / "nats" / "store", ignore_errors=True)

        async def is_back(before: int | None = before) -> bool:
            return pid_of(region, "nats") not in (None, before)

        await region.until(is_back, 60, "the broker back")
    await sending
    await _all_is_well(region, load)
    for service in STREAMS:  # every event of the last days is on the stream again
        await region.until(lambda s=service: _everything_is_told(region, s), 60, "all told again")
        marks = await region.rows(
            service, "SELECT count(DISTINCT incarnation) FROM outbox WHERE incarnation IS NOT NULL"
        )
        assert marks[0][0] == 1, f"{service} has events that are on no stream"
