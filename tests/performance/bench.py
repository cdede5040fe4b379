"""What every line needs: how long and how often, the engines, and loads run in processes of their own."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.performance.figures import Line
from tests.performance.hub import Engines
from tests.performance.machine import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for."""

    repeats: int
    seconds: float
    warm: float
    sizes: tuple[int, ...]
    start_repeats: int


@dataclass(slots=True)
class Bench:
    plan: Plan
    engines: Engines
    say: Callable[[str], None]
    lines: dict[str, Line] = field(default_factory=dict)
    growth: list[dict[str, Any]] = field(default_factory=list)
    # What the supervisor of a real `carehub up` takes; the bench does its work here, and takes more.
    supervisor_mib: float = 0.0
    failures: list[str] = field(default_factory=list)

    def line(self, line: Line) -> Line:
        """This line, or what an earlier repeat began of it."""
        return self.lines.setdefault(line.key, line)


async def http_load(plan: dict[str, Any]) -> dict[str, Any]:
    """Run a load over HTTP. Fails if anything but success was answered: a refusal is quick, and no figure."""
    result = await _load("http_load", plan)
    wrong = {code: n for code, n in result["statuses"].items() if code != "200"}
    if wrong or result["lost"]:
        raise RuntimeError(f"answers {wrong}, {result['lost']} lost: {result['refused']}")
    return result


async def mllp_load(plan: dict[str, Any]) -> dict[str, Any]:
    result = await _load("mllp_load", plan)
    wrong = {code: n for code, n in result["codes"].items() if code != "AA"}
    if wrong or result["lost"]:
        raise RuntimeError(f"acknowledged {wrong}, {result['lost']} lost: {result['refused']}")
    return result


async def _load(module: str, plan: dict[str, Any]) -> dict[str, Any]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.performance.{module}",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**28,
    )
    out, _ = await child.communicate(json.dumps(plan).encode())
    if child.returncode:
        raise RuntimeError(f"the load {module} failed")
    result: dict[str, Any] = json.loads(out)
    return result


async def until(
    condition: Callable[[], Any], seconds: float, what: str, every: float = 0.02
) -> float:
    """Wait for a condition; when it came true."""
    ends = time.time() + seconds
    while not await condition():
        if time.time() > ends:
            raise TimeoutError(f"{what}: not within {seconds:.0f} seconds")
        await asyncio.sleep(every)
    return time.time()


RESULTS = Path(__file__).parent / "results"
