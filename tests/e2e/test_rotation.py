"""Identity's keys and a service's are turned while people work: no request is refused."""

import asyncio
from collections import Counter

import httpx
import pytest

from libs.chassis.faults import rest
from libs.local.keys import turn
from tests.e2e.conftest import together
from tests.e2e.region import Region

# A caller token lives for 30 seconds, a service's for 30, and both are believed for 5 more.
ALIVE = 36.0
NOTICED = 2.5
# Each of two people stays well below the requests of a second that the gateway lets one have.
PAUSE = 0.05


class Worker:
    """Asks all the time, so that tokens are exchanged and services call each other."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self.answers: Counter[int] = Counter()

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            for account in ("nurse", "coordinator"):
                try:
                    answer = await self._region.ask(account, "GET", "/v1/facilities")
                    loops = await self._region.ask(account, "GET", "/v1/loops")
                except httpx.HTTPError:
                    self.answers[0] += 1
                else:
                    self.answers.update([answer.status_code, loops.status_code])
            await rest(stopping, PAUSE)


@pytest.mark.timeout(600)
@together
async def test_keys_are_turned_while_people_work_and_nobody_is_refused(region: Region):
    secrets = region.machine.home / "secrets"
    files = [secrets / "caller-keys.json", secrets / "services" / "registry.json"]
    first = [path.read_bytes() for path in files]
    stopping, worker = asyncio.Event(), Worker(region)
    working = asyncio.create_task(worker.run(stopping))
    for step, pause in (("add", NOTICED), ("use", ALIVE), ("drop", NOTICED)):
        for path in files:
            turn(path, step)
        await asyncio.sleep(pause)
    before = worker.answers.total()

    async def goes_on() -> bool:
        return worker.answers.total() > before + 20

    await region.until(goes_on, 60, "more requests")
    stopping.set()
    await working
    assert set(worker.answers) == {200}, worker.answers
    assert all(path.read_bytes() != was for path, was in zip(files, first, strict=True))
    # Registry vouches for itself with the new key where it asks identity for what the conveyor did not bring.
    log = (region.machine.home / "logs/serve.log").read_text()
    assert "new signing keys are used" in log
