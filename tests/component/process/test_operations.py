"""What every service says of itself, and what becomes of the events that it set aside, over its own contract."""

from datetime import timedelta
from uuid import UUID, uuid4, uuid5

import asyncpg
import pytest
from carehub.identity.v1 import facility_pb2, identity_events_pb2
from carehub.interop.v1 import interop_service_pb2
from carehub.operations.v1 import parked_pb2, status_pb2
from sqlalchemy import select

from libs.chassis import audit
from libs.chassis.database import sql
from libs.chassis.pages import encode_cursor
from libs.chassis.wire import CallFailed
from libs.conveyor import outbox, parked
from libs.conveyor.timers import set_timer
from libs.process.status import heartbeats
from libs.testing.hub import Hub, caller_token, event_headers

SERVICE = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]
CONSUMER = "interop-facilities"
Concern = status_pb2.ServiceStatus
PARKED = parked_pb2.ParkedEvent
LEDGER = sql(
    select(audit.audit.c.method).where(audit.audit.c.resource != "", audit.audit.c.outcome == "OK")
)


def operator() -> str:
    """Made for each call: it lives for an hour, and a run may take longer."""
    return caller_token(permissions=["operations.read", "operations.write"], roles=["operator"])


def facility(name: str = "Mercy") -> identity_events_pb2.FacilityChanged:
    place = facility_pb2.Facility(id=str(uuid4()), name=name, time_zone="America/Phoenix")
    return identity_events_pb2.FacilityChanged(facility=place, version=1)


async def status(h: Hub, token: str = "") -> status_pb2.ServiceStatus:
    request, kind = status_pb2.GetStatusRequest(), status_pb2.ServiceStatus
    return await h.call(SERVICE, "GetStatus", request, kind, token=token or operator())


async def listed(h: Hub, **fields) -> parked_pb2.ListParkedResponse:
    request = parked_pb2.ListParkedRequest(**fields)
    return await h.call(
        SERVICE, "ListParked", request, parked_pb2.ListParkedResponse, token=operator()
    )


async def replay(h: Hub, id: object) -> parked_pb2.ParkedEvent:
    request = parked_pb2.ReplayParkedRequest(parked_id=str(id))
    return await h.call(SERVICE, "ReplayParked", request, PARKED, token=operator())


async def discard(h: Hub, id: object, reason: str = "sent twice") -> parked_pb2.ParkedEvent:
    request = parked_pb2.DiscardParkedRequest(parked_id=str(id), reason=reason)
    return await h.call(SERVICE, "DiscardParked", request, PARKED, token=operator())


async def set_aside(h: Hub, payload: bytes, *, consumer: str = CONSUMER) -> UUID:
    """What a consumer leaves behind that could not handle this."""
    message_id = uuid4()
    async with h.system("interop") as tx:
        entry = parked.Parked(
            id=uuid5(message_id, consumer), consumer=consumer, message_id=message_id,
            subject="carehub.identity.v1.FacilityChanged", key=str(uuid4()), version=1, facility_id=None,
            payload=payload, headers=event_headers(message_id, uuid4(), 1, None), reason="FAILED_TOO_OFTEN",
            message="KeyError at store.py:7", attempts=8, parked_at=tx.at, state="PARKED",
            settled_at=None, settled_reason=None,
        )  # fmt: skip
        await parked.add(tx, entry)
    return entry.id


def consumer_of(found: status_pb2.ServiceStatus, name: str = CONSUMER) -> status_pb2.ConsumerStatus:
    return next(one for one in found.consumers if one.name == name)


async def test_a_service_that_is_well(hub, monkeypatch):
    monkeypatch.setattr("libs.process.status.BEAT", 0.1)
    async with hub("interop") as h:
        event = facility()
        await h.publish(event, key=event.facility.id)

        async def handled() -> bool:
            one = consumer_of(await status(h))
            told = one.HasField("waiting_count") and not (one.waiting_count or one.in_work_count)
            return told and one.handled_last_hour == 1

        await h.until(handled, what="handling")
        found = await status(h)
        assert found.service == "interop"
        assert found.version
        assert found.chassis_revision >= "0002"
        assert found.schema_revision
        assert found.database_bytes > 1_000_000
        assert list(found.concerns) == []
        assert consumer_of(found).waiting_count == consumer_of(found).in_work_count == 0
        assert [(p.role, p.is_alive) for p in found.processes] == [("all", True)]
        assert found.outbox.waiting_count == found.outbox.oldest_seconds == 0


async def test_a_hub_whose_clock_is_moved_has_the_processes_that_it_had(hub, monkeypatch):
    async with hub("interop") as h:
        await h.until(lambda: _is_seen(h), what="a sign of life")
        ahead = timedelta(days=4)
        monkeypatch.setattr("libs.process.status.BEAT", 3600.0)
        monkeypatch.setattr("libs.chassis.ids._ahead", lambda: ahead)
        h.clock.move(ahead)
        found = await status(h)
        [process] = found.processes
        assert process.is_alive
        assert Concern.CONCERN_NOBODY_WORKS not in found.concerns
        waited = found.as_of_time.ToDatetime() - process.seen_time.ToDatetime()
        assert timedelta(0) <= waited < timedelta(minutes=1)


async def _is_seen(h: Hub) -> bool:
    return bool((await status(h)).processes)


async def test_what_waits_and_what_is_late_is_counted_and_is_a_concern(hub):
    async with hub("interop") as h:
        async with h.system("interop") as tx:
            await set_timer(tx, "nobody-listens", "1", tx.at - timedelta(seconds=90))
            await set_timer(tx, "nobody-listens", "2", tx.at + timedelta(hours=1))
        found = await status(h)
        assert (found.timers.waiting_count, found.timers.late_count) == (2, 1)
        assert 90 <= found.timers.oldest_late_seconds < 100
        assert Concern.CONCERN_TIMERS_LATE in found.concerns
        h.host.stopping.set()  # nobody relays and nobody beats from here on
        h.clock.move(timedelta(minutes=2))
        async with h.system("interop") as tx:
            event = facility()
            await outbox.add(tx, event, key=event.facility.id)
        h.clock.move(timedelta(minutes=2))
        found = await status(h)
        assert Concern.CONCERN_NOBODY_WORKS in found.concerns
        if found.outbox.waiting_count:  # the relay may just have been at it
            assert found.outbox.oldest_seconds >= 120
            assert Concern.CONCERN_OUTBOX_WAITS in found.concerns


async def test_an_event_that_cannot_be_read_is_seen_and_discarded(hub):
    async with hub("interop") as h:
        id = uuid4()
        await h._nats.jetstream().publish(
            "carehub.identity.v1.FacilityChanged", b"\xff\xff Jane Okafor",
            headers=event_headers(id, "k-1", 1, None), stream="identity",
        )  # fmt: skip

        async def parked_one() -> list[parked_pb2.ParkedEvent]:
            return list((await listed(h)).parked)

        (entry,) = await h.until(parked_one, what="parking")
        assert (entry.consumer, entry.reason, entry.key) == (CONSUMER, "UNREADABLE", "k-1")
        assert entry.state == PARKED.STATE_PARKED
        assert b"Okafor" not in entry.SerializeToString()
        found = await status(h)
        assert Concern.CONCERN_EVENTS_PARKED in found.concerns
        (counted,) = consumer_of(found).parked
        assert (counted.reason, counted.count) == ("UNREADABLE", 1)
        with pytest.raises(CallFailed) as failed:
            await replay(h, entry.id)
        assert (failed.value.code, failed.value.reason) == ("FAILED_PRECONDITION", "REPLAY_FAILED")
        with pytest.raises(CallFailed) as failed:
            await discard(h, entry.id, " ")
        assert failed.value.reason == "DISCARD_REASON_MISSING"
        for _ in range(2):  # twice is once
            gone = await discard(h, entry.id)
            assert (gone.state, gone.settled_reason) == (PARKED.STATE_DISCARDED, "sent twice")
        with pytest.raises(CallFailed) as failed:
            await replay(h, entry.id)
        assert failed.value.reason == "NOT_PARKED"
        assert list((await status(h)).concerns) == []
        async with h.system("interop") as tx:
            assert await tx.fetch(LEDGER) == ["/carehub.interop.v1.InteropService/DiscardParked"]


async def test_an_event_that_failed_once_is_replayed_once(hub):
    async with hub("interop") as h:
        id = await set_aside(h, facility("Harbor").SerializeToString())
        for _ in range(2):
            assert (await replay(h, id)).state == PARKED.STATE_REPLAYED
        with pytest.raises(CallFailed) as failed:
            await discard(h, id)
        assert failed.value.reason == "NOT_PARKED"
        async with h.system("interop") as tx:
            assert await tx.fetch(LEDGER) == ["/carehub.interop.v1.InteropService/ReplayParked"]
            facilities = await tx.fetch(sql(select(heartbeats.c.process)))
            assert facilities
        orphan = await set_aside(h, b"", consumer="interop-of-old")
        with pytest.raises(CallFailed) as failed:
            await replay(h, orphan)
        assert failed.value.reason == "CONSUMER_GONE"


async def test_pages_of_what_was_set_aside(hub):
    async with hub("interop") as h:
        ids = [str(await set_aside(h, b"")) for _ in range(5)]
        await set_aside(h, b"", consumer="interop-of-old")
        seen: list[str] = []
        token = ""
        while True:
            page = await listed(h, page_size=2, page_token=token, consumer=CONSUMER)
            seen += [one.id for one in page.parked]
            token = page.next_page_token
            if not token:
                break
        assert seen == ids


@pytest.mark.parametrize(
    "values",
    [["yesterday", str(uuid4())], ["2026-11-22T00:00:00+00:00", "one"], ["2026-11-22"], [1, 2], []],
)
async def test_a_page_token_that_somebody_made_up_is_refused(hub, values):
    token = encode_cursor(values, parked_pb2.ListParkedRequest())
    async with hub("interop") as h:
        with pytest.raises(CallFailed) as failed:
            await listed(h, page_token=token)
        assert failed.value.reason == "PAGE_TOKEN_INVALID"


async def test_who_runs_nothing_sees_nothing(hub):
    async with hub("interop") as h:
        with pytest.raises(CallFailed) as failed:
            await status(h, caller_token(permissions=["tasks.read"], roles=["nurse"]))
        assert failed.value.reason == "PERMISSION_MISSING"
        reader = caller_token(permissions=["operations.read"])
        with pytest.raises(CallFailed) as failed:
            request = parked_pb2.DiscardParkedRequest(parked_id=str(uuid4()), reason="x")
            await h.call(SERVICE, "DiscardParked", request, PARKED, token=reader)
        assert failed.value.code == "PERMISSION_DENIED"
        with pytest.raises(CallFailed) as failed:
            await discard(h, uuid4())
        assert failed.value.reason == "PARKED_NOT_FOUND"


async def test_people_count_what_they_may_not_read(servers, hub):
    async with hub("interop") as h:
        await set_aside(h, b"Jane Okafor")
        connection = await asyncpg.connect(servers.url("interop", ""))
        try:
            await connection.execute("SET carehub.facilities = '{}'")
            assert await connection.fetchval("SELECT sum(waiting) FROM parked_status()") == 1
            for table in ("parked", "outbox"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"SELECT payload FROM {table}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("DELETE FROM heartbeats")
        finally:
            await connection.close()
        stranger = await asyncpg.connect(servers.url("interop", "maintenance"))
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await stranger.fetch("SELECT * FROM parked_status()")
        finally:
            await stranger.close()
