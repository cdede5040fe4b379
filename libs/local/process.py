"""Processes on one machine: start, wait until ready, stop, and start again after a crash.

Every child has a session of its own, so Ctrl-C in the terminal reaches only the supervisor, which
then ends its children in order. A child outlives a killed supervisor; the next one adopts it.
"""

import asyncio
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Say = Callable[[str], None]
Ready = Callable[[], Awaitable[bool]]

LOG_LIMIT = 20 * 1024 * 1024
LINES_TOLD = 15
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
# A child that ran this long was well: its next crash is a new story, with the first pause again.
WELL_AFTER = 30.0


class ProcessFailed(RuntimeError):
    """A process did not become ready; the message quotes the end of its log."""


@dataclass(frozen=True, slots=True)
class User:
    """The account that a child runs as, where that is not our own."""

    uid: int
    gid: int


class Child:
    """A process of ours: started here, or left behind by an earlier run and adopted."""

    def __init__(
        self,
        name: str,
        pid: int,
        log: Path,
        *,
        started: subprocess.Popen[bytes] | None = None,
        log_from: int = 0,
    ) -> None:
        self.name = name
        self.pid = pid
        self.log = log
        self._started = started
        self._log_from = log_from

    @property
    def exit_code(self) -> int | None:
        """The exit code of a child that has ended; never known of an adopted one."""
        return self._started.poll() if self._started else None

    def is_running(self) -> bool:
        return self._started.poll() is None if self._started else is_alive(self.pid)

    def last_words(self) -> str:
        """Return the end of what this child has logged since it was started."""
        return tail(self.log, since=self._log_from)

    async def wait(self) -> int | None:
        """Wait for the end of the child, however long that takes; return its exit code."""
        if self.is_running():
            await _exit_of(self.pid)
        while self.is_running():
            await asyncio.sleep(0.1)
        return self.exit_code

    async def stop(
        self, *, signals: Sequence[signal.Signals] = (signal.SIGTERM,), grace: float = 10.0
    ) -> None:
        """Ask with one signal after the other, each with its grace; then insist."""
        for number in signals:
            if not self.is_running():
                return
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self.wait()
        if self.is_running():
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """End the child and its process group now, without asking."""
        if not self.is_running():
            return
        with suppress(ProcessLookupError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        if self._started:
            self._started.wait()


def spawn(
    name: str,
    argv: Sequence[str],
    *,
    home: Path,
    env: Mapping[str, str] | None = None,
    user: User | None = None,
    cwd: Path | None = None,
) -> Child:
    """Start a child in a session of its own; what it says goes to home/logs/<name>.log.

    Without `env` it inherits ours.
    """
    log = open_log(home, name)
    with log.open("ab") as output:
        before = output.tell()
        started = subprocess.Popen(  # no shell reads the arguments
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            umask=0o077,
            start_new_session=True,
        )
    return Child(name, started.pid, log, started=started, log_from=before)


async def wait_until_ready(child: Child, ready: Ready, *, within: float = 60.0) -> None:
    """Return when `ready` says so; ProcessFailed if the child ends or takes too long.

    A refused connection inside `ready` counts as "not yet".
    """
    pause = 0.02
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            while child.is_running():
                with suppress(OSError):
                    if await ready():
                        return
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 0.25)
    happened = (
        f"was not ready within {within:g} s"
        if child.is_running()
        else f"ended with exit code {child.exit_code} before it was ready"
    )
    raise ProcessFailed(
        f"{child.name} {happened}. The end of {child.log}:\n{child.last_words() or '(nothing)'}"
    )


@dataclass(slots=True)
class _Watched:
    """One supervised child: how to start it, and the task that does so again."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready: Ready
    child: Child
    since: float = field(default_factory=time.monotonic)
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps children running until `stop_all`; ends nothing that it did not start."""

    def __init__(
        self, home: Path, say: Say, *, ready_within: float = 60.0, grace: float = 15.0
    ) -> None:
        self._home = home
        self._say = say
        self._ready_within = ready_within
        self._grace = grace
        self._watched: list[_Watched] = []

    @property
    def pids(self) -> Mapping[str, int]:
        """The process of each child as of now, in the order of their start."""
        return {watched.name: watched.child.pid for watched in self._watched}

    async def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], ready: Ready
    ) -> None:
        """Start a child, return when it is ready, and from then on restart it if it ends.

        A child that does not become ready the first time is an error, not a restart.
        """
        child = spawn(name, argv, home=self._home, env=env)
        watched = _Watched(name, tuple(argv), dict(env), ready, child)
        self._watched.append(watched)
        try:
            await wait_until_ready(child, ready, within=self._ready_within)
        except BaseException:
            self._watched.remove(watched)
            await asyncio.shield(child.stop(grace=self._grace))
            raise
        watched.task = asyncio.create_task(self._watch(watched), name=f"watch {name}")

    async def stop_all(self) -> None:
        """End the children, the youngest first, each with its grace."""
        while self._watched:
            watched = self._watched.pop()
            if watched.task:
                watched.task.cancel()
                await asyncio.gather(watched.task, return_exceptions=True)
            await watched.child.stop(grace=self._grace)

    async def _watch(self, watched: _Watched) -> None:
        pause = FIRST_PAUSE
        while True:
            code = await watched.child.wait()
            if time.monotonic() - watched.since > WELL_AFTER:
                pause = FIRST_PAUSE
            self._say(f"{watched.name} ended with exit code {code}; again in {pause:g} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            await self._start_again(watched)

    async def _start_again(self, watched: _Watched) -> None:
        """Start a child that has ended; if it fails, leave it ended for the next round."""
        try:
            watched.child = spawn(watched.name, watched.argv, home=self._home, env=watched.env)
            watched.since = time.monotonic()
            await wait_until_ready(watched.child, watched.ready, within=self._ready_within)
        except (ProcessFailed, OSError) as error:
            self._say(f"{watched.name} did not come back: {error}")
            await watched.child.stop(grace=self._grace)
        else:
            self._say(f"{watched.name} is back.")


def make_home(home: Path) -> None:
    """Make the folder of one CareHub; root's lets the account of PostgreSQL pass through."""
    home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


@contextmanager
def claim_home(home: Path) -> Iterator[None]:
    """Hold a home for one run; ProcessFailed if another run holds it.

    Without it a second run would adopt the first one's engines and end them when it ends itself.
    """
    make_home(home)
    with (home / "running").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProcessFailed(f"CareHub is already running in {home}.") from None
        yield  # the system lets go of the lock however this process ends


def private_folder(path: Path) -> Path:
    """Make a folder that only we may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file that only we may read, whole or not at all."""
    private_folder(path.parent)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    new.replace(path)


def open_log(home: Path, name: str) -> Path:
    """Return the log file of a child, moved aside first if it has grown too large."""
    log = private_folder(home / "logs") / f"{name}.log"
    log.touch(mode=0o600)
    if log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{name}.log.1"))
        log.touch(mode=0o600)
    return log


def tail(log: Path, *, since: int = 0) -> str:
    """Return the last lines of a log, none of them from before the byte `since`."""
    with suppress(OSError), log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(since, end - 16_384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-LINES_TOLD:])
    return ""


# For whose file, where it is kept.
_given: dict[int, Path | None] = {}


def free_port() -> int:
    """A port that nobody listens at, below those that the system gives to outgoing connections.

    One of those may be taken between our look and our use. Nor is any given twice by a process:
    between its look and its use lie other looks.
    """
    for _ in range(1000):
        port = random.randint(20_000, 32_000)  # noqa: S311 not a secret
        if port not in _given and is_free(port):
            _given[port] = None
            return port
    raise RuntimeError("there is no free port")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Without it, connections that linger from the previous run would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def kept_port(home: Path, name: str, wanted: int = 0) -> int:
    """Return the wanted port, or the one of the last run while it is free, or another; keep it."""
    file = home / "ports" / name
    port = wanted
    if not port:
        with suppress(OSError, ValueError):
            port = int(file.read_text())
        if not (0 < port < 65_536 and _given.get(port, file) == file and is_free(port)):
            port = free_port()
        _given[port] = file
    write_private(file, f"{port}\n")
    return port


def is_alive(pid: int) -> bool:
    """Say whether a process exists and has not ended (a zombie has)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def command_line(pid: int) -> str:
    """Return the arguments of a process joined by blanks, or nothing if it is gone."""
    if Path("/proc/self/cmdline").exists():
        with suppress(OSError):
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
            return raw.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
        return ""
    return subprocess.run(
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        check=False,
        text=True,
    ).stdout.strip()


async def _exit_of(pid: int) -> None:
    """Return when a process has ended, where the system can tell; at once where it cannot."""
    if sys.platform != "linux":
        return
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def note() -> None:
        # The handle stays readable: the loop may call again before it is removed.
        if not ended.done():
            ended.set_result(None)

    loop.add_reader(handle, note)
    try:
        await ended
    finally:
        loop.remove_reader(handle)
        os.close(handle)
