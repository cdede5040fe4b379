"""The days of the thousand: everybody acts at once, the hub comes to rest, and the clock goes on to the next hour at which people act."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from datetime import time as clock
from itertools import count
from typing import Any

import asyncpg
import nats

from libs.chassis import ids
from libs.local.clock import ahead_of, move
from libs.local.environment import SERVICES, database_url, for_services
from libs.simulator.afterwards import HOSPITAL
from tests.e2e.region import Region

# When people act, by the hospital's clock: minutes after a morning and an afternoon slot, and at night, when nothing may be sent.
HOURS = (clock(9, 40), clock(14, 5), clock(22, 30))
_LEFT = dict.fromkeys(
    SERVICES,
    "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL)"
    " + (SELECT count(*) FROM timers WHERE due_at <= $1)",
)
_LEFT["messaging"] += " + (SELECT count(*) FROM messages WHERE next_try_at <= $1)"
_LEFT["referrals"] += (
    " + (SELECT count(*) FROM referrals WHERE queued_at IS NOT NULL)"
    " + (SELECT count(*) FROM letters WHERE next_try_at <= $1)"
)
# Weather: a server that is just being killed and started again.
WEATHER = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error)


class Days:
    """What time it is in the hub, and who waits for which."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._env = for_services(region.machine)
        assert region.machine.clock, "only the clock of a demo can be moved"
        self._ahead = ahead_of(region.machine.clock)
        self._asleep: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()
        self._living: set[asyncio.Task[None]] = set()
        self._awake = 0
        self._nobody_awake = asyncio.Event()
        self._databases: dict[str, asyncpg.Connection] = {}
        self._broker: nats.aio.client.Client | None = None
        self.steps = 0
        self.resting = 0.0

    def now(self) -> datetime:
        return ids.now() + self._ahead()

    def forward_to(self, at: datetime) -> None:
        if (by := at - self.now()) > timedelta():
            move(self._env, by)

    def spawn(self, life: Coroutine[Any, Any, None]) -> None:
        """Let something go on beside the others, until its end."""
        self._awake += 1
        task = asyncio.create_task(self._live(life))
        self._living.add(task)

    async def _live(self, life: Coroutine[Any, Any, None]) -> None:
        try:
            await life
        finally:
            self._fell_asleep()

    def _fell_asleep(self) -> None:
        self._awake -= 1
        if not self._awake:
            self._nobody_awake.set()

    async def until(self, at: datetime) -> None:
        """Sleep until the hub's clock has come there and the hub is at rest."""
        sleeping = asyncio.get_running_loop().create_future()
        heapq.heappush(self._asleep, (at, next(self._order), sleeping))
        self._fell_asleep()
        await sleeping

    async def at_rest(self) -> None:
        """Sleep until the hub has done all that follows from what everybody did."""
        await self.until(self.now())

    async def run(self, between: Callable[[int], Awaitable[None]]) -> None:
        """Until everybody has lived. `between` is told of each step, when the hub is at rest and before anybody acts."""
        while self._living:
            await self._nobody_awake.wait()
            self._look_for_the_dead()
            await self.come_to_rest()
            if self._asleep and self._asleep[0][0] > self.now():
                self.forward_to(_next_hour(self._asleep[0][0]))
                self.steps += 1
                await self.come_to_rest()
            await between(self.steps)
            self._wake()

    def _look_for_the_dead(self) -> None:
        done = {task for task in self._living if task.done()}
        self._living -= done
        for task in done:
            task.result()

    def _wake(self) -> None:
        now = self.now()
        while self._asleep and self._asleep[0][0] <= now:
            self._awake += 1
            heapq.heappop(self._asleep)[2].set_result(None)
        if self._awake:
            self._nobody_awake.clear()

    async def come_to_rest(self, seconds: float = 600.0) -> None:
        """Until nothing waits: no event, no timer whose time has come, no message or letter on its way."""
        left: dict[str, int] = {}

        async def is_at_rest() -> bool:
            for _ in range(2):  # what was in work between two looks is seen by the next
                try:
                    left.clear()
                    left.update(await self._left())
                except WEATHER as error:
                    left["weather"] = 1
                    await self._forget(error)
                if left:
                    return False
            return True

        began = time.monotonic()
        await self._region.until(is_at_rest, seconds, lambda: f"a hub at rest, not {left}")
        self.resting += time.monotonic() - began

    async def _left(self) -> dict[str, int]:
        counted = await asyncio.gather(*map(self._count, SERVICES))
        found = dict(zip(SERVICES, counted, strict=True))
        found["broker"] = await self._on_the_way()
        return {name: number for name, number in found.items() if number}

    async def _count(self, service: str) -> int:
        connection = self._databases.get(service)
        if connection is None:
            url = database_url(self._region.machine, service, "system")
            connection = self._databases[service] = await asyncpg.connect(url)
        return int(await connection.fetchval(_LEFT[service], self.now()))

    async def _on_the_way(self) -> int:
        if self._broker is None:
            self._broker = await nats.connect(
                self._region.machine.nats_url,
                connect_timeout=2,
                allow_reconnect=False,
                error_cb=_quiet,
            )
        js = self._broker.jetstream()
        streams = [str(stream.config.name) for stream in await js.streams_info()]
        told = await asyncio.gather(*map(js.consumers_info, streams))
        consumers = [consumer for each in told for consumer in each]
        return sum((each.num_pending or 0) + (each.num_ack_pending or 0) for each in consumers)

    async def _forget(self, error: Exception) -> None:
        """Look again with new connections."""
        for connection in self._databases.values():
            connection.terminate()
        self._databases.clear()
        if isinstance(error, nats.errors.Error) and self._broker:
            broker, self._broker = self._broker, None
            await broker.close()

    async def close(self) -> None:
        await self._forget(nats.errors.Error())
        for task in self._living:
            task.cancel()
        await asyncio.gather(*self._living, return_exceptions=True)


async def _quiet(_: Exception) -> None:
    """A broker that is killed is nothing to tell of."""


def _next_hour(at: datetime) -> datetime:
    """The first hour at which people act that is not before this moment."""
    local = at.astimezone(HOSPITAL)
    days = (local.date(), local.date() + timedelta(days=1))
    hours = (datetime.combine(day, hour, HOSPITAL) for day in days for hour in HOURS)
    return next(hour for hour in hours if hour >= at)
