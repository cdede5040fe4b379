"""Hearing what is published: only what was asked for, from now on, and being told of gaps."""

import asyncio
import contextlib
import tempfile
from pathlib import Path
from uuid import uuid4

from carehub.identity.v1 import facility_pb2, identity_events_pb2
from nats.aio.client import Client

from libs.conveyor import listen as hearing
from libs.conveyor.listen import Heard, listen
from libs.conveyor.streams import connect, ensure_stream
from libs.local.nats import start_nats
from libs.testing.hub import event_headers

SUBJECT = "carehub.identity.v1.FacilityChanged"


def facility(name: str) -> bytes:
    place = facility_pb2.Facility(id=str(uuid4()), name=name)
    return identity_events_pb2.FacilityChanged(facility=place).SerializeToString()


def headers(facility_id=None):
    return event_headers(uuid4(), uuid4(), 1, facility_id)


@contextlib.asynccontextmanager
async def listening(url: str):
    """What is heard, as it comes."""
    heard: asyncio.Queue[Heard | None] = asyncio.Queue()

    async def run() -> None:
        async with contextlib.aclosing(
            listen(url, "test", [identity_events_pb2.FacilityChanged])
        ) as all_of_it:
            async for one in all_of_it:
                heard.put_nowait(one)

    task = asyncio.create_task(run())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_only_what_was_asked_for_and_could_be_read(servers):
    conveyor = await connect(servers.nats.url, "test", max_bytes=64 * 1024**2)
    await ensure_stream(conveyor, "identity")
    here = uuid4()
    async with listening(servers.nats.url) as heard:
        assert await asyncio.wait_for(heard.get(), 30) is None  # to begin with
        await conveyor.js.publish(SUBJECT, b"\xff\xff", headers=headers())
        await conveyor.js.publish("carehub.identity.v1.TeamChanged", b"", headers=headers())
        await conveyor.js.publish(SUBJECT, facility("Mercy"), headers=headers(here))
        one = await asyncio.wait_for(heard.get(), 30)
        assert one.event.facility.name == "Mercy"
        assert one.facility_id == here
        assert heard.empty()
    await conveyor.close()


async def test_a_broker_that_was_away_leaves_a_gap_that_is_told():
    home = Path(tempfile.mkdtemp(prefix="carehub-test-"))
    nats = await start_nats(home, say=lambda _line: None)
    async with listening(nats.url) as heard:
        assert await asyncio.wait_for(heard.get(), 30) is None
        nats.kill()
        await nats.wait()
        nats = await start_nats(home, say=lambda _line: None)
        assert await asyncio.wait_for(heard.get(), 30) is None
        client = Client()
        await client.connect(nats.url)

        async def is_heard() -> bool:
            await client.publish(SUBJECT, facility("Harbor"), headers=headers())
            await asyncio.sleep(0.05)
            return any(heard.get_nowait() for _ in range(heard.qsize()))

        async with asyncio.timeout(30):
            while not await is_heard():
                pass
        await client.close()
    await nats.stop()


async def test_more_than_can_wait_is_a_gap(monkeypatch):
    monkeypatch.setattr(hearing, "MOST_WAITING", 3)
    ear = hearing._Ear([identity_events_pb2.FacilityChanged])
    for number in range(5):
        await ear.take(number)  # type: ignore[arg-type]
    assert [ear.arrived.get_nowait() for _ in range(ear.arrived.qsize())] == [None, 3, 4]
