"""Two checkouts beside one another: `python -m tests.performance.beside OTHER` says how much quicker this one is.

Each has engines and a hub of its own. They take turns of a few seconds, first one, then the other, and stand still meanwhile,
so that what happens to the machine happens to both. A ratio is taken within a round. The other checkout has to be set up
(`make setup`) and to have this module.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from tests.performance.bench import Bench, Plan
from tests.performance.figures import per_thing
from tests.performance.hub import Hub, engines, hub
from tests.performance.lines import create, feeds
from tests.performance.machine import ROOT, cpu_between, cpu_by_name, standing_still

_HERE, _THERE = "this", "other"
_TURNS = "--turns"


def main() -> None:
    if sys.argv[1:] == [_TURNS]:
        uvloop.run(_take_turns())
        return
    parser = argparse.ArgumentParser(prog="python -m tests.performance.beside", description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout of another commit")
    parser.add_argument("--rounds", type=int, default=8, help="of creates; of discharges a quarter")
    arguments = parser.parse_args()
    uvloop.run(_compare(arguments.other.resolve(), arguments.rounds))


async def _compare(other: Path, rounds: int) -> None:
    sides = {_HERE: await _Side.begun(ROOT), _THERE: await _Side.begun(other)}
    try:
        for side in sides.values():
            await side.ask({"creates": 3.0})
        creates = await _rounds(sides, rounds, {"creates": 5.0})
        discharges = await _rounds(sides, max(2, rounds // 4), {"discharges": 8.0})
    finally:
        for side in sides.values():
            await side.end()
    _tell("creates a second", creates, "per_second")
    for process in creates[0][_HERE]["cpu_us"]:
        _tell(
            f"CPU of {process}, µs a create",
            [{n: told["cpu_us"] for n, told in each.items()} for each in creates],
            process,
        )
    _tell("discharge → task, p99 in ms", discharges, "p99")


async def _rounds(
    sides: "dict[str, _Side]", count: int, what: dict[str, float]
) -> list[dict[str, Any]]:
    rounds = []
    for number in range(count):
        told = {}
        for name in (_HERE, _THERE) if number % 2 else (_THERE, _HERE):
            told[name] = await sides[name].ask(what)
            _say(f"  {number} {name:5} {told[name]}")
        rounds.append(told)
    return rounds


def _tell(what: str, rounds: list[dict[str, Any]], key: str) -> None:
    ours, theirs = ([each[name][key] for each in rounds] for name in (_HERE, _THERE))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    _say(
        f"{what:32} {statistics.median(ours):8.0f} beside {statistics.median(theirs):8.0f}: "
        f"{statistics.median(ratios):.2f}× ({min(ratios):.2f}-{max(ratios):.2f})"
    )


class _Side:
    """A checkout that takes its turn when it is told to, and stands still until then."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def begun(cls, folder: Path) -> "_Side":
        own = folder / ".venv/bin/python"
        python = own if own.exists() else Path(sys.executable)
        paths = os.pathsep.join(map(str, (folder, folder / "libs/contracts")))
        process = await asyncio.create_subprocess_exec(
            python, "-m", __spec__.name, _TURNS, cwd=folder, env=os.environ | {"PYTHONPATH": paths},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        side = cls(process)
        await side._answer()
        return side

    async def ask(self, what: dict[str, float]) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("a side has ended; what it said stands above")
        told: dict[str, Any] = json.loads(line)
        return told

    async def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()


async def _take_turns() -> None:
    """The side itself: what to do comes as JSON by lines, and what came of it goes."""
    home = Path(tempfile.mkdtemp(prefix="carehub-beside-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    try:
        async with engines(home) as running, hub(running) as up:
            await _do_as_told(up)
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _do_as_told(up: Hub) -> None:
    print("{}", flush=True)
    while wanted := await _next(up):
        told = (
            await _creates(up, wanted["creates"])
            if "creates" in wanted
            else await _discharges(up, wanted["discharges"])
        )
        print(json.dumps(told), flush=True)


async def _next(up: Hub) -> dict[str, float]:
    with standing_still(pid for pid in up.pids if pid != os.getpid()):
        line = await asyncio.to_thread(sys.stdin.readline)
    wanted: dict[str, float] = json.loads(line or "{}")
    return wanted


async def _creates(up: Hub, seconds: float) -> dict[str, Any]:
    async with create.asked(up) as ours:
        before = cpu_by_name(up.pids)
        await ours.turn(seconds)
        spent = cpu_between(before, cpu_by_name(up.pids))
    told = per_thing(spent, ours.answers)
    return {
        "per_second": round(ours.answers / ours.seconds, 1),
        "cpu_us": {name: told[name] for name in ("serve", "work", "postgres", "nats")},
    }


async def _discharges(up: Hub, seconds: float) -> dict[str, Any]:
    plan = Plan(repeats=1, seconds=seconds, warm=0.0, sizes=(), start_repeats=1)
    bench = Bench(plan, up.engines, lambda _: None)
    await feeds.discharges(bench, up, 0)
    milliseconds: dict[str, float] = feeds.discharge_line(bench).details["repeats"][0][
        "milliseconds"
    ]
    return milliseconds


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
