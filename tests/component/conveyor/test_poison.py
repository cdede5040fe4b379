"""Messages that cannot be handled are set aside, block nobody, and can be handled later."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.chassis.database import Transaction
from libs.chassis.errors import FailedPrecondition, NotFound
from libs.conveyor import inbox, outbox, parked
from libs.conveyor.inbox import Consumer, Delivery
from libs.conveyor.streams import ensure_stream
from tests.component.conveyor.conftest import STREAM, World, until
from tests.component.conveyor.story import (
    COUNTER,
    HEARD,
    HEARD_TWICE,
    UNPUBLISHED,
    FacilityChanged,
    count,
    facility,
    tell,
    waiting,
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "backoff", lambda attempt, most=0.0: 0.02)


async def tell_named(world: World, name: str, key: str | None = None) -> None:
    async with world.teller.system() as tx:
        await outbox.add(tx, facility(name), key=key or name)


async def heard(world: World, expected: int) -> None:
    async def all_there() -> bool:
        return await world.ask(world.listener, HEARD) == expected

    await until(all_there, what=f"hearing {expected} events")
    assert await world.ask(world.listener, HEARD_TWICE) == 0


async def set_aside(world: World, expected: int = 1) -> list[parked.Parked]:
    async def all_there() -> bool:
        return len(await waiting(world.listener)) == expected

    await until(all_there, what=f"parking {expected} messages")
    return await waiting(world.listener, COUNTER.name)


async def pending(world: World) -> int:
    info = await world.conveyor.js.consumer_info(STREAM, COUNTER.name)
    return (info.num_ack_pending or 0) + (info.num_pending or 0)


async def settled(world: World) -> None:
    async def nothing_pending() -> bool:
        return await pending(world) == 0

    await until(nothing_pending, what="acknowledging everything")


async def test_poison_parks_at_once_and_the_rest_of_its_batch_is_handled(world: World) -> None:
    for n in range(20):
        await tell(world.teller, f"before{n}")
    await tell_named(world, "poison")
    for n in range(20):
        await tell(world.teller, f"after{n}")
    async with world.running(COUNTER):
        await heard(world, 40)
        (entry,) = await set_aside(world)
        await settled(world)
    assert (entry.reason, entry.attempts, entry.key) == ("BAD_FACILITY", 1, "poison")
    assert FacilityChanged.FromString(entry.payload).facility.name == "poison"


async def test_a_bug_parks_after_eight_tries_and_says_where_without_saying_what(
    world: World,
) -> None:
    await tell_named(world, "bug")
    await tell(world.teller, "sound")
    async with world.running(COUNTER):
        await heard(world, 1)
        (entry,) = await set_aside(world)
        await settled(world)
    assert (entry.reason, entry.attempts) == ("FAILED_TOO_OFTEN", 8)
    assert entry.message.startswith("RuntimeError at story.py:")
    assert "Jane" not in repr(entry)


async def test_what_cannot_be_read_is_parked_whole(world: World) -> None:
    async with world.running(COUNTER):
        await tell(world.teller, "sound")
        await heard(world, 1)
        await world.conveyor.js.publish("carehub.identity.v1.FacilityChanged", b"\xff\xff\xff")
        (entry,) = await set_aside(world)
        await settled(world)
    assert (entry.reason, entry.payload) == ("UNREADABLE", b"\xff\xff\xff")


async def test_a_parked_message_is_replayed_once_its_cause_is_mended(world: World) -> None:
    await tell_named(world, "bug", key="f1")
    async with world.running(COUNTER):
        (entry,) = await set_aside(world)
    with pytest.raises(FailedPrecondition, match="RuntimeError"):
        await parked.replay(world.listener, COUNTER, entry.id)
    assert (await parked.show(world.listener, entry.id)).attempts == 9

    seen: list[Delivery] = []

    async def mended(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        seen.extend(deliveries)

    repaired = Consumer(COUNTER.name, COUNTER.events, mended, newest_only=False)
    await parked.replay(world.listener, repaired, entry.id)
    assert [(d.id, d.key, d.version) for d in seen] == [(entry.message_id, "f1", 1)]
    assert (await parked.show(world.listener, entry.id)).state == "REPLAYED"
    assert await waiting(world.listener) == []
    with pytest.raises(FailedPrecondition):
        await parked.replay(world.listener, repaired, entry.id)


async def test_a_parked_message_is_discarded_with_a_reason_and_stays_readable(
    world: World,
) -> None:
    await tell_named(world, "poison")
    async with world.running(COUNTER):
        (entry,) = await set_aside(world)
    async with world.listener.system() as tx:
        assert await parked.discard(tx, entry.id, "a test of the sender's")
        assert not await parked.discard(tx, entry.id, "thought better of it")
    settled_entry = await parked.show(world.listener, entry.id)
    assert settled_entry.state == "DISCARDED"
    assert settled_entry.settled_reason == "a test of the sender's"
    with pytest.raises(NotFound):
        await parked.show(world.listener, uuid4())
    # A decision holds: also when a rebuilt stream brings the message once more.
    await world.delete_stream()
    await tell(world.teller, "later")
    async with world.running(COUNTER):
        await heard(world, 1)
        await settled(world)
    assert (await parked.show(world.listener, entry.id)).state == "DISCARDED"


async def test_a_message_in_one_batch_twice_is_handled_once(world: World) -> None:
    """The same event published twice, further apart than the broker remembers."""
    message_id = uuid4()
    await ensure_stream(world.conveyor, STREAM)
    config = (await world.conveyor.js.stream_info(STREAM)).config
    await world.conveyor.js.update_stream(config.evolve(duplicate_window=0.1))

    async def stored_again(before: int) -> bool:
        await publish(world, message_id)
        return (await world.conveyor.js.stream_info(STREAM)).state.messages > before

    for before in (0, 1):
        await until(lambda before=before: stored_again(before), what="storing it")
    async with world.running(COUNTER):
        await heard(world, 1)
        await settled(world)


async def publish(world: World, message_id: UUID) -> None:
    headers = {"Nats-Msg-Id": str(message_id), "Carehub-Key": "twice", "Carehub-Version": "1"}
    await world.conveyor.js.publish(
        "carehub.identity.v1.FacilityChanged",
        facility("twice").SerializeToString(),
        headers=headers,
    )


async def test_bad_weather_counts_for_nothing(world: World) -> None:
    """The database refuses everything for a while: more often than a message may fail."""
    failures = 0

    async def in_a_storm(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        nonlocal failures
        if failures < 20:
            failures += 1
            raise asyncpg.TooManyConnectionsError("no")
        await count(tx, deliveries)

    await tell(world.teller, "f1")
    async with world.running(Consumer(COUNTER.name, COUNTER.events, in_a_storm)):
        await heard(world, 1)
    assert failures == 20
    assert await waiting(world.listener) == []


async def test_a_message_that_came_too_often_is_tried_alone_and_parked_if_it_kills(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The death of the process is played by an end of the consumer before anything is acknowledged."""
    monkeypatch.setattr(inbox, "ATTEMPTS", 2)

    async def deadly(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        if any(d.key == "deadly" for d in deliveries):
            raise asyncio.CancelledError
        await count(tx, deliveries)

    killer = Consumer(COUNTER.name, COUNTER.events, deadly, newest_only=False)
    for key in ("innocent1", "deadly", "innocent2"):
        await tell(world.teller, key)
    async with world.running():
        await until(lambda: nothing_waits(world), what="publishing")
    deaths = 0
    while deaths < 10:
        consuming = asyncio.create_task(
            inbox.run_consumer(
                "listener",
                killer,
                world.listener,
                world.conveyor,
                asyncio.Event(),
                ack_wait=0.3,
            )
        )
        await until(lambda task=consuming: dead_or_done(world, task), what="dying or ending")
        if not consuming.done():
            break
        deaths += 1
    consuming.cancel()
    assert 3 <= deaths <= 5
    (entry,) = await waiting(world.listener)
    assert (entry.key, entry.reason) == ("deadly", "PROCESS_DIED")
    await heard(world, 2)


async def nothing_waits(world: World) -> bool:
    return await world.ask(world.teller, UNPUBLISHED) == 0


async def dead_or_done(world: World, task: "asyncio.Task[None]") -> bool:
    if task.done():
        return True
    return await world.ask(world.listener, HEARD) == 2 and await pending(world) == 0
