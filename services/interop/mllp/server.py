"""The listener: accepts, keeps within its limits, and ends gracefully."""

import asyncio
import logging
import ssl
import time

from prometheus_client import Gauge

from libs.chassis import ids
from libs.chassis.app import Job, Runtime
from libs.chassis.faults import rest
from services.interop.mllp.connection import CLOSED, IN_WORK, Connection, Desk
from services.interop.mllp.senders import Senders
from services.interop.mllp.settings import Settings
from services.interop.mllp.writers import Writer

log = logging.getLogger(__name__)

_GRACE_SECONDS = 10.0
_LOOK_SECONDS = 2.0
# When all places are taken, a connection that has sent nothing for this time gives way.
_PATIENCE_SECONDS = 10.0

CONNECTIONS = Gauge("carehub_mllp_connections", "Open connections.")


def listener(settings: Settings) -> Job:
    """The job that listens for as long as the process works."""

    async def run(runtime: Runtime) -> None:
        server = MllpServer(settings, runtime)
        await server.start()
        try:
            while not runtime.stopping.is_set():
                await rest(runtime.stopping, _LOOK_SECONDS)
                await server.follow_files()
        finally:
            await server.stop()

    return Job("interop-mllp", run)


class MllpServer:
    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._desk = Desk(
            senders=Senders(runtime.database),
            now=runtime.now,
            new_id=ids.new_id,
            most_bytes=settings.mllp_max_bytes,
            frame_seconds=settings.mllp_frame_seconds,
        )
        # One for all: while a batch commits, the next one grows, and a commit costs more than what it holds.
        self._store = Writer(runtime, IN_WORK)
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._storing: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self._stamps: list[tuple[int, int]] = []

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("it does not listen")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        self._tls = self._settings.tls()
        self._stamps = self._settings.stamps()
        self._server = await asyncio.start_server(
            self._accept,
            self._settings.mllp_host,
            self._settings.mllp_port,
            ssl=self._tls,
            backlog=256,
        )
        self._storing = asyncio.create_task(self._store.run())
        log.info("listening for HL7 v2", extra={"port": self.port})

    async def follow_files(self) -> None:
        """Show whoever connects from now on the certificate that is in the files; the one of before while it does not fit."""
        if self._tls is None:
            return
        try:
            stamps = await asyncio.to_thread(self._settings.stamps)
            if stamps != self._stamps:
                # First one of its own: a key that does not fit would spoil the one in use.
                await asyncio.to_thread(self._settings.tls)
                self._settings.load_into(self._tls)
                self._stamps = stamps
                log.info("new certificates are used")
        except (OSError, ssl.SSLError, ValueError) as error:
            log.warning("certificates not read", extra={"reason": type(error).__name__})

    async def stop(self) -> None:
        """Accept no more, read no more, finish and answer what is in work, close."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.stop()
        if running := list(self._connections.values()):
            _, late = await asyncio.wait(running, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._make_room():
            CLOSED.labels("TOO_MANY_CONNECTIONS").inc()
            writer.close()
            return
        connection = Connection(reader, writer, self._desk, self._store)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served in a task")
        self._connections[connection] = task
        CONNECTIONS.set(len(self._connections))
        try:
            await connection.run()
        except Exception:
            log.exception("a connection failed")
        finally:
            del self._connections[connection]
            CONNECTIONS.set(len(self._connections))

    def _make_room(self) -> bool:
        """Whether one more may come in: the one that has rested longest gives way, those that nobody knows first."""
        if len(self._connections) < self._settings.mllp_max_connections:
            return True
        since = time.monotonic() - _PATIENCE_SECONDS
        resting = [c for c in self._connections if c.heard_at < since and not c.is_stopped]
        if not resting:
            return False
        CLOSED.labels("GAVE_WAY").inc()
        min(resting, key=lambda c: (c.is_known, c.heard_at)).stop()
        return True
