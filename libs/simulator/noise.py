"""What feeds do to a stream of events: messages come twice, late, out of order, in bursts after a silence, or broken."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from zlib import crc32

from libs.simulator.event import Event, Trigger
from libs.simulator.hl7 import encode, render, text
from libs.simulator.places import Site
from libs.simulator.visits import Life


class Fate(StrEnum):
    """What a hub should do with a message."""

    TAKEN = "TAKEN"
    # The same bytes once more: acknowledged, not stored again.
    REPEATED = "REPEATED"
    # Acknowledged and kept; nobody follows this kind of message.
    IGNORED = "IGNORED"
    # Acknowledged and set aside: somebody has to look at it.
    QUARANTINED = "QUARANTINED"
    # Refused with AE.
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message on its way, and what is true of it. A broken one tells of nothing that happened."""

    site: Site
    control_id: str
    sent_at: datetime
    raw: bytes
    fate: Fate
    event: Event | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Shares of all messages; `silent_hours` is how long a feed is away at most, on about one day of three."""

    repeated: float = 0.03
    resent: float = 0.01
    jittered: float = 0.05
    late: float = 0.015
    broken: float = 0.004
    silences_a_day: float = 0.33
    silent_hours: float = 4.0


QUIET = Noise(repeated=0, resent=0, jittered=0, late=0, broken=0, silences_a_day=0)
_BREAKAGES = ("class", "time", "nobody", "control id", "kind")


class Feeds:
    """The messages of all sites in the order in which they are sent; of one seed always the same."""

    def __init__(self, life: Life, seed: str, noise: Noise | None = None) -> None:
        self._life = life
        self._noise = noise or Noise()
        self._chance = random.Random(f"{seed}|noise")  # noqa: S311 - repeatable, not secret
        # Control ids of different runs are different, so that two runs into one hub do not collide.
        self._prefix = f"{crc32(f'{seed}|{life.start.isoformat()}'.encode()):08X}"
        self._serials = count(1)
        self._waiting: list[tuple[datetime, int, Message]] = []
        self._order = count()
        # Of each site: until when it is silent, and when it will be the next time.
        self._silent_until: dict[str, datetime] = {}
        self._silent_next: dict[str, datetime] = {}

    def messages(
        self, events: int | None = None, until: datetime | None = None
    ) -> Iterator[Message]:
        """The messages of so many events, or of all until a moment, each of them sent at last; or without end."""
        left = events
        for event in self._life.events():
            if left == 0 or (until and event.recorded_at > until):
                break
            left = left - 1 if left else left
            while self._waiting and self._waiting[0][0] <= event.at:
                yield heapq.heappop(self._waiting)[2]
            self._send(event)
        while self._waiting:
            yield heapq.heappop(self._waiting)[2]

    def _send(self, event: Event) -> None:
        noise, chance = self._noise, self._chance
        control_id = self._control_id(event.site)
        sent_at = event.recorded_at + self._delay()
        message = Message(
            site=event.site,
            control_id=control_id,
            sent_at=sent_at,
            raw=render(event, control_id),
            fate=Fate.TAKEN,
            event=event,
        )
        self._wait(message)
        draw = chance.random()
        if draw < noise.repeated:
            self._wait(message, Fate.REPEATED, sent_at + self._seconds(1, 600))
        elif draw < noise.repeated + noise.resent:
            again = self._control_id(event.site)
            self._wait(
                message,
                message.fate,
                sent_at + self._seconds(30, 1800),
                again,
                render(event, again),
            )
        can_break = event.trigger not in (Trigger.RESULT, Trigger.BOOKED)
        if chance.random() < noise.broken and can_break:
            self._break(event, sent_at)

    def _wait(
        self,
        message: Message,
        fate: Fate | None = None,
        sent_at: datetime | None = None,
        control_id: str = "",
        raw: bytes = b"",
    ) -> None:
        message = Message(
            site=message.site,
            control_id=control_id or message.control_id,
            sent_at=self._after_silence(message.site, sent_at or message.sent_at),
            raw=raw or message.raw,
            fate=fate or message.fate,
            event=message.event,
        )
        heapq.heappush(self._waiting, (message.sent_at, next(self._order), message))

    def _control_id(self, site: Site) -> str:
        return f"{site.key[:3]}{self._prefix}{next(self._serials):07}"

    def _delay(self) -> timedelta:
        draw, noise = self._chance.random(), self._noise
        if draw < noise.late:
            return self._seconds(600, 6 * 3600)
        return self._seconds(20, 900) if draw < noise.late + noise.jittered else timedelta(0)

    def _after_silence(self, site: Site, sent_at: datetime) -> datetime:
        """Later, if the feed is silent then. The whole backlog comes at once when it is back."""
        rate = self._noise.silences_a_day
        if not rate:
            return sent_at
        begins = self._silent_next.get(site.key)
        if begins is None:
            begins = sent_at + timedelta(days=self._chance.expovariate(rate))
            self._silent_next[site.key] = begins
        elif sent_at >= begins:
            ends = begins + timedelta(hours=self._chance.uniform(0.3, self._noise.silent_hours))
            self._silent_until[site.key] = ends
            self._silent_next[site.key] = ends + timedelta(days=self._chance.expovariate(rate))
        return max(sent_at, self._silent_until.get(site.key, sent_at))

    def _break(self, event: Event, sent_at: datetime) -> None:
        """A message that went wrong at the sender, beside the good one."""
        control_id = self._control_id(event.site)
        whole = text(event, control_id)
        kind = self._chance.choice(_BREAKAGES)
        broken, fate = _broken(whole, kind, control_id)
        message = Message(
            site=event.site,
            control_id="" if kind == "control id" else control_id,
            sent_at=sent_at,
            raw=encode(broken, event.site),
            fate=fate,
            event=None,
        )
        self._wait(message)

    def _seconds(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=round(self._chance.uniform(least, most)))


def _broken(whole: str, kind: str, control_id: str) -> tuple[str, Fate]:
    segments = whole.split("\r")
    if kind == "control id":
        return whole.replace(f"|{control_id}|", "||", 1), Fate.REFUSED
    if kind == "kind":
        segments[0] = segments[0].replace("|ADT^", "|ZZZ^", 1)
        return "\r".join(segments), Fate.IGNORED
    if kind == "nobody":
        kept = [segment for segment in segments if not segment.startswith("PID")]
        return "\r".join(kept), Fate.QUARANTINED
    if kind == "class" and any(segment.startswith("PV1|1|") for segment in segments):
        is_visit = "|MRG" not in whole and "^A28" not in whole and "^A31" not in whole
        if is_visit:
            changed = [f"PV1|1|??{s[7:]}" if s.startswith("PV1|1|") else s for s in segments]
            return "\r".join(changed), Fate.QUARANTINED
    changed = [_without_time(segment) for segment in segments]
    return "\r".join(changed), Fate.QUARANTINED


def _without_time(segment: str) -> str:
    """EVN-2 and EVN-6 as a date that somebody typed by hand."""
    if not segment.startswith("EVN"):
        return segment
    return "EVN|" + segment.split("|")[1] + "|yesterday||||yesterday"
