"""From a committed change to its effect in another service, once, whatever happens on the way."""

import asyncio
from collections.abc import Sequence
from typing import Literal

import pytest
from prometheus_client import REGISTRY

from libs.chassis.database import Database, Transaction
from libs.conveyor import relay
from libs.conveyor.inbox import AT_LEISURE, Consumer, Delivery
from tests.component.conveyor.conftest import STREAM, World, until
from tests.component.conveyor.story import (
    COUNTER,
    FOLLOWER,
    HANDLED,
    HEARD,
    HEARD_TWICE,
    NEWEST,
    UNPUBLISHED,
    FacilityChanged,
    count,
    tell,
    tell_in,
)


async def heard(world: World, count: int) -> None:
    async def all_there() -> bool:
        return await world.ask(world.listener, HEARD) == count

    await until(all_there, what=f"hearing {count} events")
    assert await world.ask(world.listener, HEARD_TWICE) == 0


async def published(world: World) -> None:
    async def nothing_waits() -> bool:
        return await world.ask(world.teller, UNPUBLISHED) == 0

    await until(nothing_waits, what="publishing")


async def tell_many(teller: Database, first: int, last: int) -> None:
    for n in range(first, last):
        await tell(teller, f"f{n}")


async def test_an_event_arrives_once(world: World) -> None:
    async with world.running(COUNTER):
        await tell_many(world.teller, 0, 50)
        await heard(world, 50)
    await published(world)


async def tell_and_regret(world: World) -> None:
    async with world.teller.system() as tx:
        await tell_in(tx, "undone")
        raise RuntimeError


async def test_an_event_of_a_rolled_back_change_does_not_exist(world: World) -> None:
    with pytest.raises(RuntimeError):
        await tell_and_regret(world)
    async with world.running(COUNTER):
        await tell(world.teller, "done")
        await heard(world, 1)


async def test_a_slow_transaction_with_a_lower_position_is_published(world: World) -> None:
    async with world.running(COUNTER):
        async with world.teller.system() as slow:
            await tell_in(slow, "slow")
            await slow.flush()
            await tell(world.teller, "fast")
            await heard(world, 1)
            await published(world)
        await heard(world, 2)
    async with world.teller.session() as connection:
        by_position = await connection.fetchval(
            "SELECT array_agg(key ORDER BY position) FROM outbox"
        )
    assert by_position == ["slow", "fast"]


async def test_of_two_relays_one_leads_and_the_other_takes_over(world: World) -> None:
    async with world.running(COUNTER, relays=2):
        await tell_many(world.teller, 0, 100)
        await heard(world, 100)
        state = (await world.conveyor.js.stream_info(STREAM)).state
        assert state.messages == 100
        # The leader's lock goes with its connection.
        async with world.teller.session() as connection:
            ended = await connection.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        assert ended == 1
        await tell_many(world.teller, 100, 120)
        await heard(world, 120)


async def test_who_does_not_lead_does_not_say_how_long_the_oldest_event_has_waited(
    world: World,
) -> None:
    """What it said when it led would call somebody for as long as its process lives."""
    relay.OUTBOX_AGE.labels(STREAM).set(300.0)

    async def is_silent() -> bool:
        return REGISTRY.get_sample_value("carehub_outbox_oldest_seconds", {"service": STREAM}) == 0

    async with world.teller.session() as other:
        await other.execute("SELECT pg_advisory_lock($1)", relay.LEADER)
        async with world.running():
            await until(is_silent, what="leaving it to the leader")


async def test_two_leaders_at_once_do_no_harm(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader that has lost its lock and does not know it yet."""
    monkeypatch.setattr(relay, "POLL", 0.01)
    stopping = asyncio.Event()

    async def usurp() -> None:
        async with world.teller.session() as connection:
            await relay._Relay(STREAM, world.teller, world.conveyor, connection).lead(
                asyncio.Event(), stopping
            )

    async with world.running(COUNTER):
        usurper = asyncio.create_task(usurp())
        await tell_many(world.teller, 0, 300)
        await heard(world, 300)
        await published(world)
        stopping.set()
        await usurper
    assert (await world.conveyor.js.stream_info(STREAM)).state.messages == 300


async def test_of_one_key_the_newest_version_wins(world: World) -> None:
    for version in (1, 3, 2):
        await tell(world.teller, "f", version)

    async def all_handled() -> bool:
        return await world.ask(world.listener, HANDLED) == 3

    async with world.running(FOLLOWER):  # they may come in one batch or in three
        await until(all_handled, what="hearing")
    assert await world.ask(world.listener, NEWEST, key="f") == 3


async def test_a_slow_handler_keeps_its_messages(world: World) -> None:
    """It takes longer than the broker waits for an acknowledgement, and says so meanwhile."""
    calls = 0

    async def slow(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(4.5)
        await count(tx, deliveries)

    consumer = Consumer(COUNTER.name, COUNTER.events, slow, newest_only=False)
    await tell(world.teller, "f")
    async with world.running(consumer, ack_wait=3.0):
        await heard(world, 1)
    info = await world.conveyor.js.consumer_info(STREAM, consumer.name)
    assert (calls, info.delivered and info.delivered.consumer_seq) == (1, 1)


async def test_what_nobody_can_ask_for_any_more_is_forgotten(world: World) -> None:
    async with world.running(COUNTER):
        await tell_many(world.teller, 0, 3)
        await heard(world, 3)
        await published(world)
    for database, statement in (
        (
            world.teller,
            "UPDATE outbox SET published_at = published_at - interval '8 days' WHERE key <> 'f2'",
        ),
        (world.teller, "UPDATE outbox SET created_at = created_at - interval '8 days'"),
        (
            world.teller,
            "INSERT INTO inbox SELECT 'old', id, now() - interval '15 days' FROM outbox",
        ),
        (
            world.teller,
            "INSERT INTO inbox SELECT 'new', id, now() - interval '13 days' FROM outbox",
        ),
    ):
        async with database.session() as connection:
            await connection.execute(statement)
    await tell(world.teller, "f3")
    async with world.running():
        await published(world)
    async with world.teller.session() as connection:
        assert await connection.fetchval("SELECT array_agg(key ORDER BY key) FROM outbox") == [
            "f2",
            "f3",
        ]
        assert await connection.fetchval("SELECT array_agg(DISTINCT consumer) FROM inbox") == [
            "new"
        ]


async def test_a_relay_that_was_woken_for_nothing_goes_back_to_sleep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Woken after what it was woken for is published already, it must not ask the database in a circle."""
    rests = 0
    rest = relay.rest

    async def counted(unless: asyncio.Event, seconds: float) -> None:
        nonlocal rests
        rests += 1
        await rest(unless, seconds)

    monkeypatch.setattr(relay, "rest", counted)
    async with world.running():
        await tell(world.teller, "f")
        await published(world)
        world.wake.set()
        before = rests
        await asyncio.sleep(0.5)  # not to wait for something: this is the time that is measured
        assert rests - before < 20


class Turns(asyncio.Lock):
    """A lock that counts who asked for it."""

    asked = 0

    async def acquire(self) -> Literal[True]:
        self.asked += 1
        return await super().acquire()


async def test_who_works_at_leisure_works_alone_and_keeps_nobody_else_waiting(world: World) -> None:
    turns, may_end = Turns(), asyncio.Event()
    world.conveyor.leisure = turns
    at_work, most, ended = 0, 0, 0

    async def slowly(_tx: Transaction, _told: Sequence[Delivery]) -> None:
        nonlocal at_work, most, ended
        at_work += 1
        most = max(most, at_work)
        await may_end.wait()
        at_work -= 1
        ended += 1

    leisurely = [
        Consumer(f"listener-slow-{n}", (FacilityChanged,), slowly, gather=AT_LEISURE)
        for n in range(3)
    ]

    async def all_wait() -> bool:
        return turns.asked == len(leisurely)

    async def all_ended() -> bool:
        return ended >= len(leisurely)

    async with world.running(COUNTER, *leisurely, ack_wait=30.0):
        await tell(world.teller, "first")
        await until(all_wait, what="asking for a turn")
        await tell(world.teller, "second")
        await heard(world, 2)
        assert (most, ended) == (1, 0)
        may_end.set()
        await until(all_ended, what="each having its turn")
    assert most == 1
