"""The database goes away and comes back: everything waits, nothing is parked, nothing is lost."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from libs.chassis.database import CONNECTION_LOST
from libs.chassis.errors import Unavailable
from libs.local.postgres import start_postgres
from libs.testing.servers import Servers
from tests.component.conveyor.conftest import World, until
from tests.component.conveyor.story import COUNTER, HEARD, HEARD_TWICE, UNPUBLISHED, tell, waiting


@pytest.fixture
async def own_database(servers: Servers) -> AsyncIterator[Servers]:
    home = Path(tempfile.mkdtemp(prefix="carehub-test-"))
    home.chmod(0o711)
    postgres = await start_postgres(home, say=lambda _line: None)
    own = Servers(home, postgres, servers.nats)
    yield own
    again = await start_postgres(home, say=lambda _line: None)
    await again.stop()
    shutil.rmtree(home, ignore_errors=True)


async def test_a_killed_database_is_waited_for_and_counts_for_nothing(
    own_database: Servers,
) -> None:
    async with World(own_database, own_database.nats.url).opened() as world:

        async def heard_all() -> bool:
            return await world.ask(world.listener, HEARD) == 400

        async def heard_some() -> bool:
            return await world.ask(world.listener, HEARD) > 0

        async def nothing_waits() -> bool:
            return await world.ask(world.teller, UNPUBLISHED) == 0

        for n in range(400):
            await tell(world.teller, f"f{n}")
        async with world.running(COUNTER):
            await until(heard_some)
            own_database.postgres.kill()
            for _ in range(3):  # the first ones may find out on a connection that was open
                with pytest.raises((Unavailable, asyncpg.PostgresError, *CONNECTION_LOST)):
                    await tell(world.teller, "f0")
            await start_postgres(own_database.home, say=lambda _line: None)
            await until(heard_all, what="hearing everything")
            await until(nothing_waits, what="marking everything as published")
        assert await world.ask(world.listener, HEARD_TWICE) == 0
        assert await waiting(world.listener) == []
