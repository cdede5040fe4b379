"""The head of a request, on the network: how large it may be, and how long it may take."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.api import heads
from gateway.api.heads import LARGEST_HEAD
from gateway.api.serve import serve
from libs.local.process import free_port
from tests.unit.gateway.doubles import Neighbors

GET = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n"


class Connection:
    """One client, and what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def answer(self) -> tuple[int, dict[str, str]]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers

    async def is_closed(self) -> bool:
        """Once the other side ends it; whatever is told before that is too much."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True


@pytest.fixture
async def dial(neighbors: Neighbors):
    port, stopping = free_port(), asyncio.Event()
    env = {
        "GATEWAY_PORT": str(port),
        "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "GATEWAY_ISSUER": "http://127.0.0.1:1/realms/none",
        "GATEWAY_CLIENT_SECRET": "none",
        "GATEWAY_LEAVE_SECONDS": "0",
    }
    serving = asyncio.create_task(serve(neighbors, env, stopping))

    @asynccontextmanager
    async def connected():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(60):
                yield Connection(reader, writer)
        finally:
            writer.close()

    for _ in range(200):
        try:
            async with connected():
                break
        except OSError:
            await asyncio.sleep(0.05)
    yield connected
    stopping.set()
    await serving


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X-Long: " + b"x" * LARGEST_HEAD,
        GET + b"x" * LARGEST_HEAD,
        GET + b"A: b\r\n" * LARGEST_HEAD,
        b"GET /" + b"x" * LARGEST_HEAD,
        b"\r\n" * LARGEST_HEAD,
    ],
    ids=["a value", "a name", "many", "the path", "nothing at all"],
)
async def test_a_head_that_is_too_large_is_refused_as_soon_as_it_is(dial, head):
    async with dial() as client:
        client.send(head[:LARGEST_HEAD])
        status, headers = await client.answer()
        assert (status, headers["connection"]) == (431, "close")
        assert await client.is_closed()


async def test_a_head_may_be_as_large_as_that(dial):
    head = GET + b"X-Long: "
    async with dial() as client:
        client.send(head, b"x" * (LARGEST_HEAD - len(head) - 4), b"\r\n\r\n")
        assert (await client.answer())[0] == 200
        client.send(head, b"x" * (LARGEST_HEAD - len(head) - 4), b"\r\n\r\n")
        assert (await client.answer())[0] == 200


async def test_what_is_no_request_is_that_and_nothing_besides(dial):
    async with dial() as client:
        client.send(b"GET", b"\0" * (LARGEST_HEAD - 3))
        assert (await client.answer())[0] == 400
        assert await client.is_closed()


async def test_endless_heads_come_to_an_end(dial):
    async with dial() as client:
        client.send(GET, b"X-Long: ")
        with pytest.raises(ConnectionError):
            while True:
                client.send(b"x" * LARGEST_HEAD)
                await client.writer.drain()
                await asyncio.sleep(0)


async def test_many_heads_in_a_row_are_none_that_is_large(dial):
    number = 2 * LARGEST_HEAD // len(GET)
    async with dial() as client:
        client.send((GET + b"\r\n") * number)
        for _ in range(number):
            assert (await client.answer())[0] == 200


POST = b"POST /v1/tasks/t:claim HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer good\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


async def test_a_body_is_no_part_of_a_head(dial):
    body = b" " * (8 * LARGEST_HEAD)
    async with dial() as client:
        client.send(POST, b"Content-Length: %d\r\n\r\n" % len(body), body, GET, b"\r\n")
        assert "x-request-id" in (await client.answer())[1]
        assert (await client.answer())[0] == 200


async def test_small_chunks_are_taken_and_endless_trailers_are_not(dial):
    async with dial() as client:
        client.send(CHUNKED, b"1\r\n \r\n" * LARGEST_HEAD, b"0\r\n\r\n")
        assert "x-request-id" in (await client.answer())[1]
        client.send(CHUNKED, b"1\r\n \r\n0\r\nX-Long: ", b"x" * 2 * LARGEST_HEAD)
        assert await client.is_closed()


@pytest.mark.parametrize("begin", [b"", b"\r\n", b"GET /he", GET])
async def test_a_head_that_does_not_come_in_time_ends_the_connection(dial, monkeypatch, begin):
    monkeypatch.setattr(heads, "HEAD_TAKES", 0.1)
    async with dial() as client:
        client.send(begin)
        assert await client.is_closed()


@pytest.mark.parametrize("begin", [b"\r\n", b"GET /he", GET])
async def test_so_does_one_that_is_not_the_first(dial, monkeypatch, begin):
    async with dial() as client:
        client.send(GET, b"\r\n")
        assert (await client.answer())[0] == 200
        monkeypatch.setattr(heads, "HEAD_TAKES", 0.1)
        client.send(begin)
        assert await client.is_closed()


async def test_one_that_comes_byte_by_byte_has_no_more_time(dial, monkeypatch):
    monkeypatch.setattr(heads, "HEAD_TAKES", 0.1)
    async with dial() as client:
        client.send(GET, b"X-Long: ")
        closing = asyncio.create_task(client.is_closed())
        while not (closing.done() or client.writer.is_closing()):
            client.send(b"x")
            await asyncio.sleep(0)
        assert await closing


async def test_an_answer_may_take_longer_than_a_head(dial, neighbors, monkeypatch):
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def keys(request):
        asked.set()
        await may_answer.wait()
        return neighbors.keys(request)

    neighbors.answers["GetCallerKeys"] = keys
    monkeypatch.setattr(heads, "HEAD_TAKES", 0.5)
    async with dial() as client, dial() as silent:
        client.send(b"GET /readyz HTTP/1.1\r\nHost: hub\r\n\r\n")
        await asked.wait()
        assert await silent.is_closed()  # whose time began later
        may_answer.set()
        assert (await client.answer())[0] == 200
