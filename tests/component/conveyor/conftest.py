"""A teller and a listener on real servers, running in this process or in one that can be killed."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from nats.js.errors import NotFoundError

from libs.chassis import ids
from libs.chassis.database import Database, Statement, open_pool
from libs.conveyor.inbox import Consumer, run_consumer
from libs.conveyor.relay import run_relay
from libs.conveyor.streams import Conveyor, connect
from libs.testing.servers import Servers
from tests.component.conveyor.story import LISTENER, TELLER

MIGRATIONS = Path(__file__).parent / "migrations"
STREAM = "identity"


class World:
    """Fresh databases for a teller and a listener, a connection to the broker, and hands to run things."""

    def __init__(self, servers: Servers, nats_url: str) -> None:
        self.servers = servers
        self.nats_url = nats_url
        self.wake = asyncio.Event()
        self.now: Callable[[], datetime] = ids.now
        self.teller: Database
        self.listener: Database
        self.conveyor: Conveyor

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["World"]:
        async with AsyncExitStack() as stack:
            self.teller = await self._open(TELLER, stack)
            self.listener = await self._open(LISTENER, stack)
            self.conveyor = await connect(self.nats_url, "test", max_bytes=64 * 1024**2)
            stack.push_async_callback(self.conveyor.close)
            if self.conveyor.is_connected:
                await self.delete_stream()
            yield self

    async def _open(self, service: str, stack: AsyncExitStack) -> Database:
        await self.servers.prepare(service, MIGRATIONS)
        pool = await open_pool(self.servers.url(service, "system"), 6, service)
        database = Database(None, pool, lambda: self.now(), self.wake.set)
        stack.push_async_callback(database.close)
        return database

    async def delete_stream(self) -> None:
        with contextlib.suppress(NotFoundError):
            await self.conveyor.js.delete_stream(STREAM)

    @asynccontextmanager
    async def running(
        self, *consumers: Consumer, relays: int = 1, ack_wait: float = 2.0
    ) -> AsyncIterator[None]:
        """Relays and consumers at work until the block ends, and then they must end by themselves."""
        stopping = asyncio.Event()
        tasks = [
            asyncio.create_task(run_relay(STREAM, self.teller, self.conveyor, self.wake, stopping))
            for _ in range(relays)
        ]
        tasks += [
            asyncio.create_task(
                run_consumer(LISTENER, c, self.listener, self.conveyor, stopping, ack_wait=ack_wait)
            )
            for c in consumers
        ]
        try:
            yield
        finally:
            stopping.set()
            async with asyncio.timeout(9):  # less than a pull waits for messages
                await asyncio.gather(*tasks)

    async def ask(self, database: Database, statement: Statement[Any], **values: Any) -> Any:
        async with database.system() as tx:
            return await tx.one_or_none(statement, **values)


async def until(
    condition: Callable[[], Awaitable[object]], *, seconds: float = 60.0, what: str = "it"
) -> None:
    """Wait until a condition holds; fail after `seconds`."""
    ends = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > ends:
            raise AssertionError(f"{what} did not happen within {seconds} seconds")
        await asyncio.sleep(0.02)


@pytest.fixture
async def world(servers: Servers) -> AsyncIterator[World]:
    async with World(servers, servers.nats.url).opened() as opened:
        yield opened
