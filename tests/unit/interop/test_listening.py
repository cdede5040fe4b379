"""Listening at the addresses of a host."""

import asyncio
import socket

import pytest

from services.interop.mllp.listening import Listening
from services.interop.mllp.settings import Door

FIRST, SECOND = "127.0.0.1", "127.0.0.2"


async def nobody(_door, _reader, writer):
    writer.close()


@pytest.fixture
async def _two_addresses(monkeypatch):
    async def both(_host, port, **_hints):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in (FIRST, SECOND)
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)


@pytest.mark.usefixtures("_two_addresses")
async def test_who_cannot_listen_at_one_address_listens_at_none_and_can_be_tried_again():
    """What was left of the first time would hold the port for ever, and answer nobody."""
    with socket.create_server((FIRST, 0)) as free:
        port = free.getsockname()[1]
        taken = socket.create_server((SECOND, port))
    listening = Listening(Door, nobody)
    with taken, pytest.raises(OSError, match="in use"):
        await listening.open("a host of two", port)
    await listening.open("a host of two", port)
    assert listening.port == port
    await listening.close()
