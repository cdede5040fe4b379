"""Hear events as they are published, for who only wants to know that something changed.

Nothing is kept for this listener and nothing is acknowledged: what happens while the broker is away is missed, and that
is told. Whoever must not miss an event is a consumer (`inbox.py`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.aio.msg import Msg

from libs.conveyor.headers import FACILITY
from libs.conveyor.streams import connect

log = logging.getLogger(__name__)
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An event that was published just now, perhaps not for the first time."""

    event: Message
    facility_id: UUID | None


class _Ear:
    """What has arrived. `None` among it: something may have been missed."""

    def __init__(self, events: Iterable[type[Message]]) -> None:
        self.types = {event.DESCRIPTOR.full_name: event for event in events}
        self.arrived: asyncio.Queue[Msg | None] = asyncio.Queue()

    async def take(self, message: Msg) -> None:
        if self.arrived.qsize() >= MOST_WAITING:
            self.arrived = asyncio.Queue()
            self.miss()
        self.arrived.put_nowait(message)

    def miss(self) -> None:
        self.arrived.put_nowait(None)

    def read(self, message: Msg) -> Heard | None:
        facility = (message.headers or {}).get(FACILITY)
        try:
            event = self.types[message.subject].FromString(message.data)
            return Heard(event=event, facility_id=UUID(facility) if facility else None)
        except (DecodeError, KeyError, ValueError):
            log.warning("not understood", extra={"subject": message.subject})
            return None


async def listen(
    url: str, name: str, events: Iterable[type[Message]]
) -> AsyncIterator[Heard | None]:
    """Yield what is published from now on, for ever; None whenever something may have been missed, and to begin with."""
    ear = _Ear(events)
    conveyor = await connect(url, name)
    conveyor.on_change.add(ear.miss)
    heard_by: Client | None = None
    never = asyncio.Event()
    ear.miss()
    try:
        while True:
            message = await ear.arrived.get()
            if message is not None:
                if heard := ear.read(message):
                    yield heard
                continue
            await conveyor.wait_until_connected(never)
            if conveyor.client is not heard_by:
                heard_by = conveyor.client
                for subject in ear.types:
                    await heard_by.subscribe(subject, cb=ear.take)
            await heard_by.flush()
            yield None
    finally:
        conveyor.on_change.discard(ear.miss)
        await conveyor.close()
