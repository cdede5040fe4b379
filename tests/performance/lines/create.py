"""Creating a patient: request, commit, event, projections; in both ways of running, beside the monolith."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.performance.bench import Bench, http_load, until
from tests.performance.figures import Line, per_thing, spread
from tests.performance.hub import Hub, monolith_beside
from tests.performance.machine import cpu_between, cpu_by_name, standing_still

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
    "tasking's projections hold the last one, beside creates per second of the monolith; both run, and are asked in turns "
    "of a few seconds each"
)


@dataclass(slots=True)
class _Asked:
    """One side of a repeat: whom to ask, and what came of its turns together."""

    name: str
    plan: dict[str, Any]
    pids: list[int]
    watches: "dict[str, asyncpg.Connection[Any]]" = field(default_factory=dict)
    turns: int = 0
    answers: int = 0
    load_seconds: float = 0.0
    seconds: float = 0.0
    driver_cpu: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    cpu: Counter[str] = field(default_factory=Counter)

    async def warm(self, seconds: float) -> None:
        await http_load({**self.plan, "seconds": seconds, "first": 0})
        await _settled(self.watches)

    async def turn(self, seconds: float) -> None:
        """A load, until what it changed is projected."""
        self.turns += 1
        before, cpu_before = await _projected(self.watches), cpu_by_name(self.pids)
        plan = {**self.plan, "seconds": seconds, "first": self.turns * 10_000_000}
        result = await http_load(plan)
        wanted = {service: count + result["answers"] for service, count in before.items()}

        async def has_all() -> bool:
            now = await _projected(self.watches)
            return all(now[service] >= wanted[service] for service in wanted)

        ended = await until(has_all, _DRAIN_SECONDS, "the projections")
        self.seconds += ended - result["began"] if self.watches else result["seconds"]
        self.load_seconds += result["seconds"]
        self.cpu.update(cpu_between(cpu_before, cpu_by_name(self.pids)))
        self.answers += result["answers"]
        self.driver_cpu += result["driver_cpu"]
        self.milliseconds += result["milliseconds"]

    @property
    def creates_per_second(self) -> float:
        return self.answers / self.load_seconds

    def told(self) -> dict[str, Any]:
        return {
            "per_second": self.answers / self.seconds,
            "creates_per_second": self.creates_per_second,
            "creates": self.answers,
            "milliseconds": spread(self.milliseconds),
            "cpu_us": per_thing(dict(self.cpu), self.answers),
            "cpu_us_all": round(sum(self.cpu.values()) / self.answers * 1e6, 1),
            "driver_cpu_us": round(self.driver_cpu / self.answers * 1e6, 1),
            "behind_seconds": round((self.seconds - self.load_seconds) / self.turns, 2),
        }

    def __str__(self) -> str:
        costs = per_thing(dict(self.cpu), self.answers)
        return f"{self.name:9} {self.creates_per_second:7.0f} creates/s   {costs}"


async def alone(bench: Bench, up: Hub, number: int) -> float:
    """The creates of a running hub, per second."""
    async with asked(up) as ours:
        await ours.warm(bench.plan.warm)
        await ours.turn(bench.plan.seconds)
    bench.say(f"  {number} {ours}")
    return ours.creates_per_second


async def beside(bench: Bench, up: Hub, line: Line, number: int) -> float:
    """The creates of a running hub, per second; and those of the monolith, in turns: what happens to the machine happens to both."""
    async with asked(up) as ours, monolith_beside(bench.engines) as other:
        plan = _plan(other.port, other.token, other.facility, f"m{time.time_ns()}")
        theirs = _Asked("monolith", plan, other.pids)
        await ours.warm(bench.plan.warm)
        await theirs.warm(bench.plan.warm)
        for side in (ours, theirs, theirs, ours) if number % 2 else (theirs, ours, ours, theirs):
            with standing_still(up.pids if side is theirs else ()):
                await side.turn(bench.plan.seconds)
    told, others = ours.told(), theirs.told()
    line.values.append(told["per_second"])
    line.reference.append(others["per_second"])
    line.details.setdefault("repeats", []).append({"ours": told, "monolith": others})
    bench.say(f"  {number} {ours}, {told['behind_seconds']} s behind: {line.ratios[-1]:.2f}×")
    bench.say(f"  {number} {theirs}")
    return ours.creates_per_second


@asynccontextmanager
async def asked(up: Hub) -> AsyncIterator[_Asked]:
    """A running hub, ready to be asked by a nurse."""
    facility = (await up.facilities())[FACILITY]
    plan = _plan(up.port, await up.token("nurse"), facility, f"h{time.time_ns()}")
    watches = {service: await up.system(service) for service in _PROJECTIONS}
    try:
        yield _Asked("split" if up.split else "up", plan, up.pids, watches)
    finally:
        for connection in watches.values():
            await connection.close()


def _plan(port: int, token: str, facility: str, run: str) -> dict[str, Any]:
    return {
        "kind": "create",
        "port": port,
        "token": token,
        "facility": facility,
        "run": run,
        "connections": CONNECTIONS,
        "warm": 0.0,
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
