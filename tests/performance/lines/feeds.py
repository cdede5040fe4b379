"""HL7 v2 over MLLP: how many messages a second are safe and acknowledged, and how soon a discharge is a task."""

import asyncio
import time
from typing import Any

import nats
from carehub.tasking.v1 import tasking_events_pb2
from nats.js import JetStreamContext

from libs.local.environment import SERVICES
from tests.performance.bench import Bench, mllp_load, until
from tests.performance.figures import Line, per_thing, percentile, spread
from tests.performance.hub import Hub
from tests.performance.machine import cpu_between, cpu_by_name

CONNECTIONS, AHEAD = 8, 16
_DRAIN_SECONDS = 400.0
# Half of the load that the floor asks for.
RATE = 250
_SUBJECT = "carehub.tasking.v1.TaskChanged"
_STEP = "contact"
_TO_DO = """SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL)
    + (SELECT count(*) FROM timers WHERE due_at <= now())"""
_PENDING = "SELECT EXISTS (SELECT FROM messages WHERE state = 'PENDING')"


def mllp_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="mllp",
            what="HL7 v2 over MLLP → committed → acknowledged",
            unit="/s",
            floor=500,
            aim=2000,
            how=(
                f"ADT of whole stays over {CONNECTIONS} connections to three feeds, {AHEAD} ahead on each; `up`, with "
                "everything that follows from the messages going on at the same time"
            ),
        )
    )


def handled_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="mllp-handled",
            what="the same, until the record holds every one of them",
            unit="/s",
            how="Messages by the time from the first one sent until interop has heard from registry what became of the last one",
        )
    )


def discharge_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="discharge",
            what=f"discharge message → task on the worklist, p99 at {RATE} messages/s",
            unit="ms",
            floor=1000,
            aim=250,
            better="less",
            how=(
                f"{RATE} messages/s (half of the load that the floor above asks for), one in eight a discharge; from the "
                f"message's first byte sent until TaskChanged of its step {_STEP!r} is on the stream, which is when screens hear of it"
            ),
        )
    )


async def as_fast_as_acknowledged(bench: Bench, up: Hub, number: int) -> None:
    plan = {
        "port": up.machine.mllp_port,
        "connections": CONNECTIONS,
        "ahead": AHEAD,
        "seconds": bench.plan.warm,
        "run": f"W{time.time_ns() // 1000 % 10**9:09}",
        "prepared": 500,
    }
    await mllp_load(plan)
    await _handled(up)
    cpu_before = cpu_by_name(up.pids)
    prepared = int(600 * bench.plan.seconds)
    run = f"L{time.time_ns() // 1000 % 10**9:09}"
    result = await mllp_load(
        {**plan, "seconds": bench.plan.seconds, "run": run, "prepared": prepared}
    )
    await _handled(up)
    took = time.time() - result["began"]
    cpu = cpu_between(cpu_before, cpu_by_name(up.pids))
    line, handled = mllp_line(bench), handled_line(bench)
    line.values.append(result["per_second"])
    handled.values.append(result["messages"] / took)
    told = {
        "messages": result["messages"],
        "acknowledged_per_second": result["per_second"],
        "handled_per_second": result["messages"] / took,
        "milliseconds": spread(result["milliseconds"]),
        "cpu_us": per_thing(cpu, result["messages"]),
        "driver_cpu_us": round(result["driver_cpu"] / result["messages"] * 1e6, 1),
    }
    line.details.setdefault("repeats", []).append(told)
    bench.say(
        f"  {number} MLLP          {result['per_second']:7.0f} acknowledged/s, in the record {result['messages'] / took:.0f}/s"
        f"   {told['cpu_us']}"
    )


async def discharges(bench: Bench, up: Hub, number: int) -> None:
    """One repeat of the time from message to task."""
    await quiet(up)
    seen: dict[str, float] = {}

    async def hear(message: Any) -> None:
        task = tasking_events_pb2.TaskChanged.FromString(message.data).task
        if task.step == _STEP:
            seen.setdefault(task.patient_id, time.time())

    client = await nats.connect(up.machine.nats_url)
    try:
        await client.subscribe(_SUBJECT, cb=hear)
        result = await mllp_load(
            {
                "port": up.machine.mllp_port,
                "connections": CONNECTIONS,
                "ahead": 100_000,
                "rate": RATE,
                "seconds": max(bench.plan.seconds * 2, 6.0),
                "run": f"D{time.time_ns() // 1000 % 10**9:09}",
                "prepared": 300,
            }
        )
        await _all_there(result["discharges"], seen)
        patients = await _patients_of(up, list(result["discharges"]))
    finally:
        await client.close()
    sent = result["discharges"]
    late = [
        (seen[patient] - sent[mrn]) * 1000 for mrn, patient in patients.items() if patient in seen
    ]
    _note_discharges(bench, late, result, number)


def _note_discharges(bench: Bench, late: list[float], result: dict[str, Any], number: int) -> None:
    line = discharge_line(bench)
    lost = len(result["discharges"]) - len(late)
    if lost:
        line.notes.append(f"repeat {number}: {lost} discharges without a task within the wait")
    line.values.append(percentile(late, 0.99) if not lost else float("inf"))
    told = {
        "messages_per_second": result["per_second"],
        "discharges": len(result["discharges"]),
        "without_task": lost,
        "milliseconds": spread(late),
        "acknowledgement_milliseconds": spread(result["milliseconds"]),
    }
    line.details.setdefault("repeats", []).append(told)
    bench.say(f"  {number} discharge     {told}")


async def _all_there(discharges: dict[str, float], seen: dict[str, float]) -> None:
    ends = time.monotonic() + 60
    while len(seen) < len(discharges) and time.monotonic() < ends:
        await asyncio.sleep(0.1)


async def _patients_of(up: Hub, mrns: list[str]) -> dict[str, str]:
    """Whom the record numbers mean, as registry knows them."""
    connection = await up.engines.connect("registry")
    try:
        rows = await connection.fetch(
            """SELECT i->>'value' AS mrn, p.id::text AS id FROM patients p, jsonb_array_elements(p.facts->'identifiers') i
               WHERE p.state = 'ACTIVE' AND i->>'value' = ANY($1)""",
            mrns,
        )
    finally:
        await connection.close()
    return {row["mrn"]: row["id"] for row in rows}


async def _handled(up: Hub) -> None:
    """Wait until every message has its outcome."""
    connection = await up.system("interop")
    try:

        async def none_pending() -> bool:
            return not await connection.fetchval(_PENDING)

        await until(none_pending, _DRAIN_SECONDS, "the outcomes of messages", every=0.2)
    finally:
        await connection.close()


async def quiet(up: Hub) -> None:
    """Wait until no event is on its way and no timer due: what came before must not be in the way of what is measured."""
    client = await nats.connect(up.machine.nats_url)
    try:

        async def none_waits() -> bool:
            return not await _unheard(client.jetstream()) and not await _left_to_do(up)

        await until(none_waits, _DRAIN_SECONDS, "what follows from events")
    finally:
        await client.close()


async def _left_to_do(up: Hub) -> int:
    waiting = 0
    for service in SERVICES:
        connection = await up.system(service)
        try:
            waiting += await connection.fetchval(_TO_DO)
        finally:
            await connection.close()
    return waiting


async def _unheard(js: JetStreamContext) -> int:
    streams = [str(stream.config.name) for stream in await js.streams_info()]
    told = await asyncio.gather(*map(js.consumers_info, streams))
    consumers = [consumer for each in told for consumer in each]
    return sum((each.num_pending or 0) + (each.num_ack_pending or 0) for each in consumers)
