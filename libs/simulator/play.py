"""Plays the messages of a region into a hub, each feed over a connection of its own, or into files."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from libs.simulator.link import Address, Link, Tally
from libs.simulator.noise import Message
from libs.simulator.truth import Truth

Say = Callable[[str], None]
# So many messages may wait for a feed that is slow, before the others wait too.
_MOST_WAITING = 500
_TELL_EVERY = timedelta(seconds=5)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Player:
    """Sends messages when their time has come; what lies in the past at once, and everything at once if told so."""

    address: Address
    say: Say
    waits: bool = True
    ahead: int = 32
    now: Callable[[], datetime] = _now
    # What was to be sent before was sent by an earlier run.
    skip_until: datetime | None = None
    # Called with each message when it is acknowledged, or refused for good.
    done: Callable[[Message], None] = lambda _message: None
    truth: Truth = field(default_factory=Truth)
    tallies: dict[str, Tally] = field(default_factory=dict)
    _links: dict[str, tuple[Link, "asyncio.Task[None]"]] = field(default_factory=dict)
    _handed: datetime | None = None

    async def play(self, messages: Iterator[Message], stopping: asyncio.Event) -> None:
        """Until there is no message left, or `stopping`. Then what is on its way is finished, but not waited for long."""
        telling = asyncio.create_task(self._tell())
        try:
            await self._play(messages, stopping)
            await self._finish(stopping)
        finally:
            telling.cancel()
            for _, running in self._links.values():
                running.cancel()
            tasks = [running for _, running in self._links.values()]
            await asyncio.gather(telling, *tasks, return_exceptions=True)

    async def _play(self, messages: Iterator[Message], stopping: asyncio.Event) -> None:
        is_past = True
        for message in messages:
            if self.skip_until and message.sent_at <= self.skip_until:
                await asyncio.sleep(0)
                continue
            if self.waits and message.sent_at > self.now():
                if is_past:
                    is_past = False
                    self.say(
                        "Simulated feeds: the past is told; from now on messages come as life goes on."
                    )
                await _sleep_until(message.sent_at, self.now, stopping)
            if stopping.is_set():
                return
            self._handed = message.sent_at
            await self._hand(message, stopping)

    async def _hand(self, message: Message, stopping: asyncio.Event) -> None:
        link = self._link(message.site.key)
        link.put(message)
        await asyncio.sleep(0)
        if link.backlog > _MOST_WAITING:
            await _first(link.has_room(_MOST_WAITING), stopping.wait())

    def _link(self, key: str) -> Link:
        if key not in self._links:
            tally = self.tallies.setdefault(key, Tally())
            link = Link(
                address=self.address, key=key, tally=tally, done=self._done, ahead=self.ahead
            )
            self._links[key] = (link, asyncio.create_task(link.run(), name=f"feed-{key}"))
        return self._links[key][0]

    def _done(self, message: Message) -> None:
        self.truth.note(message)
        self.done(message)

    async def _finish(self, stopping: asyncio.Event) -> None:
        for link, _ in self._links.values():
            link.close()
        tasks = [running for _, running in self._links.values()]
        if tasks:
            await _first(asyncio.wait(tasks), stopping.wait())
            await asyncio.wait(tasks, timeout=1.0)

    @property
    def sent(self) -> int:
        return sum(tally.done for tally in self.tallies.values())

    @property
    def sent_until(self) -> datetime | None:
        """Everything that was to be sent before this moment is acknowledged; None if nothing is known."""
        waiting = [at for link, _ in self._links.values() if (at := link.oldest) is not None]
        if waiting:
            return min(waiting) - timedelta(seconds=1)
        return self._handed

    async def _tell(self) -> None:
        """Say how far it is while much is being sent, and when the hub is away."""
        told, away = 0, False
        while True:
            await asyncio.sleep(_TELL_EVERY.total_seconds())
            waiting = sum(link.backlog for link, _ in self._links.values())
            if waiting and self.sent == told and not away:
                away = True
                trouble = next((t.trouble for t in self.tallies.values() if t.trouble), "no answer")
                self.say(
                    f"Simulated feeds: the hub does not take messages ({trouble}); they are sent again."
                )
            elif self.sent > told:
                away = False
                if self.sent - told > 100:
                    self.say(f"Simulated feeds: {self.sent} messages so far.")
            told = self.sent


async def _first(*events: Coroutine[Any, Any, object]) -> None:
    """Until one of them has come true."""
    tasks = [asyncio.create_task(event) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _sleep_until(at: datetime, now: Callable[[], datetime], stopping: asyncio.Event) -> None:
    seconds = (at - now()).total_seconds()
    if seconds > 0:
        try:
            async with asyncio.timeout(seconds):
                await stopping.wait()
        except TimeoutError:
            return


def write(messages: Iterator[Message], folder: Path, truth: Truth) -> int:
    """One file of messages for each feed, and the truth beside. How many messages."""
    feeds = folder / "feeds"
    feeds.mkdir(parents=True, exist_ok=True)
    by_site: dict[str, list[bytes]] = {}
    count = 0
    for message in messages:
        by_site.setdefault(message.site.key, []).append(message.raw)
        truth.note(message)
        count += 1
    for key, raw in by_site.items():
        (feeds / f"{key}.hl7").write_bytes(b"\r".join(raw))
    truth.write(folder / "truth.jsonl")
    return count
