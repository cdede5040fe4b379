"""What a hub takes to be there: memory, and the time until it can be used."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from libs.local.process import free_port
from tests.performance.bench import Bench
from tests.performance.figures import Line
from tests.performance.hub import Hub
from tests.performance.machine import BENCH, ROOT, memory_by_name

GIB = 1024.0
_START_SECONDS = 300.0


def memory_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="memory",
            what="memory of `up`, after the loads",
            unit="MiB",
            floor=1.5 * GIB,
            aim=1.0 * GIB,
            better="less",
            how="Proportional set size of all its processes, PostgreSQL and NATS and the supervisor with them",
        )
    )


def idle_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="memory-idle",
            what="memory of `up`, just started",
            unit="MiB",
            floor=1.5 * GIB,
            aim=1.0 * GIB,
            better="less",
            how="The same, before any load",
        )
    )


def first_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="start-first",
            what="first start of `carehub up`",
            unit="s",
            floor=300,
            better="less",
            how=_STARTS,
        )
    )


def second_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="start-second", what="second start", unit="s", floor=15, better="less", how=_STARTS
        )
    )


def note_memory(bench: Bench, line: Line, up: Hub, number: int) -> None:
    """With the supervisor as `starts` found it: here the bench does its work, and takes more."""
    mib = memory_by_name(up.pids)
    mib["up"] = bench.supervisor_mib or mib[BENCH]
    del mib[BENCH]
    line.values.append(sum(mib.values()))
    line.details.setdefault("repeats", []).append({k: round(v, 1) for k, v in mib.items()})
    parts = ", ".join(f"{name} {value:.0f}" for name, value in sorted(mib.items()))
    bench.say(f"  {number} {line.key:13} {sum(mib.values()):7.0f} MiB: {parts}")


async def starts(bench: Bench) -> None:
    """The first start of a home, and the second."""
    first, second = first_line(bench), second_line(bench)
    for number in range(bench.plan.start_repeats):
        home = Path(tempfile.mkdtemp(prefix="carehub-bench-start-"))
        home.chmod(0o711)
        try:
            for line in (first, second):
                line.values.append(await _start(bench, home))
                bench.say(f"  {number} {line.what:28} {line.values[-1]:.1f} s")
        finally:
            shutil.rmtree(home, ignore_errors=True)


_STARTS = "From the command to the line that says it is ready; packages installed, contracts generated, no demo feeds"


async def _start(bench: Bench, home: Path) -> float:
    env = {
        **os.environ,
        "CAREHUB_HOME": str(home),
        "CAREHUB_HTTP_PORT": str(free_port()),
        "CAREHUB_MLLP_PORT": str(free_port()),
    }
    began = time.perf_counter()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services", "up", "--no-feeds",
        cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_START_SECONDS):
            assert child.stdout is not None
            async for line in child.stdout:
                if b"is ready" in line:
                    took = time.perf_counter() - began
                    bench.supervisor_mib = memory_by_name([child.pid]).get("up", 0.0)
                    return took
        raise RuntimeError("`carehub up` ended before it was ready")
    finally:
        child.terminate()
        await child.wait()
