"""What the machine tells: who it is, the CPU time and the memory of our processes, by what they are."""

import os
import platform
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BENCH = "bench"
_NO_HUB = ("postgres", "nats", "monolith", BENCH)
_TICKS = os.sysconf("SC_CLK_TCK")
# What can be otherwise at the end of a run.
PASSING = ("load", "ten million additions")


def description() -> dict[str, str]:
    """The machine and the code that figures belong to."""
    return {
        "cpu": _cpu_model(),
        "cpus": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": commit(),
        "load": f"{os.getloadavg()[0]:.2f}",
        "ten million additions": f"{_additions():.2f} s",
    }


def _additions() -> float:
    """CPU seconds: what an absolute figure of another day or another machine is to be read with."""
    began = time.process_time()
    for _ in range(10):
        total = 0
        for number in range(1_000_000):
            total += number
    return time.process_time() - began


def commit() -> str:
    with suppress(OSError, subprocess.CalledProcessError):
        found = _git("rev-parse", "--short", "HEAD")
        return f"{found} with changes" if _git("status", "--porcelain") else found
    return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


@dataclass(frozen=True, slots=True)
class Process:
    """One process: what it is called here, and the CPU seconds that it and its ended children took."""

    pid: int
    name: str
    cpu: float


def tree(roots: Iterable[int]) -> list[Process]:
    """These processes and all below them."""
    found: dict[int, Process] = {}
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid in found:
            continue
        with suppress(OSError, ValueError, IndexError):
            waiting += _children(pid)
            found[pid] = Process(pid, _name(pid), _cpu(pid))
    return list(found.values())


def cpu_by_name(roots: Iterable[int]) -> dict[str, float]:
    """CPU seconds so far, by what the processes are. PostgreSQL's backends are one; the bench itself is left out."""
    seconds: dict[str, float] = {}
    for each in tree(roots):
        if each.name != BENCH:
            seconds[each.name] = seconds.get(each.name, 0.0) + each.cpu
    return seconds


def cpu_between(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: max(0.0, after[name] - before.get(name, 0.0)) for name in sorted(after)}


@contextmanager
def standing_still(roots: Iterable[int]) -> Iterator[None]:
    """The processes of a hub do nothing meanwhile: also at rest it polls, and takes from whoever is measured beside it."""
    stopped = [each.pid for each in tree(roots) if each.name not in _NO_HUB]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def memory_by_name(roots: Iterable[int]) -> dict[str, float]:
    """MiB by what the processes are; pages that several share are counted once among them (PSS)."""
    mib: dict[str, float] = {}
    for each in tree(roots):
        with suppress(OSError):
            mib[each.name] = mib.get(each.name, 0.0) + _pss(each.pid)
    return mib


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _cpu(pid: int) -> float:
    # Fields 14 to 17, counted behind the name, which may hold spaces: own and ended children's, user and system.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[at]) for at in (11, 12, 13, 14)) / _TICKS


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    program = Path(words[0].split()[0]).name if words[0].split() else ""
    if program.startswith("postgres"):
        return "postgres"
    if program.startswith("nats-server"):
        return "nats"
    if "services" in words and "serve" in words:
        served = words[words.index("serve") + 1 : words.index("--role")]
        role = words[words.index("--role") + 1]
        return role if len(served) > 1 else served[0]
    if any("monolith" in word for word in words) or "multiprocessing" in " ".join(words):
        return "monolith"
    return "up" if "up" in words else BENCH
