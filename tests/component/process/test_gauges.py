"""What graphs show of a database: what is there, nothing that is gone, and never what was if it cannot be read."""

import asyncio
import math

from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from libs.process.gauges import Watched, run_gauges
from services.tasking.consumers.jobs import loop_gauges

WATCHED = Watched(
    service="tasking",
    consumers=("tasking-encounters",),
    is_holder=True,
)


def shown(name, **labels):
    return REGISTRY.get_sample_value(name, labels)


async def test_what_cannot_be_read_is_not_known_and_what_is_gone_is_not_shown(hub):
    registry, stopping, seen = CollectorRegistry(), asyncio.Event(), []
    gauge = Gauge("test_rooms", "Rooms.", ["what"], registry=registry)
    rounds = iter([{"a": 1, "b": 2}, {"a": 3}, None, {"a": 4}])

    def now():
        return {s.labels["what"]: s.value for m in registry.collect() for s in m.samples}

    async def read(_tx):
        seen.append(now())
        values = next(rounds, {})
        if not values:
            if values == {}:
                stopping.set()
            raise ConnectionError("away")
        return [(gauge, (what,), value) for what, value in values.items()]

    async with hub("interop") as h:
        database = h.host.runtimes["interop"].database
        await run_gauges([read], database, stopping, every=0.01)
    assert seen[:3] == [{}, {"a": 1, "b": 2}, {"a": 3}]
    assert seen[3].keys() == {"a"}
    assert math.isnan(seen[3]["a"])
    assert seen[4] == {"a": 4}


async def test_a_service_shows_what_waits_what_is_held_and_what_is_late(hub):
    async with hub("tasking") as h:
        database = h.host.runtimes["tasking"].database

        async def is_shown():
            return shown("carehub_outbox_waiting", service="tasking") == 0

        await h.until(is_shown, what="the first reading")
        assert shown("carehub_parked", service="tasking", consumer="tasking-encounters") == 0
        assert shown("carehub_grants_heartbeat_seconds", service="tasking") == math.inf
        assert shown("carehub_database_pool", service="tasking", pool="people", state="limit") == 8
        async with h.system("tasking") as tx:
            await tx._connection.execute(
                "INSERT INTO timers (kind, key, due_at) VALUES ('of-nobody', 'x', now() - interval '1 hour');"
                "INSERT INTO access_heartbeat (one, beat_at, position) VALUES (true, now() - interval '40 seconds', 1);"
                "INSERT INTO parked (id, consumer, message_id, subject, key, version, payload, reason, message, attempts,"
                " parked_at, state) VALUES (gen_random_uuid(), 'tasking-encounters', gen_random_uuid(), 's', 'k', 1, '',"
                " 'R', 'm', 8, now(), 'PARKED')"
            )
        stopping = asyncio.Event()

        async def once(_tx):
            stopping.set()
            return []

        await run_gauges([WATCHED.read, loop_gauges, once], database, stopping)
        assert shown("carehub_timers_overdue", service="tasking") == 1
        assert 3600 <= shown("carehub_timers_overdue_seconds", service="tasking") < 3660
        assert shown("carehub_parked", service="tasking", consumer="tasking-encounters") == 1
        assert 40 <= shown("carehub_grants_heartbeat_seconds", service="tasking") < 60
        assert shown("carehub_loops", state="open") == 0
