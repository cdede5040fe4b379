"""The others' stories at the demo's pace: whatever is due by the hub's clock, a few acts a second, in the order of their time.

What is still to be done is kept in a file, so that the next start goes on. Where the hub's clock is moved by weeks, as the story
that is watched does, what was due in them is done by and by.
"""

import asyncio
import heapq
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx
import orjson

from libs.chassis.faults import whereabouts
from libs.simulator.afterwards import HOSPITAL, Afterwards, afterwards
from libs.simulator.names import TONGUES
from libs.simulator.stories.act import Act, What, acts
from libs.simulator.stories.hub import Hub, NotNow
from libs.simulator.stories.somebody import Somebody
from libs.simulator.stories.staff import Staff

log = logging.getLogger(__name__)

# So many discharges, whose stays begin within so many days; some of them before the hub was there.
STORIES, DAYS, HISTORY = 240, 45, timedelta(days=8)
# There are as many telephone numbers as five such cohorts have patients.
_COHORTS = 5
ACTS_PER_SECOND = 3.0
_KEEP_SECONDS, _LOOK_SECONDS = 5.0, 1.0
_AGAIN, _TRIES = timedelta(seconds=20), 30


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Due:
    """An act that waits; `at` is when it is tried, which is later than its time where it was tried in vain."""

    at: datetime
    serial: int
    act: Act = field(compare=False)
    tries: int = field(default=0, compare=False)


@dataclass(slots=True, kw_only=True)
class Cohort:
    """All stories that began together, as far as they have been played."""

    begun_at: datetime
    number: int = 0
    waiting: list[Due] = field(default_factory=list)
    stories: dict[int, Afterwards] = field(default_factory=dict)
    _serials: Any = field(default_factory=count)

    @classmethod
    def begin(cls, now: datetime, number: int = 0, size: int = STORIES) -> Self:
        found = cls(begun_at=now, number=number)
        found.stories = _stories(now, number, size)
        for plan in found.stories.values():
            for act in acts(plan):
                found.wait(act)
        return found

    def wait(self, act: Act, at: datetime | None = None, tries: int = 0) -> None:
        due = Due(at=at or act.at, serial=next(self._serials), act=act, tries=tries)
        heapq.heappush(self.waiting, due)

    def next(self, now: datetime) -> Due | None:
        """The one that is due first, if any is; it waits no more."""
        if self.waiting and self.waiting[0].at <= now:
            return heapq.heappop(self.waiting)
        return None

    def somebody(self, plan: Afterwards) -> Somebody:
        return _somebody(plan, self.number)

    # Between two starts.

    @classmethod
    def read(cls, path: Path, size: int = STORIES) -> Self | None:
        try:
            kept = orjson.loads(path.read_bytes())
            found = cls(begun_at=datetime.fromisoformat(kept["begun_at"]), number=kept["number"])
            for each in kept["waiting"]:
                act = Act(at=datetime.fromisoformat(each["at"]), number=each["number"],
                          what=What(each["what"]), detail=each["detail"])  # fmt: skip
                found.wait(act, datetime.fromisoformat(each["due"]), each["tries"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        found.stories = _stories(found.begun_at, found.number, size)
        return found

    def write(self, path: Path) -> None:
        waiting = [
            {"at": d.act.at, "number": d.act.number, "what": d.act.what, "detail": d.act.detail,
             "due": d.at, "tries": d.tries}
            for d in self.waiting
        ]  # fmt: skip
        new = path.with_suffix(".new")
        new.write_bytes(
            orjson.dumps({"begun_at": self.begun_at, "number": self.number, "waiting": waiting})
        )
        new.replace(path)


def _stories(now: datetime, cohort: int, size: int) -> dict[int, Afterwards]:
    """Of each of a cohort how it goes; the same for the same beginning."""
    start = (now - HISTORY).astimezone(HOSPITAL).date()
    return {plan.number: plan for plan in afterwards(f"demo|{cohort}", size, start, DAYS)}


def _somebody(plan: Afterwards, cohort: int) -> Somebody:
    number = cohort % _COHORTS * STORIES + plan.number
    tongue = TONGUES[1] if number % 4 == 0 else TONGUES[0]
    chance = random.Random(f"demo|{number}")  # noqa: S311 - repeatable, not secret
    families = [name for name in tongue.families if name.isascii()]
    given = [name for name in tongue.women if name.isascii()]
    return Somebody(
        number=number,
        is_high_risk=plan.is_high_risk,
        given=chance.choice(given),
        family=chance.choice(families),
        series="BCDFGHJKLM"[cohort % 10],
    )


@dataclass(slots=True, kw_only=True)
class Pace:
    """How the cohort is played: where, by which clock, and how fast."""

    env: Mapping[str, str]
    memory: Path
    now: Callable[[], datetime]
    acts_per_second: float = ACTS_PER_SECOND
    size: int = STORIES


async def play_stories(pace: Pace, stopping: asyncio.Event) -> None:
    """Play until `stopping`; where one cohort has been played to its end, the next begins."""
    cohort = await asyncio.to_thread(_kept_or_new, pace)
    keeping = asyncio.create_task(_keep(pace, lambda: cohort))
    try:
        async with httpx.AsyncClient(
            base_url=pace.env["GATEWAY_PUBLIC_URL"], timeout=30.0
        ) as client:
            hub = Hub(env=pace.env, client=client)
            while not stopping.is_set():
                if not cohort.waiting:
                    cohort = Cohort.begin(pace.now(), cohort.number + 1, pace.size)
                has_acted = await act_once(cohort, hub, pace.now)
                await _rest(1 / pace.acts_per_second if has_acted else _LOOK_SECONDS, stopping)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        cohort.write(pace.memory)


async def act_once(cohort: Cohort, hub: Hub, now: Callable[[], datetime]) -> bool:
    """Do what is due first. False: nothing is. What is in vain now is tried again, and after many times given up; what
    fails is not: it is one act of one story, and the hub and all others go on.
    """
    due = cohort.next(now())
    if due is None:
        return False
    plan = cohort.stories.get(due.act.number)
    if plan is None:
        return True
    staff = Staff(hub=hub, plan=plan, one=cohort.somebody(plan), now=now)
    try:
        for following in await staff.do(due.act):
            cohort.wait(following)
    except NotNow:
        if due.tries < _TRIES:
            cohort.wait(due.act, now() + _AGAIN * (due.tries + 1), due.tries + 1)
    except Exception as error:  # noqa: BLE001 whatever it is
        log.warning("an act of a story failed: %s, %s", due.act.what, whereabouts(error))
    return True


def _kept_or_new(pace: Pace) -> Cohort:
    return Cohort.read(pace.memory, pace.size) or Cohort.begin(pace.now(), size=pace.size)


async def _keep(pace: Pace, cohort: Callable[[], Cohort]) -> None:
    while True:
        cohort().write(pace.memory)
        await asyncio.sleep(_KEEP_SECONDS)


async def _rest(seconds: float, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
