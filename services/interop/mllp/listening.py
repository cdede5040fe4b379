"""Lets connections in, each by the door of the moment: what asyncio's servers have is one context for as long as they listen."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from services.interop.mllp.connection import CLOSED
from services.interop.mllp.settings import Door

log = logging.getLogger(__name__)

BACKLOG = 256
# When there is no place for one more, as no file can be opened: the kernel keeps who waits.
_PAUSE_SECONDS = 1.0

Welcome = Callable[[Door, asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Listening:
    """Sockets that are listened at. `door`: the one of now; `welcome`: what to do with who came in, and by which one."""

    def __init__(self, door: Callable[[], Door], welcome: Welcome) -> None:
        self._door = door
        self._welcome = welcome
        self._sockets: list[socket.socket] = []
        self._tasks = set[asyncio.Task[None]]()

    @property
    def port(self) -> int:
        if not self._sockets:
            raise RuntimeError("it does not listen")
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def open(self, host: str, port: int) -> None:
        """Listen at every address of the host, or at none: who tries again would find the others taken, by itself."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        try:
            for family, address in dict.fromkeys((each[0], each[4]) for each in found):
                listening = socket.create_server(address, family=family, backlog=BACKLOG)
                listening.setblocking(False)
                self._sockets.append(listening)
        except OSError:
            await self.close()
            raise
        for listening in self._sockets:
            self._go(self._let_in(listening))

    async def close(self) -> None:
        """Let nobody in any more; who is in stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    async def _let_in(self, listening: socket.socket) -> None:
        while True:
            try:
                peer, _ = await asyncio.get_running_loop().sock_accept(listening)
            except OSError as error:
                log.warning("a connection was not let in", extra={"reason": type(error).__name__})
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._go(self._meet(peer, self._door()))

    async def _meet(self, peer: socket.socket, door: Door) -> None:
        """Shake hands. Whoever is slow at that keeps nobody waiting."""
        welcome = partial(self._welcome, door)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), welcome),
                peer,
                ssl=door.tls,
            )
        except OSError:  # also an SSLError
            CLOSED.labels("NO_HANDSHAKE").inc()
            peer.close()
        except asyncio.CancelledError:
            peer.close()
            raise

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
