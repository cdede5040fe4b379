"""The clock of a demo hub, which can be moved forward, so that a month of somebody's care can be watched in minutes.

`carehub up` tells the processes of a demo, and of nothing else, where its file is; each of them maps the file, so that all
are moved in the same moment. Only a child of `carehub up` follows one; a pod that is told to refuses to start. What does not
move: the machine's clock, and with it the ends of tokens and certificates, PostgreSQL, NATS, and the feeds of the invented
region. The console counts by the hub's clock, which every answer of the gateway tells.
"""

import fcntl
import mmap
import os
import re
import struct
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from libs.chassis import ids
from libs.local.process import write_private

VARIABLE = "CAREHUB_DEMO_CLOCK"
FARTHEST = timedelta(days=3 * 366)
_SECONDS = struct.Struct("<q")
_STEP = re.compile(r"(?P<number>[0-9]{1,5})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class ClockNotMoved(RuntimeError):
    """The clock stays; the message says why."""


def clock_file(home: Path) -> Path:
    """The file of a demo's clock, made if there is none: then it is as late as on the wall."""
    path = home / "demo-clock"
    if not path.exists():
        write_private(path, _SECONDS.pack(0))
    return path


def ahead_of(path: Path) -> Callable[[], timedelta]:
    """How far the clock of the file is ahead, now and whenever it is asked."""
    with path.open("rb") as file:
        shared = mmap.mmap(file.fileno(), _SECONDS.size, access=mmap.ACCESS_READ)
    return lambda: timedelta(seconds=_SECONDS.unpack_from(shared)[0])


def follow(env: Mapping[str, str]) -> None:
    """Have the clock of this process be the demo's, if it was told of one by the `carehub up` that started it."""
    if not (path := env.get(VARIABLE)):
        return
    if env.get("CAREHUB_PARENT_PID") != str(os.getppid()):
        raise ClockNotMoved(
            f"{VARIABLE} is for the children of `carehub up`; unset it: this is no demo"
        )
    ids.keep_ahead(ahead_of(Path(path)))


def move(env: Mapping[str, str], by: timedelta) -> timedelta:
    """Move the clock of the hub of this machine, and say how far it is ahead since. Never back: what was, was."""
    if not (path := env.get(VARIABLE)):
        raise ClockNotMoved("only the clock of a demo can be moved, and the hub here is none")
    if by < timedelta():
        raise ClockNotMoved(
            "a clock that goes back would let things happen twice; it only goes forward"
        )
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        ahead = timedelta(seconds=_SECONDS.unpack(os.pread(handle, _SECONDS.size, 0))[0]) + by
        if ahead > FARTHEST:
            raise ClockNotMoved(
                f"it would be more than {FARTHEST.days} days ahead; begin anew in another CAREHUB_HOME"
            )
        # In place, and at once: whoever mapped the file sees either number.
        os.pwrite(handle, _SECONDS.pack(round(ahead.total_seconds())), 0)
    finally:
        os.close(handle)
    return ahead


def to_step(text: str) -> timedelta:
    """How far "2d", "90m" or "1d12h" is."""
    parts = list(_STEP.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        raise ClockNotMoved(f"{text!r} is no time to move by; write 2d, 12h, 90m or 1d12h")
    return sum((timedelta(**{_UNITS[p["unit"]]: int(p["number"])}) for p in parts), timedelta())
