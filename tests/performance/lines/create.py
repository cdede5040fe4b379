"""Creating a patient: request, commit, event, projections; in both ways of running, beside the monolith."""

import asyncio
import time
from typing import Any

import asyncpg

from tests.performance.bench import Bench, http_load, until
from tests.performance.figures import Line, per_thing, spread
from tests.performance.hub import Hub, monolith_beside
from tests.performance.machine import cpu_between, cpu_by_name

CONNECTIONS = 32
FACILITY = "Mercy Regional Hospital"
# Who hears of a patient, and where it then is.
_PROJECTIONS = {
    "identity": "SELECT count(*) FROM access_facts WHERE kind = 'PATIENT'",
    "tasking": "SELECT count(*) FROM patients",
}
_DRAIN_SECONDS = 240.0


def up_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="create-up",
            what="create → event projected, `up`, vs monolith",
            unit="×",
            floor=1.2,
            aim=4.0,
            beside="creates of the two-worker monolith",
            how=_HOW,
        )
    )


def split_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="create-split",
            what="create → event projected, separate processes, vs monolith",
            unit="×",
            floor=0.7,
            aim=2.0,
            beside="creates of the two-worker monolith",
            how=_HOW,
        )
    )


_HOW = (
    f"POST /v1/patients over {CONNECTIONS} connections; patients per second from the first request until identity's and "
    "tasking's projections hold the last one, beside creates per second of the monolith in the same repeat"
)


async def monolith(bench: Bench, number: int) -> dict[str, Any]:
    async with monolith_beside(bench.engines) as beside:
        plan = _plan(bench, beside.port, beside.token, beside.facility, f"m{time.time_ns()}")
        await http_load({**plan, "seconds": bench.plan.warm, "first": 0})
        before = cpu_by_name(beside.pids)
        result = await http_load({**plan, "first": 10_000_000})
        cpu = cpu_between(before, cpu_by_name(beside.pids))
    told = _told(result, cpu, result["per_second"])
    bench.say(
        f"  {number} monolith      {told['creates_per_second']:7.0f} creates/s   {told['cpu_us']}"
    )
    return told


async def hub(bench: Bench, up: Hub, number: int) -> dict[str, Any]:
    """One repeat on a running hub."""
    facility = (await up.facilities())[FACILITY]
    token = await up.token("nurse")
    plan = _plan(bench, up.port, token, facility, f"h{time.time_ns()}")
    watches = {service: await up.system(service) for service in _PROJECTIONS}
    try:
        await http_load({**plan, "seconds": bench.plan.warm, "first": 0})
        await _settled(watches)
        before = await _projected(watches)
        cpu_before = cpu_by_name(up.pids)
        result = await http_load({**plan, "first": 10_000_000})
        wanted = {service: count + result["answers"] for service, count in before.items()}

        async def has_all() -> bool:
            now = await _projected(watches)
            return all(now[service] >= wanted[service] for service in wanted)

        ended = await until(has_all, _DRAIN_SECONDS, "the projections")
        cpu = cpu_between(cpu_before, cpu_by_name(up.pids))
    finally:
        for connection in watches.values():
            await connection.close()
    took = ended - result["began"]
    told = _told(result, cpu, result["answers"] / took)
    told["behind_seconds"] = round(took - result["seconds"], 2)
    name = "split" if up.split else "up"
    bench.say(
        f"  {number} {name:13} {told['creates_per_second']:7.0f} creates/s, projected {told['per_second']:.0f}/s, "
        f"last one {told['behind_seconds']} s behind   {told['cpu_us']}"
    )
    return told


def note(line: Line, told: dict[str, Any], beside: dict[str, Any]) -> None:
    line.values.append(told["per_second"])
    line.reference.append(beside["per_second"])
    line.details.setdefault("repeats", []).append({"ours": told, "monolith": beside})


def _plan(bench: Bench, port: int, token: str, facility: str, run: str) -> dict[str, Any]:
    return {
        "kind": "create",
        "port": port,
        "token": token,
        "facility": facility,
        "run": run,
        "connections": CONNECTIONS,
        "warm": 0.0,
        "seconds": bench.plan.seconds,
    }


def _told(result: dict[str, Any], cpu: dict[str, float], per_second: float) -> dict[str, Any]:
    return {
        "per_second": per_second,
        "creates_per_second": result["per_second"],
        "creates": result["answers"],
        "milliseconds": spread(result["milliseconds"]),
        "cpu_us": per_thing(cpu, result["answers"]),
        "cpu_us_all": round(sum(cpu.values()) / result["answers"] * 1e6, 1),
        "driver_cpu_us": round(result["driver_cpu"] / result["answers"] * 1e6, 1),
    }


async def _projected(watches: "dict[str, asyncpg.Connection[Any]]") -> dict[str, int]:
    return {s: await c.fetchval(_PROJECTIONS[s]) for s, c in watches.items()}


async def _settled(watches: "dict[str, asyncpg.Connection[Any]]") -> None:
    """Wait until nothing of earlier loads is on its way any more."""
    last: dict[str, int] = {}
    for _ in range(240):
        now = await _projected(watches)
        if now == last:
            return
        last = now
        await asyncio.sleep(1.0)
