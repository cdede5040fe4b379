"""A cheap HTTP load: connections that ask again as soon as they are answered. A process of its own, so that its work shows.

Reads a plan as JSON from standard input, prints what came of it as JSON. An HTTP library would cost more than what it
measures: this writes prepared bytes, and reads of an answer its status and its length.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import uvloop

from tests.performance.requests import requests_of


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = bytearray()
        self._sent_at = 0.0
        self._needed = 0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.next()

    def next(self) -> None:
        """Ask the next thing, or end."""
        request = self._load.next()
        if request is None or self._transport is None:
            if self._transport:
                self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._needed:
            head_end = self._buffer.find(b"\r\n\r\n")
            if head_end < 0:
                return
            self._needed = head_end + 4 + _length(bytes(self._buffer[:head_end]))
        if len(self._buffer) < self._needed:
            return
        status = int(self._buffer[9:12])
        if status >= 300 and len(self._load.samples) < 3:
            self._load.samples.append(bytes(self._buffer[-300:]).decode(errors="replace"))
        self._load.answered(status, self._sent_at)
        del self._buffer[: self._needed]
        self._needed = 0
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._load.lost += 1
            self.done.set_result(None)


class Load:
    """What all connections share: what to ask, until when, and how it went."""

    def __init__(self, requests: Iterator[bytes], warm: float, seconds: float) -> None:
        self._requests = requests
        self.began = time.time()
        self._counts_from = time.perf_counter() + warm
        self._ends = self._counts_from + seconds
        self.milliseconds: list[float] = []
        self.statuses: dict[int, int] = {}
        self.samples: list[str] = []
        self.lost = 0
        self.all = 0
        self.last_at = self._counts_from

    def next(self) -> bytes | None:
        if time.perf_counter() >= self._ends:
            return None
        return next(self._requests, None)

    def answered(self, status: int, sent_at: float) -> None:
        now = time.perf_counter()
        self.all += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if sent_at >= self._counts_from:
            self.milliseconds.append((now - sent_at) * 1000)
            self.last_at = now

    def result(self, cpu: float) -> dict[str, Any]:
        took = max(self.last_at - self._counts_from, 1e-9)
        return {
            "began": self.began,
            "answers": self.all,
            "counted": len(self.milliseconds),
            "seconds": took,
            "per_second": len(self.milliseconds) / took,
            "statuses": self.statuses,
            "lost": self.lost,
            "refused": self.samples,
            "milliseconds": self.milliseconds,
            "driver_cpu": cpu,
        }


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    if at < 0:
        return 0
    return int(head[at + 15 :].split(b"\r\n", 1)[0])


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    load = Load(_endless(requests_of(plan)), plan["warm"], plan["seconds"])
    cpu_before = time.process_time()
    connections: list[Connection] = []
    make: Callable[[], Connection] = lambda: Connection(load)  # noqa: E731 typed for the loop
    for _ in range(plan["connections"]):
        _, connection = await loop.create_connection(make, "127.0.0.1", plan["port"])
        connections.append(connection)
    everything = asyncio.gather(*(each.done for each in connections))
    await asyncio.wait_for(everything, plan["warm"] + plan["seconds"] + 30)
    return load.result(time.process_time() - cpu_before)


def _endless(requests: list[bytes] | Iterator[bytes]) -> Iterator[bytes]:
    return itertools.cycle(requests) if isinstance(requests, list) else requests


def main() -> None:
    plan = json.load(sys.stdin)
    print(json.dumps(uvloop.run(drive(plan))))


if __name__ == "__main__":
    main()
