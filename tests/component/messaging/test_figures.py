"""What an operations page shows of messages to patients: what waits, what became of them and why, and nothing of their words."""

import asyncio

from carehub.operations.v1 import status_pb2

from libs.process.gauges import run_gauges
from libs.testing.hub import caller_token
from services.messaging.consumers.waiting import message_gauges
from tests.component.messaging.conftest import PHONE, at
from tests.component.messaging.test_messages import FIRST


async def figures(m):
    """By metric and kind, without what there is none of; read anew."""
    stopping = asyncio.Event()

    async def once(_tx):
        stopping.set()
        return []

    await run_gauges([message_gauges, once], m.hub.host.runtimes["messaging"].database, stopping)
    operator = caller_token(permissions=["operations.read"], roles=["operator"])
    status = await m.call("GetStatus", status_pb2.GetStatusRequest(), operator)
    assert PHONE not in str(status)
    return {
        each.metric.removeprefix("carehub_"): each.times
        if each.HasField("times")
        else {" ".join(one.of): one.count for one in each.counts if one.count}
        for each in status.figures
    }


async def becomes(m, **expected):
    async def is_so():
        found = await figures(m)
        return all(found.get(name) == value for name, value in expected.items()) and found

    return await m.hub.until(is_so, what=f"{expected}")


async def test_what_waits_what_was_sent_and_why_others_were_not_is_counted(messaging, monkeypatch):
    monkeypatch.setattr("libs.process.status.BEAT", 0.05)
    async with messaging(now="2026-09-07 10:00") as m:
        assert (await figures(m)).get("messages_waiting", {}) == {}
        reached, unreached = await m.patient(language="en"), await m.patient(phone="")
        await m.appointment(reached, at("2026-09-14 09:30"))
        await becomes(m, messages_waiting={"planned": 3})
        m.hub.clock.move(FIRST)
        await m.received(reached, 1)
        found = await becomes(
            m, messages_waiting={"planned": 2}, notifications_total={"sent sms": 1}
        )
        assert found["reminder_lateness_seconds"].count == 1
        visit = await m.appointment(unreached, at("2026-09-14 09:30"))
        await becomes(m, messages_waiting={"planned": 5})
        await m.appointment(
            unreached, at("2026-09-14 09:30"), id=visit, version=2, state="CANCELLED"
        )
        # Their timers are still set; they do not count.
        await becomes(
            m,
            messages_waiting={"planned": 2},
            notifications_total={"sent sms": 1, "changed none": 3},
        )
