"""The listener: accepts, keeps within its limits, and ends gracefully."""

import asyncio
import logging
import time
from typing import NamedTuple

from prometheus_client import Gauge

from libs.chassis import ids
from libs.chassis.faults import rest
from libs.process.app import Job, Runtime
from services.interop.mllp.connection import CLOSED, IN_WORK, Connection, Desk
from services.interop.mllp.listening import Listening
from services.interop.mllp.senders import Senders
from services.interop.mllp.settings import Door, Settings
from services.interop.mllp.writers import Writer

log = logging.getLogger(__name__)

_GRACE_SECONDS = 10.0
_LOOK_SECONDS = 2.0
# When all places are taken, a connection that has sent nothing for this time gives way.
_PATIENCE_SECONDS = 10.0

CONNECTIONS = Gauge("carehub_mllp_connections", "Open connections.")


def listener(settings: Settings) -> Job:
    """The job that listens for as long as the process answers."""

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


class _Served(NamedTuple):
    """By what a connection is served, and by which door it came in."""

    task: asyncio.Task[None]
    door: Door


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
        self._connections: dict[Connection, _Served] = {}
        self._storing: asyncio.Task[None] | None = None
        self._door = Door()
        self._listening = Listening(lambda: self._door, self._accept)
        self._stamps: list[tuple[int, int]] = []

    @property
    def port(self) -> int:
        return self._listening.port

    async def start(self) -> None:
        self._stamps = self._settings.stamps()
        self._door = self._settings.door()
        await self._listening.open(self._settings.mllp_host, self._settings.mllp_port)
        self._storing = asyncio.create_task(self._store.run())
        log.info("listening for HL7 v2", extra={"port": self.port})

    async def follow_files(self) -> None:
        """Meet whoever connects from now on with what is in the files; while they do not fit together, with what was in them.

        A connection that is open stays, unless an authority is gone: then each has to show once more whose it is. What
        was read is still answered.
        """
        if self._door.tls is None:
            return
        try:
            stamps = await asyncio.to_thread(self._settings.stamps)
            if stamps == self._stamps:
                return
            self._door = await asyncio.to_thread(self._settings.door)
            self._stamps = stamps
        except (OSError, ValueError) as error:  # also an SSLError
            log.warning("certificates not read", extra={"reason": type(error).__name__})
            return
        log.info("new certificates are used")
        for connection, served in self._connections.items():
            if not (connection.is_stopped or self._door.still_believes(served.door)):
                CLOSED.labels("AUTHORITY_GONE").inc()
                connection.stop()

    async def stop(self) -> None:
        """Accept no more, read no more, finish and answer what is in work, close."""
        await self._listening.close()
        for connection in self._connections:
            connection.stop()
        if running := [served.task for served in self._connections.values()]:
            _, late = await asyncio.wait(running, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)

    async def _accept(
        self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if not self._door.still_believes(door):
            _refuse(writer, "AUTHORITY_GONE")
            return
        if not self._make_room():
            _refuse(writer, "TOO_MANY_CONNECTIONS")
            return
        connection = Connection(reader, writer, self._desk, self._store)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served in a task")
        self._connections[connection] = _Served(task, door)
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


def _refuse(writer: asyncio.StreamWriter, reason: str) -> None:
    CLOSED.labels(reason).inc()
    writer.close()
