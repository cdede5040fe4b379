"""One leader per database: who holds its lock works, and all others wait until it is gone."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from libs.chassis.database import Database, Session
from libs.chassis.faults import backoff, one_more, rest, whereabouts

log = logging.getLogger(__name__)

LOOK_AGAIN = 0.5
# A leader whose machine is gone must not keep the lock until TCP gives up by itself.
_NOTICED = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
)


@dataclass(frozen=True, slots=True)
class Seat:
    """What only one leads at a time: by which lock, and what the log says when it begins again."""

    service: str
    lock: int
    again: str


async def take_turns(
    seat: Seat,
    database: Database,
    lead: Callable[[Session], Awaitable[None]],
    stopping: asyncio.Event,
    *,
    follow: Callable[[], None],
) -> None:
    """Have `lead` called with the connection that holds the lock, for as long as the process works.

    It does all its work on that connection: who has lost it can do nothing more. When it fails it is called again, with
    another connection. `follow` is told whenever somebody else leads.
    """
    failures = 0
    while not stopping.is_set():
        began = time.monotonic()
        try:
            async with database.session() as connection:
                await connection.execute(_NOTICED)
                while not stopping.is_set():
                    if await connection.fetchval("SELECT pg_try_advisory_lock($1)", seat.lock):
                        await lead(connection)
                    else:
                        follow()
                    await rest(stopping, LOOK_AGAIN)
        except Exception as error:  # noqa: BLE001 it outlives everything but its process
            failures = one_more(failures, began)
            log.warning(seat.again, extra={"service": seat.service, "reason": whereabouts(error)})
            await rest(stopping, backoff(min(failures, 6)))
