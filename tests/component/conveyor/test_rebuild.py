"""PostgreSQL is the truth: whatever happens to the stream, the outbox brings it back."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.js.errors import NotFoundError
from prometheus_client import REGISTRY

from libs.conveyor import relay, streams
from libs.conveyor.streams import ensure_stream
from libs.local.nats import RunningNats, start_nats
from libs.testing.servers import Servers
from tests.component.conveyor.conftest import STREAM, World, until
from tests.component.conveyor.story import COUNTER, HEARD, HEARD_TWICE, UNPUBLISHED, tell


class Broker:
    """A NATS of one test's own, to be ended and started again, with its store or without."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.nats: RunningNats

    @property
    def store(self) -> Path:
        return self.home / "nats" / "store"

    async def start(self) -> None:
        self.nats = await start_nats(self.home, say=lambda _line: None)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    own = Broker(tmp_path / "broker")
    await own.start()
    yield own
    await own.nats.stop()


@pytest.fixture
async def shaky(servers: Servers, broker: Broker) -> AsyncIterator[World]:
    """A world whose broker may be ended."""
    async with World(servers, broker.nats.url).opened() as opened:
        yield opened


async def heard(world: World, count: int, *, within: float = 60.0) -> None:
    async def all_there() -> bool:
        return await world.ask(world.listener, HEARD) == count

    await until(all_there, seconds=within, what=f"hearing {count} events")
    assert await world.ask(world.listener, HEARD_TWICE) == 0


async def published(world: World) -> None:
    async def nothing_waits() -> bool:
        return await world.ask(world.teller, UNPUBLISHED) == 0

    await until(nothing_waits, what="publishing")


async def messages(world: World) -> int:
    try:
        return (await world.conveyor.js.stream_info(STREAM)).state.messages
    except NotFoundError:
        return 0


@pytest.fixture(autouse=True)
def _attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "VERIFY_EVERY", 0.5)


async def tell_many(world: World, first: int, last: int) -> None:
    for n in range(first, last):
        await tell(world.teller, f"f{n}")


async def test_a_stream_deleted_under_load_is_rebuilt_from_the_outbox(world: World) -> None:
    async with world.running(COUNTER):
        telling = asyncio.create_task(tell_many(world, 0, 600))
        for share in (100, 300):

            async def some(share: int = share) -> bool:
                return await world.ask(world.listener, HEARD) >= share

            await until(some)
            await world.delete_stream()
        await telling
        await heard(world, 600)

        async def all_back() -> bool:
            return await messages(world) == 600

        await until(all_back, what="rebuilding the whole stream")


async def test_a_stream_deleted_while_nobody_looks_is_rebuilt(world: World) -> None:
    async with world.running():
        await tell_many(world, 0, 100)
        await published(world)
    await world.delete_stream()
    async with world.running(COUNTER):
        await heard(world, 100)
    assert await messages(world) == 100


async def test_a_stream_made_anew_is_known_by_its_birth_even_if_it_is_longer(world: World) -> None:
    async with world.running():
        await tell_many(world, 0, 20)
        await published(world)
    await world.delete_stream()
    await ensure_stream(world.conveyor, STREAM)
    for _ in range(30):
        await world.conveyor.js.publish("carehub.identity.v1.TeamChanged", b"")
    async with world.running(COUNTER):
        await heard(world, 20)


async def test_a_lost_durable_is_made_again_and_repeats_nothing(world: World) -> None:
    async with world.running(COUNTER):
        await tell_many(world, 0, 50)
        await heard(world, 50)
        await world.conveyor.js.delete_consumer(STREAM, COUNTER.name)
        await tell_many(world, 50, 60)
        await heard(world, 60)


def silences() -> float:
    return REGISTRY.get_sample_value(
        "carehub_streams_watchdog_total", {"consumer": COUNTER.name}
    ) or 0.0  # fmt: skip


async def test_a_consumer_that_is_given_nothing_of_what_waits_is_counted_and_listens_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "IDLE", 0.2)
    monkeypatch.setattr(streams, "ANSWER_WITHIN", 0.5)
    before = silences()

    async def is_counted() -> bool:
        return silences() > before

    async with world.running(COUNTER):
        await tell_many(world, 0, 1)
        await heard(world, 1)
        await world.conveyor.js.pause_consumer(STREAM, COUNTER.name, "2099-01-01T00:00:00Z")
        await tell_many(world, 1, 3)
        await until(is_counted, what="the silence")
        await world.conveyor.js.resume_consumer(STREAM, COUNTER.name)
        await heard(world, 3)


async def test_a_killed_broker_is_waited_for(
    shaky: World, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is no silence, which would tell whoever is called to look at the consumer."""
    monkeypatch.setattr(streams, "IDLE", 90.0)
    before = silences()
    async with shaky.running(COUNTER):
        await tell_many(shaky, 0, 50)
        broker.nats.kill()
        await tell_many(shaky, 50, 150)
        await broker.start()
        await tell_many(shaky, 150, 200)
        await heard(shaky, 200, within=60)  # less than a pull waits for messages
        await published(shaky)
    assert silences() == before


async def test_a_broker_that_is_away_at_the_start_is_waited_for(
    servers: Servers, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ANSWER_WITHIN", 2.0)
    await broker.nats.stop()
    late = World(servers, broker.nats.url)
    async with late.opened(), late.running(COUNTER):
        await tell_many(late, 0, 20)
        await broker.start()
        await heard(late, 20)


async def test_a_broker_that_comes_back_empty_is_filled_again(shaky: World, broker: Broker) -> None:
    async with shaky.running(COUNTER):
        await tell_many(shaky, 0, 100)
        await heard(shaky, 100)
        broker.nats.kill()
        shutil.rmtree(broker.store)
        await broker.start()

        async def all_back() -> bool:
            return await messages(shaky) == 100

        await until(all_back, what="rebuilding the whole stream")
        await published(shaky)
        await tell_many(shaky, 100, 120)
        await heard(shaky, 120)


async def lose_the_end(world: World, broker: Broker) -> None:
    """Tell 100 events, of which the broker forgets the last 50, as after a power cut."""
    copy = broker.home / "copy"
    async with world.running():
        await tell_many(world, 0, 50)
        await published(world)
        await broker.nats.stop()
        shutil.copytree(broker.store, copy)
        await broker.start()
        await tell_many(world, 50, 100)
        await published(world)
    broker.nats.kill()
    shutil.rmtree(broker.store)
    copy.rename(broker.store)
    await broker.start()
    assert await world.conveyor.wait_until_connected(asyncio.Event())
    assert await messages(world) == 50


async def test_a_stream_that_lost_its_end_gets_it_back(shaky: World, broker: Broker) -> None:
    await lose_the_end(shaky, broker)
    async with shaky.running(COUNTER):
        await heard(shaky, 100)
    assert await messages(shaky) == 100


async def test_a_lost_end_is_noticed_also_when_the_stream_has_grown_again(
    shaky: World, broker: Broker
) -> None:
    await lose_the_end(shaky, broker)
    await tell_many(shaky, 100, 200)
    async with shaky.teller.session() as connection, shaky.teller.system() as tx:
        leader = relay._Relay(STREAM, shaky.teller, shaky.conveyor, connection)
        # What the leader knew before the broker came back; the next batch is on its way before it looks.
        leader._mark = await tx.one(relay.GET_MARK, stream=STREAM)
        assert leader._mark.sequence == 100
        await leader._publish(await leader._waiting())
    async with shaky.running(COUNTER):
        await heard(shaky, 200)
    assert await messages(shaky) == 200


async def test_a_full_stream_makes_room_for_what_nobody_needs_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ANSWER_WITHIN", 0.5)
    world.conveyor.max_bytes = 40_000
    async with world.running(COUNTER):
        await tell_many(world, 0, 400)
        await heard(world, 400)
        await published(world)
    assert await messages(world) < 400


async def test_a_connection_to_a_broker_that_died_is_closed_with_what_waits_in_it(
    servers: Servers, broker: Broker
) -> None:
    """Whoever ends closes this first: what it raised would leave databases and channels open."""
    conveyor = await streams.connect(broker.nats.url, "test")
    broker.nats.kill()

    async def is_away() -> bool:
        await conveyor.client.publish("carehub.identity.v1.Said", b"to nobody")
        return not conveyor.is_connected

    await until(is_away, what="noticing")
    await conveyor.close()
    assert conveyor.client.is_closed
