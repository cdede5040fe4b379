"""The listener over loopback: order, loss, broken peers, and AA only for what is safe."""

import asyncio
from socket import SO_KEEPALIVE, SOL_SOCKET
from uuid import uuid4

import pytest
from carehub.interop.v1.feed_pb2 import Feed, FeedAccounts

from libs.chassis.database import Transaction
from libs.chassis.errors import Unavailable
from libs.chassis.faults import is_weather
from services.interop import ingest
from services.interop.mllp import server as listener
from tests.component.interop.conftest import Peer, adt, code_of, control_id_of, error_of


async def test_pipelined_messages_are_acknowledged_in_order_and_stored_once(interop):
    ids = [f"C{n}" for n in range(200)]
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        peer.send(*(adt(id) for id in ids))
        answers = await peer.answers(200)
    assert [control_id_of(answer) for answer in answers] == ids
    assert {code_of(answer) for answer in answers} == {"AA"}
    assert await interop.accounts() == FeedAccounts(received=200, pending=200)
    assert (
        await interop.count("SELECT count(DISTINCT key) FROM outbox WHERE subject LIKE '%Visit%'")
        == 200
    )
    order = "SELECT array_agg(control_id ORDER BY id) FROM messages"
    assert await interop.count(order) == ids


async def test_many_senders_of_the_same_messages_store_each_once(interop):
    messages = [adt(f"C{n}") for n in range(40)]
    async with interop.listening() as server:
        peers = [await Peer.connect(server) for _ in range(6)]
        for number, peer in enumerate(peers):
            peer.send(*(messages if number % 2 else messages[::-1]))
        for peer in peers:
            assert {code_of(answer) for answer in await peer.answers(40)} == {"AA"}
    assert await interop.accounts() == FeedAccounts(received=40, pending=40, duplicates=200)


async def test_what_cannot_be_committed_is_turned_away_and_nothing_of_it_stays(
    interop, monkeypatch
):
    store = ingest.store

    async def fails(tx, arrivals):
        await store(tx, arrivals)
        raise Unavailable("DATABASE_AWAY", "as if the server went away before the commit")

    async with interop.listening() as server:
        peer = await Peer.connect(server)
        monkeypatch.setattr(ingest, "store", fails)
        answer = await peer.ask(adt())
        assert (code_of(answer), error_of(answer)) == ("AR", "207")
        assert await interop.count("SELECT count(*) FROM messages") == 0
        monkeypatch.setattr(ingest, "store", store)
        assert code_of(await peer.ask(adt())) == "AA"
    assert await interop.accounts() == FeedAccounts(received=1, pending=1)


async def test_the_answer_waits_for_the_commit(interop, monkeypatch):
    may_commit = asyncio.Event()
    store = ingest.store

    async def waits(tx: Transaction, arrivals):
        receipts = await store(tx, arrivals)
        await may_commit.wait()
        return receipts

    monkeypatch.setattr(ingest, "store", waits)
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        peer.send(adt())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(peer.reader.read(1), 0.3)
        assert await interop.count("SELECT count(*) FROM messages") == 0
        may_commit.set()
        (answer,) = await peer.answers(1)
    assert code_of(answer) == "AA"


async def test_one_message_that_cannot_be_stored_does_not_take_others_with_it(interop, monkeypatch):
    store = ingest.store

    async def fails_for_one(tx, arrivals):
        if any(arrival.verdict.control_id == "C3" for arrival in arrivals):
            raise ValueError("a value that the database does not take")
        return await store(tx, arrivals)

    monkeypatch.setattr(ingest, "store", fails_for_one)
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        peer.send(*(adt(f"C{n}") for n in range(6)))
        codes = [code_of(answer) for answer in await peer.answers(6)]
    assert codes == ["AA", "AA", "AA", "AR", "AA", "AA"]


async def test_a_message_that_is_too_long_is_refused_and_the_connection_goes_on(interop):
    async with interop.listening(mllp_max_bytes=10_000) as server:
        peer = await Peer.connect(server)
        peer.send(adt("LONG") + b"OBX|" + b"x" * 200_000, adt("C2"))
        long, short = await peer.answers(2)
    assert (code_of(long), error_of(long), control_id_of(long)) == ("AE", "104", "LONG")
    assert code_of(short) == "AA"
    assert await interop.accounts() == FeedAccounts(received=1, pending=1, refused=1)


async def test_noise_between_frames_and_torsos_are_discarded(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        peer.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        peer.send(adt("C1"))
        peer.writer.write(b"\r\n\x0b" + adt("TORSO")[:90])
        peer.send(adt("C2"))
        answers = await peer.answers(2)
    assert [control_id_of(answer) for answer in answers] == ["C1", "C2"]
    assert (await interop.accounts()).received == 2


async def test_a_frame_that_does_not_end_ends_the_connection_and_no_other(interop):
    async with interop.listening(mllp_frame_seconds=0.3) as server:
        slow, other = await Peer.connect(server), await Peer.connect(server)
        slow.writer.write(b"\x0b" + adt()[:50])
        assert await asyncio.wait_for(slow.reader.read(), 30) == b""
        assert code_of(await other.ask(adt())) == "AA"


async def test_a_peer_that_leaves_without_its_answers_has_still_been_heard(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        peer.send(*(adt(f"C{n}") for n in range(20)))
        await peer.writer.drain()
        peer.writer.transport.abort()

        async def all_stored():
            return await interop.count("SELECT count(*) FROM messages") in (0, 20)

        await interop.hub.until(all_stored)
        assert code_of(await (await Peer.connect(server)).ask(adt("LAST"))) == "AA"


async def test_stopping_finishes_what_was_read(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        peer.send(*(adt(f"C{n}") for n in range(30)))
        first = await peer.answers(1)
    rest = (await asyncio.wait_for(peer.reader.read(), 30)).count(b"\x0b")
    assert code_of(first[0]) == "AA"
    assert await interop.count("SELECT count(*) FROM messages") == rest + 1


async def test_one_connection_too_many_is_closed_and_the_others_stay(interop):
    async with interop.listening(mllp_max_connections=2) as server:
        peers = [await Peer.connect(server) for _ in range(3)]
        assert await asyncio.wait_for(peers[2].reader.read(), 30) == b""
        assert code_of(await peers[0].ask(adt())) == "AA"


async def test_a_connection_that_rests_gives_way_and_strangers_first(interop, monkeypatch):
    monkeypatch.setattr(listener, "_PATIENCE_SECONDS", 0.2)
    async with interop.listening(mllp_max_connections=3) as server:
        known, stranger, busy = [await Peer.connect(server) for _ in range(3)]
        assert code_of(await known.ask(adt())) == "AA"
        assert code_of(await stranger.ask(adt(facility="NOBODY"))) == "AE"
        await asyncio.sleep(0.3)
        assert code_of(await busy.ask(adt("C2"))) == "AA"
        fourth = await Peer.connect(server)
        assert code_of(await fourth.ask(adt("C3"))) == "AA"
        assert await asyncio.wait_for(stranger.reader.read(), 30) == b""
        fifth = await Peer.connect(server)
        assert code_of(await fifth.ask(adt("C4"))) == "AA"
        assert await asyncio.wait_for(known.reader.read(), 30) == b""
        assert code_of(await busy.ask(adt("C5"))) == "AA"


async def test_peers_that_are_gone_are_noticed(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        await peer.ask(adt())
        [connection] = server._connections
        socket = connection._writer.get_extra_info("socket")
        assert socket.getsockopt(SOL_SOCKET, SO_KEEPALIVE)


async def test_a_feed_counts_soon_after_its_change(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        assert code_of(await peer.ask(adt())) == "AA"
        await interop.call("UpdateFeed", feed=Feed(id=interop.feed.id, state=Feed.STATE_PAUSED))

        async def is_paused():
            answer = await peer.ask(adt(str(uuid4())))
            return (code_of(answer), error_of(answer)) == ("AR", "207")

        await interop.hub.until(is_paused, what="the change at the listener")


async def test_an_unknown_sender_is_told_and_listed(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        answer = await peer.ask(adt(facility="NOBODY"))
    assert (code_of(answer), error_of(answer)) == ("AE", "204")
    (refusal,) = (await interop.call("ListRefusals")).refusals
    assert refusal.reason == "SENDER_UNKNOWN"
    assert refusal.peer.startswith("127.0.0.1:")


async def test_refusals_are_kept_to_the_newest_thousand(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        peer.send(*(adt(f"C{n}", facility="NOBODY") for n in range(1_100)))
        await peer.answers(1_100)
    assert await interop.count("SELECT count(*) FROM refusals") == 1_000


async def test_connections_to_the_database_that_are_cut_lose_and_double_nothing(interop):
    messages = {f"C{n}": adt(f"C{n}") for n in range(400)}
    accepted = set()

    async def cut():
        for _ in range(6):
            await asyncio.sleep(0.05)
            await interop.count(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE usename = current_user AND pid <> pg_backend_pid()"
            )

    async with interop.listening() as server:
        peers = [await Peer.connect(server) for _ in range(4)]
        for number, peer in enumerate(peers):
            peer.send(*list(messages.values())[number::4])
        cutting = asyncio.create_task(cut())
        for peer in peers:
            answers = await peer.answers(100)
            accepted |= {control_id_of(a) for a in answers if code_of(a) == "AA"}
            assert {code_of(a) for a in answers} <= {"AA", "AR"}
        await asyncio.gather(cutting, return_exceptions=True)

        stored = await interop.hub.until(lambda: _stored(interop), what="the messages")
        assert accepted <= stored
        for id in messages.keys() - accepted:
            await interop.hub.until(lambda id=id: _is_accepted(peers[0], messages[id]))
    accounts = await interop.accounts()
    assert (accounts.received, accounts.pending) == (400, 400)
    distinct = "SELECT count(DISTINCT key) FROM outbox WHERE subject LIKE '%VisitReported'"
    assert await interop.count(distinct) == 400


async def _stored(interop):
    """The ids of all messages; nothing on a connection that was cut just now."""
    try:
        return set(await interop.count("SELECT array_agg(control_id) FROM messages"))
    except Exception as error:
        if not is_weather(error):
            raise


async def _is_accepted(peer, message):
    return code_of(await peer.ask(message)) == "AA"
