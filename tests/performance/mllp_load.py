"""Feeds over MLLP, as fast as they are acknowledged or at a given rate. A process of its own, so that its work shows.

Reads a plan as JSON from standard input, prints what came of it as JSON. Connections are pipelined: up to `ahead` messages
wait for their acknowledgement, as a busy interface engine sends.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import uvloop

from tests.performance.messages import Sending, stays

_START, _END = b"\x0b", b"\x1c\r"
_SENDERS = ("MERCY", "VALLEY", "MERCY", "PINECREEK")


class Feed(asyncio.Protocol):
    """One connection."""

    def __init__(self, sendings: Iterator[Sending], ahead: int, result: "Result") -> None:
        self._sendings = sendings
        self._ahead = ahead
        self._result = result
        self._waiting: deque[tuple[float, str]] = deque()
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.is_paced = False
        self.is_stopped = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, most: int) -> int:
        """Send up to `most` messages, within what may be on its way; how many it was."""
        frames, count = bytearray(), 0
        while count < most and len(self._waiting) < self._ahead and not self.is_stopped:
            sending = next(self._sendings)
            frames += _START + sending.content + _END
            self._waiting.append((time.time(), sending.discharge))
            count += 1
        if frames and self._transport:
            self._transport.write(bytes(frames))
        return count

    def data_received(self, data: bytes) -> None:
        *answers, self._rest = (self._rest + data).split(_END)
        now = time.time()
        for answer in answers:
            sent_at, discharge = self._waiting.popleft()
            self._result.note(answer, sent_at, now, discharge)
        if self.is_stopped and not self._waiting and not self.done.done():
            self.done.set_result(None)
        elif not self.is_paced:
            self.send(len(answers))

    def stop(self) -> None:
        self.is_stopped = True
        if not self._waiting and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._result.lost += 1
            self.done.set_result(None)


class Result:
    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.milliseconds: list[float] = []
        self.discharges: dict[str, float] = {}
        self.refused: list[str] = []
        self.lost = 0
        self.last_at = 0.0

    def note(self, answer: bytes, sent_at: float, now: float, discharge: str) -> None:
        at = answer.find(b"MSA|")
        code = answer[at + 4 : at + 6].decode(errors="replace") if at >= 0 else "??"
        self.codes[code] = self.codes.get(code, 0) + 1
        if code != "AA" and len(self.refused) < 3:
            self.refused.append(answer.decode(errors="replace")[-300:])
        self.milliseconds.append((now - sent_at) * 1000)
        self.last_at = now
        if discharge:
            self.discharges[discharge] = sent_at


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    result, feeds = Result(), list[Feed]()
    for number in range(plan["connections"]):
        sender = _SENDERS[number % len(_SENDERS)]
        sendings = _ready(stays(plan["run"], sender, number), plan)
        feed = Feed(sendings, plan["ahead"], result)
        await loop.create_connection(lambda feed=feed: feed, "127.0.0.1", plan["port"])  # type: ignore[misc]
        feeds.append(feed)
    began, cpu_before = time.time(), time.process_time()
    if plan.get("rate"):
        await _pace(feeds, plan["rate"], plan["seconds"])
    else:
        for feed in feeds:
            feed.send(plan["ahead"])
        await asyncio.sleep(plan["seconds"])
    for feed in feeds:
        feed.stop()
    await asyncio.wait_for(asyncio.gather(*(feed.done for feed in feeds)), 60)
    took = max(result.last_at - began, 1e-9)
    count = len(result.milliseconds)
    return {
        "began": began,
        "messages": count,
        "seconds": took,
        "per_second": count / took,
        "codes": result.codes,
        "lost": result.lost,
        "refused": result.refused,
        "milliseconds": result.milliseconds,
        "discharges": result.discharges,
        "driver_cpu": time.process_time() - cpu_before,
    }


def _ready(sendings: Iterator[Sending], plan: dict[str, Any]) -> Iterator[Sending]:
    """With the first ones made beforehand: putting messages together is not what is measured."""
    count = int(plan.get("prepared", 0))
    return itertools.chain(list(itertools.islice(sendings, count)), sendings)


async def _pace(feeds: list[Feed], rate: float, seconds: float) -> None:
    """Send at a steady rate, whatever the answers do: a slow hub does not slow a hospital down."""
    for feed in feeds:
        feed.is_paced = True
    began, sent = time.perf_counter(), 0
    turns = itertools.cycle(feeds)
    while (passed := time.perf_counter() - began) < seconds:
        while sent < passed * rate:
            next(turns).send(1)
            sent += 1
        await asyncio.sleep(0.002)


def main() -> None:
    plan = json.load(sys.stdin)
    print(json.dumps(uvloop.run(drive(plan))))


if __name__ == "__main__":
    main()
