"""The feeds of `carehub up`: the last days at once, then life as it goes on, a day of it in little more than an hour."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import orjson

from libs.simulator.clock import Clock, Spell
from libs.simulator.link import Address
from libs.simulator.noise import Feeds
from libs.simulator.people import Region
from libs.simulator.play import Player, Say
from libs.simulator.visits import Life

PEOPLE = 1200
SPEED = 20.0
# The worklist of a demo needs discharges of some days ago: their calls are late, or due today.
HISTORY = timedelta(days=4)
_KEEP_EVERY = timedelta(seconds=5)
# The pace of what is sent until the next time something is kept is settled before.
_AHEAD = timedelta(seconds=15)


async def play_demo(address: Address, memory: Path, stopping: asyncio.Event, say: Say) -> None:
    """Play until `stopping`. `memory` is a file in which the demo keeps how far it came: the next start goes on with the
    same people in the same beds. While nobody played, life went on at its own pace; that is told first.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    kept = _Memory.read(memory)
    kept = kept.wake(now) if kept else _Memory.begin(now)
    kept.write(memory)
    region = await asyncio.to_thread(Region.build, kept.seed, PEOPLE)
    life = Life(region, kept.start, clock=Clock(kept.spells))
    player = Player(address=address, say=say, skip_until=kept.sent_until)
    keeping = asyncio.create_task(_keep(kept, player, memory))
    try:
        await player.play(Feeds(life, kept.seed).messages(), stopping)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        kept.advanced(player).write(memory)


async def _keep(kept: "_Memory", player: Player, memory: Path) -> None:
    while True:
        kept.advanced(player).write(memory)
        await asyncio.sleep(_KEEP_EVERY.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What the demo remembers between two starts."""

    seed: str
    start: datetime
    spells: tuple[Spell, ...]
    # Everything that was to be sent before is acknowledged.
    sent_until: datetime
    # Until then the last spell counts, whenever the demo was stopped.
    settled_until: datetime

    @classmethod
    def begin(cls, now: datetime) -> Self:
        start = now - HISTORY
        return cls(
            seed="demo",
            start=start,
            spells=(Spell(since=now, speed=SPEED),),
            sent_until=start,
            settled_until=now + _AHEAD,
        )

    def wake(self, now: datetime) -> Self:
        """After a break: in the meantime life went on as fast as the clock on the wall."""
        now = max(now, self.settled_until)
        pause = Spell(since=self.settled_until, speed=1.0)
        return replace(
            self,
            spells=(*self.spells, pause, Spell(since=now, speed=SPEED)),
            settled_until=now + _AHEAD,
        )

    def advanced(self, player: Player) -> Self:
        return replace(
            self,
            sent_until=max(self.sent_until, player.sent_until or self.sent_until),
            settled_until=max(self.settled_until, player.now().replace(microsecond=0) + _AHEAD),
        )

    @classmethod
    def read(cls, path: Path) -> Self | None:
        try:
            kept = orjson.loads(path.read_bytes())
            spells = tuple(
                Spell(since=datetime.fromisoformat(each["since"]), speed=each["speed"])
                for each in kept.pop("spells")
            )
            moments = {
                n: datetime.fromisoformat(kept[n]) for n in ("start", "sent_until", "settled_until")
            }
            return cls(seed=kept["seed"], spells=spells, **moments)
        except (OSError, ValueError, KeyError):
            return None

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(orjson.dumps(self))
        new.replace(path)
