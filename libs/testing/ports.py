"""Ports for servers that start later, or again."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from libs.local.process import free_port


@contextmanager
def held(count: int) -> Iterator[list[int]]:
    """Ports on loopback that nobody else gets while the block runs, whether or not their servers listen.

    For servers that share a port with others of their user, as those of gRPC do: a socket that is
    bound and does not listen takes no connection from them.
    """
    with ExitStack() as stack:
        yield [_hold(stack.enter_context(socket.socket())) for _ in range(count)]


def _hold(holder: socket.socket) -> int:
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", free_port()))
    port: int = holder.getsockname()[1]
    return port
