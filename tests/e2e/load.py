"""A hospital's day, invented: patients with their messages in order, what each should become, and a sender that insists."""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.e2e.region import END, START, Person, adt, code_of

_FAMILIES = ("Okonkwo", "Lindgren", "Marsh", "Petrov", "Silva", "Tanaka", "Whitefeather", "Ybarra")
_GIVEN = ("Ada", "Bo", "Cleo", "Dov", "Esi", "Finn", "Gia", "Hal")
_WARDS = ("3W^312^1", "3W^314^2", "ICU^2^1", "5E^501^1")
# Long enough ago for every stay to have ended, and for some of its work to be late.
_FIRST_DAY, _DAYS = timedelta(days=12), 5
_GONE_ON_TO_NURSING = "03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One visit of the load, and the state that its loop has in the end. Empty: it has none."""

    person: Person
    loop: str
    close_reason: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What a hospital sends, and what it comes to."""

    streams: list[list[bytes]]
    stays: list[Stay]

    def __len__(self) -> int:
        return sum(len(stream) for stream in self.streams)


def hospital_load(seed: int, *, patients: int, name: str) -> Load:
    """Admissions, transfers, updates and discharges; of each patient in order, many patients at a time."""
    rng = random.Random(seed)
    first = datetime.now(ZoneInfo("America/Chicago")).replace(hour=6, minute=0) - _FIRST_DAY
    load = Load([], [])
    for number in range(patients):
        person = Person(
            mrn=f"{name}{number:04}",
            family=f"{rng.choice(_FAMILIES)}{name.lower()}{number}",
            given=rng.choice(_GIVEN),
            birth=f"{rng.randint(1925, 1999)}0{rng.randint(1, 9)}1{rng.randint(0, 9)}",
            visit=f"{name}V{number:04}",
        )
        start = first + timedelta(minutes=rng.randint(0, 60 * 24 * _DAYS))
        load.streams.append(list(_life(rng, person, start, load.stays)))
    return load


def _life(
    rng: random.Random, person: Person, start: datetime, stays: list[Stay]
) -> Iterator[bytes]:
    """One patient's messages: a stay that ends in one of the ways in which stays end."""
    ends = rng.choices(
        ("home", "nursing", "cancelled", "emergency", "goes on"), (60, 10, 10, 10, 10)
    )[0]
    now, admit = start, f"{start:%Y%m%d%H%M}"
    patient_class = "E" if ends == "emergency" else "I"
    common = {"admit": admit, "patient_class": patient_class}
    yield adt("A04" if ends == "emergency" else "A01", person, admit, **common)
    for _ in range(rng.randint(0, 3)):
        now += timedelta(hours=rng.randint(1, 30))
        event = rng.choice(("A02", "A08"))
        yield adt(event, person, f"{now:%Y%m%d%H%M}", ward=rng.choice(_WARDS), **common)
    now += timedelta(hours=rng.randint(1, 30))
    at = f"{now:%Y%m%d%H%M}"
    if ends == "cancelled":
        yield adt("A11", person, at, **common)
        stays.append(Stay(person=person, loop="CANCELLED", close_reason="ADMISSION_CANCELLED"))
    elif ends == "goes on":
        stays.append(Stay(person=person, loop="OPEN"))
    else:
        disposition = _GONE_ON_TO_NURSING if ends == "nursing" else "01"
        yield adt("A03", person, at, discharge=at, disposition=disposition, **common)
        loops = {"home": "OPEN", "nursing": "CLOSED", "emergency": ""}
        reason = "NOT_ELIGIBLE" if ends == "nursing" else ""
        stays.append(Stay(person=person, loop=loops[ends], close_reason=reason))


@dataclass(slots=True)
class Insistent:
    """A sender that has a message back in hand until it is told AA, over however many connections that takes.

    A connection sends so many messages a second at most: an answer takes 3 ms, and a load would be over before anything is broken.
    """

    port: Callable[[], int]
    per_second: float = 50.0
    acknowledged: list[bytes] = field(default_factory=list)
    resent: int = 0

    async def send_all(self, streams: Iterable[Sequence[bytes]], *, connections: int) -> None:
        """Send streams of messages, each in its order; several connections share them, and take the next when they are done."""
        waiting = iter(streams)
        await asyncio.gather(*(self._send(waiting) for _ in range(connections)))

    async def _send(self, waiting: Iterator[Sequence[bytes]]) -> None:
        for stream in waiting:
            messages = list(stream)
            while messages:
                try:
                    await self._connected(messages)
                except (OSError, EOFError, TimeoutError):
                    self.resent += 1
                    await asyncio.sleep(0.05)  # as senders do before they dial again

    async def _connected(self, messages: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port())
        try:
            while messages:
                pause = asyncio.create_task(asyncio.sleep(1 / self.per_second))
                writer.write(START + messages[0] + END)
                await writer.drain()
                answer = await asyncio.wait_for(reader.readuntil(END), 10)
                if code_of(answer) == "AA":
                    self.acknowledged.append(messages.pop(0))
                else:
                    self.resent += 1
                await pause
        finally:
            writer.close()
