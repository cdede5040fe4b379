"""Everybody's days on a hub of its own, from the first admission until every window has closed; with its processes killed now and then."""

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from libs.simulator.afterwards import afterwards
from tests.e2e.processes import kill, victims_of
from tests.e2e.region import Region
from tests.e2e.thousand.case import MERCY, Case
from tests.e2e.thousand.days import WEATHER, Days
from tests.e2e.thousand.diary import Diary, outcomes
from tests.e2e.thousand.hands import Hands
from tests.e2e.thousand.life import Life
from tests.e2e.thousand.visit import PRACTITIONER

SEED = int(os.environ.get("CAREHUB_SEED", "20261128"))
# How many the seconds of `make test` are good for; `make test-discharges` plays a thousand.
DISCHARGES = int(os.environ.get("CAREHUB_DISCHARGES", "26"))
# Until the window of the last referral has closed.
_AFTERWARDS = timedelta(days=100)
_ROOM_HOURS = (("09:30", "10:00"), ("14:00", "15:00"))
IS_WHOLE = DISCHARGES >= 500
# A process needs some seconds to be back; a few discharges have those of two.
_KILLED_EACH = 3 if IS_WHOLE else 1
_BROKEN = "SELECT id FROM loops WHERE state = 'OPEN' AND (clock_at IS NULL OR clock_at < $1 OR accountable_id IS NULL)"
LATE = timedelta(minutes=5)
_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")


@dataclass(slots=True)
class World:
    """What was played, and what is true of it."""

    region: Region
    days: Days
    hands: Hands
    diaries: list[Diary] = field(default_factory=list)
    # After which step which process is to be killed, and which were.
    kills: dict[int, str] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    # Loops that at some step were open without an owner or a live clock, while the hub was at rest.
    broken: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def report(self) -> str:
        counted = ", ".join(f"{what} {n}" for what, n in sorted(self.hands.counted.items()))
        ended = ", ".join(f"{what} {n}" for what, n in sorted(outcomes(self.diaries).items()))
        return (
            f"\nseed {SEED}, {DISCHARGES} discharges in {self.seconds:.0f} s and {self.days.steps} steps ({self.days.resting:.0f} s until the hub was at rest)"
            f"\n{ended}\n{counted}\nkilled: {dict(Counter(self.killed))}"
        )


async def played(region: Region) -> World:
    """The whole of it."""
    began = time.monotonic()
    chance = random.Random(SEED)
    world = World(region, Days(region), Hands(region, chance, f"thousand-{SEED}"))
    start = second_monday_of_february(datetime.now(UTC).date())
    victims = victims_of(region) if IS_WHOLE else ("work", "postgres")
    world.kills = _kills(chance, victims * _KILLED_EACH)
    try:
        await _rooms(world, start)
        spread = min(20, max(3, DISCHARGES // 10))
        for plan in afterwards(SEED, DISCHARGES, start, spread):
            case = Case(plan, world.days, world.hands, str(SEED))
            world.diaries.append(case.diary)
            world.days.spawn(Life(case).live())
        await world.days.run(lambda step: _between(world, step))
        world.days.forward_to(world.days.now() + _AFTERWARDS)
        await world.days.come_to_rest()
        for diary in world.diaries:
            diary.patient_id = await _patient_id(world, diary.plan.number)
    finally:
        await world.days.close()
    world.seconds = time.monotonic() - began
    print(world.report())
    return world


def second_monday_of_february(after: date) -> date:
    """The next one: a holiday and the beginning of summer time are in the weeks that follow, in any year."""
    for year in (after.year, after.year + 1):
        first = date(year, 2, 1)
        monday = first + timedelta(days=(-first.weekday()) % 7 + 7)
        if monday > after:
            break
    return monday


async def _rooms(world: World, start: date) -> None:
    """So many rooms that most visits find a slot, and several want the same one."""
    hours = [
        {"day": f"DAY_{day}", "opens": opens, "closes": closes}
        for day in _WEEKDAYS
        for opens, closes in _ROOM_HOURS
    ]
    since = {"year": start.year, "month": start.month, "day": start.day}
    for room in range(max(2, DISCHARGES // 35)):
        body = {"facilityId": MERCY, "practitioner": f"{PRACTITIONER} {room + 1}", "slotMinutes": 30, "startDate": since}  # fmt: skip
        await world.hands.post("facility-admin", "/v1/schedules", **body, hours=hours)


def _kills(chance: random.Random, victims: tuple[str, ...]) -> dict[int, str]:
    """After which step which process is killed, while there is most to do."""
    steps = chance.sample(range(6, 6 + 4 * len(victims)), len(victims))
    return dict(zip(sorted(steps), chance.sample(victims, len(victims)), strict=True))


async def _between(world: World, step: int) -> None:
    """While the hub is at rest: look at the promise, then let a process die."""
    try:
        broken = await world.region.rows("tasking", _BROKEN, world.days.now() - LATE)
        world.broken |= {str(row["id"]) for row in broken}
    except WEATHER:
        world.hands.count("looks in vain")
    for due in [each for each in world.kills if each <= step]:
        if kill(world.region, world.kills[due]):
            world.killed.append(world.kills.pop(due))


async def _patient_id(world: World, number: int) -> str:
    found = await world.hands.post("coordinator", "/v1/patients:search", text=f"TH{number:05}")
    [patient] = found["patients"]
    return str(patient["id"])
