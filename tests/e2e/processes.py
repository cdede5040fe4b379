"""The processes of a hub, and their end as a power cut brings it.

Only of the hub that is asked about: the engines of the whole run's other tests are children of this process, too.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from libs.local.environment import SERVICES
from tests.e2e.region import Region

_ENGINES = ("nats", "postgres")


def victims_of(region: Region) -> tuple[str, ...]:
    """The names of a hub's processes."""
    ours = (*SERVICES, "gateway") if region.settings.split else ("serve", "work")
    return (*ours, *_ENGINES)


def children_of(pid: int) -> list[int]:
    with suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(c) for task in tasks for c in (task / "children").read_text().split()]
    return []


def pid_of(region: Region, name: str) -> int | None:
    """The process of a running hub with this name: serve, work, a service, gateway, nats or postgres."""
    home = str(region.machine.home.resolve()).encode()
    for pid in children_of(os.getpid()):
        with suppress(OSError):
            told = Path(f"/proc/{pid}/cmdline").read_bytes()
            # An engine is told on its command line what is its own, and everybody else in variables.
            where = told if name in _ENGINES else Path(f"/proc/{pid}/environ").read_bytes()
            if home in where and _name(told.rstrip(b"\0").decode().split("\0")) == name:
                return pid
    return None


def _name(words: list[str]) -> str:
    program = Path(words[0]).name
    if program in ("postgres", "nats-server"):
        return program.removesuffix("-server")
    if words[1:4] != ["-m", "services", "serve"]:
        return ""
    served, role = words[4:-2], words[-1]
    return role if len(served) > 1 else served[0]


def kill(region: Region, name: str) -> bool:
    """SIGKILL a process with all that it started; False if it does not run at the moment."""
    pid = pid_of(region, name)
    if pid is None:
        return False
    # PostgreSQL's backends lead groups of their own: the postmaster's group alone would leave them.
    for each in (pid, *children_of(pid)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return True
