"""One feed's connection to a hub: messages over MLLP, each of them sent until it is acknowledged."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from libs.simulator.noise import Fate, Message

_START, _END = b"\x0b", b"\x1c\r"
_LONGEST_ANSWER = 1024 * 1024
_PATIENCE_SECONDS = 30.0
_SHORTEST_WAIT, _LONGEST_WAIT = 0.2, 15.0
# A hub that has just started may not know its feeds yet.
_TRIES_WHEN_REFUSED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    host: str
    port: int


@dataclass(slots=True, kw_only=True)
class Tally:
    """How it went so far."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    resent: int = 0
    lost_connections: int = 0
    trouble: str = ""

    @property
    def done(self) -> int:
        return self.acknowledged + self.refused


@dataclass(slots=True)
class _Try:
    message: Message
    refusals: int = 0


@dataclass(slots=True, kw_only=True)
class Link:
    """Sends what it is given, in that order, up to `ahead` at a time without an answer.

    What is not acknowledged is sent again: after a lost connection everything that was on its way, after AR the
    message itself. AE says that sending it again will not help; that is believed after a few tries.
    """

    address: Address
    key: str
    tally: Tally
    done: Callable[[Message], None]
    ahead: int = 32
    _waiting: deque[_Try] = field(default_factory=deque)
    _on_the_way: deque[_Try] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _progress: asyncio.Event = field(default_factory=asyncio.Event)
    _pause: float = 0.0
    _is_closing: bool = False

    @property
    def backlog(self) -> int:
        return len(self._waiting) + len(self._on_the_way)

    @property
    def oldest(self) -> datetime | None:
        """When what waits longest was to be sent."""
        moments = [each.message.sent_at for each in (*self._on_the_way, *self._waiting)]
        return min(moments, default=None)

    def put(self, message: Message) -> None:
        self._waiting.append(_Try(message))
        self._news.set()

    async def has_room(self, most: int) -> None:
        """Until no more than `most` messages wait."""
        while self.backlog > most:
            self._progress.clear()
            await self._progress.wait()

    def close(self) -> None:
        """Send what is waiting, then end."""
        self._is_closing = True
        self._news.set()

    async def run(self) -> None:
        """Until closed and empty. A hub that is away is tried again, less and less often."""
        jitter = random.Random(self.key)  # noqa: S311 - spreads connections, not secret
        while not (self._is_closing and not self.backlog):
            before = self.tally.done
            try:
                await self._talk()
            except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
                self.tally.lost_connections += 1
                self.tally.trouble = type(error).__name__
                self._take_back()
                self._slow_down(is_new=self.tally.done > before)
                await asyncio.sleep(self._pause * jitter.uniform(0.5, 1.0))

    def _take_back(self) -> None:
        """What nobody answered goes first the next time."""
        self.tally.resent += len(self._on_the_way)
        self._waiting.extendleft(reversed(self._on_the_way))
        self._on_the_way.clear()

    def _slow_down(self, *, is_new: bool) -> None:
        longer = max(_SHORTEST_WAIT, min(self._pause * 2, _LONGEST_WAIT))
        self._pause = _SHORTEST_WAIT if is_new else longer

    async def _talk(self) -> None:
        """One connection, for as long as it lasts or there is something to say."""
        if not await self._has_something():
            return
        reader, writer = await asyncio.open_connection(
            self.address.host, self.address.port, limit=_LONGEST_ANSWER
        )
        try:
            while await self._has_something():
                await self._fill(writer)
                self._hear(await _answer(reader))
                if self._pause and not self._on_the_way:
                    await asyncio.sleep(self._pause)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _has_something(self) -> bool:
        while not self.backlog:
            if self._is_closing:
                return False
            self._news.clear()
            await self._news.wait()
        return True

    async def _fill(self, writer: asyncio.StreamWriter) -> None:
        """After a refusal only what is on its way is waited for, then one goes at a time until one is taken."""
        most = 1 if self._pause else self.ahead
        while self._waiting and len(self._on_the_way) < most:
            each = self._waiting.popleft()
            self._on_the_way.append(each)
            self.tally.sent += 1
            writer.write(_START + each.message.raw + _END)
        await writer.drain()

    def _hear(self, code: str) -> None:
        each = self._on_the_way.popleft()
        self._progress.set()
        if code in ("AA", "CA"):
            self.tally.acknowledged += 1
            self._pause = 0.0
            self.done(each.message)
            return
        each.refusals += 1
        is_final = code in ("AE", "CE") and each.refusals >= _TRIES_WHEN_REFUSED
        if is_final or each.message.fate is Fate.REFUSED:
            self.tally.refused += 1
            self.done(each.message)
            return
        self.tally.resent += 1
        self.tally.trouble = f"{code} from the hub"
        self._waiting.appendleft(each)
        self._slow_down(is_new=False)


async def _answer(reader: asyncio.StreamReader) -> str:
    """MSA-1 of the next acknowledgement."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        frame = await reader.readuntil(_END)
    for segment in frame.split(b"\r"):
        if segment.lstrip(_START).startswith(b"MSA"):
            return segment.split(b"|")[1].decode("ascii", "replace")
    return ""
