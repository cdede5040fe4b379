"""The supervisor: children come back after a crash, and end in order."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from libs.local.process import (
    ProcessFailed,
    Supervisor,
    claim_home,
    is_alive,
    open_log,
    spawn,
    tail,
    wait_until_ready,
)

WAIT = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(600)",
]


async def yes() -> bool:
    return True


async def until(condition, within: float = 30) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_killed_child_is_started_again(home: Path, said: list[str]) -> None:
    supervisor = Supervisor(home, said.append)
    await supervisor.start("worker", WAIT, {}, yes)
    first = supervisor.pids["worker"]
    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.pids["worker"] != first)
    second = supervisor.pids["worker"]
    await until(lambda: "worker is back." in said)
    assert is_alive(second)
    assert said[0] == "worker ended with exit code -9; again in 0.2 s."
    await supervisor.stop_all()
    assert not is_alive(second)


async def test_a_child_that_keeps_crashing_gets_longer_pauses(home: Path, said: list[str]) -> None:
    supervisor = Supervisor(home, said.append)
    flag = home / "flag"
    flag.touch()
    crash = f"import os, sys, time; os.path.exists({str(flag)!r}) or sys.exit(3); time.sleep(600)"
    await supervisor.start("worker", [sys.executable, "-c", crash], {}, yes)
    await asyncio.sleep(0.3)
    flag.unlink()
    os.kill(supervisor.pids["worker"], signal.SIGKILL)
    await until(lambda: any("again in 0.8 s" in line for line in said), within=60)
    await supervisor.stop_all()
    assert "worker ended with exit code 3; again in 0.4 s." in said


async def test_children_end_in_reverse_order(home: Path, said: list[str]) -> None:
    ended = home / "ended"
    note = (
        "import signal, sys, time\n"
        f"def end(*_): open({str(ended)!r}, 'a').write(sys.argv[1] + ' '); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready', flush=True)\ntime.sleep(600)"
    )
    supervisor = Supervisor(home, said.append)
    for name in ("one", "two", "three"):

        async def ready(name: str = name) -> bool:
            return "ready" in tail(home / "logs" / f"{name}.log")

        await supervisor.start(name, [sys.executable, "-c", note, name], {}, ready)
    await supervisor.stop_all()
    assert ended.read_text() == "three two one "
    assert said == []


async def test_a_child_that_never_becomes_ready_is_an_error_with_its_last_words(
    home: Path, said: list[str]
) -> None:
    supervisor = Supervisor(home, said.append)
    complain = [sys.executable, "-c", "import sys; sys.exit('the disk is full')"]

    async def never() -> bool:
        raise ConnectionRefusedError

    with pytest.raises(ProcessFailed, match=r"exit code 1 before it was ready[\s\S]*disk is full"):
        await supervisor.start("worker", complain, {}, never)
    assert supervisor.pids == {}

    child = spawn("slow", WAIT, home=home)
    with pytest.raises(ProcessFailed, match=r"not ready within 0\.2 s"):
        await wait_until_ready(child, never, within=0.2)
    child.kill()


async def test_a_child_deaf_to_signals_is_killed_with_its_group(home: Path) -> None:
    child = spawn("deaf", STUBBORN, home=home)
    await until(lambda: child.last_words() == "deaf")
    await child.stop(grace=0.2)
    assert child.exit_code == -signal.SIGKILL


async def test_a_cancelled_start_leaves_nothing_behind(home: Path, said: list[str]) -> None:
    supervisor = Supervisor(home, said.append)

    async def never() -> bool:
        return False

    starting = asyncio.create_task(supervisor.start("worker", WAIT, {}, never))
    await until(lambda: supervisor.pids)
    pid = supervisor.pids["worker"]
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not is_alive(pid)


def test_a_large_log_is_moved_aside_at_start(home: Path, monkeypatch) -> None:
    monkeypatch.setattr("libs.local.process.LOG_LIMIT", 10)
    log = open_log(home, "worker")
    log.write_text("more than ten bytes")
    assert open_log(home, "worker").read_text() == ""
    assert log.with_name("worker.log.1").read_text() == "more than ten bytes"


async def test_a_home_has_one_run_at_a_time_and_a_killed_run_lets_go(home: Path) -> None:
    hold = (
        "import sys, time\nfrom pathlib import Path\nfrom libs.local.process import claim_home\n"
        "with claim_home(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)"
    )
    run = spawn("run", [sys.executable, "-c", hold, str(home)], home=home)
    await until(lambda: "held" in run.last_words())
    with pytest.raises(ProcessFailed, match="already running"), claim_home(home):
        pass
    run.kill()
    with claim_home(home):
        assert not run.is_running()
