"""Every process of a hub is killed under load, again and again: nothing that was acknowledged is lost or doubled."""

import asyncio
import os
import random
import sys
from typing import Any

import httpx
import pytest

from libs.local.environment import SERVICES
from tests.e2e.load import Insistent, Load, Stay, hospital_load
from tests.e2e.processes import kill, pid_of, victims_of
from tests.e2e.region import Region

# In the other way of running it takes as long again: CAREHUB_KILL_WAYS="together split" runs both.
WAYS = os.environ.get("CAREHUB_KILL_WAYS", "together").split()
in_the_ways = pytest.mark.parametrize("region", WAYS, indirect=True)
SEED = int(os.environ.get("CAREHUB_SEED", "20261121"))
PATIENTS = 40
EACH_IS_KILLED = 2
CREATIONS = 6

# Another test of the same hub sets one aside, and discards it as its runbook says.
PARKED = "SELECT consumer, reason FROM parked WHERE state <> 'DISCARDED'"


class Killer:
    """Kills at seeded moments: after so many acknowledgements, and a few milliseconds."""

    def __init__(self, region: Region, sender: Insistent, rng: random.Random, total: int) -> None:
        self._region = region
        self._sender = sender
        victims = [*victims_of(region)] * EACH_IS_KILLED
        rng.shuffle(victims)
        moments = sorted(rng.sample(range(5, int(total * 0.9)), len(victims)))
        self._plan = [
            (at, rng.uniform(0, 0.08), who) for at, who in zip(moments, victims, strict=True)
        ]
        self.killed: list[str] = []

    async def run(self) -> None:
        for moment, pause, victim in self._plan:
            await self._region.until(lambda at=moment: self._reached(at), 90, f"message {moment}")
            await asyncio.sleep(pause)
            before = pid_of(self._region, victim)
            await self._region.until(lambda who=victim: self._kill(who), 60, f"a {victim} to kill")
            self.killed.append(victim)
            print(f"after {moment} messages: killed {victim} ({before})")

    async def _reached(self, moment: int) -> bool:
        return len(self._sender.acknowledged) >= moment

    async def _kill(self, victim: str) -> bool:
        return kill(self._region, victim)


async def _create_whatever_happens(region: Region, mercy: str) -> list[str]:
    """Register patients as a client does that repeats with the same key until it has an answer."""
    made = []
    for number in range(CREATIONS):
        body = {
            "facilityId": mercy,
            "names": [{"family": f"Rest{number}", "given": ["Ruth"]}],
            "birthDate": {"year": 1950, "month": 2, "day": 1 + number},
            "identifiers": [{"assigner": "MERCY", "value": f"KILLREST{number}", "type": "MR"}],
        }
        made.append(await region.until(lambda b=body, n=number: _create(region, b, n), 90))
        await asyncio.sleep(0.5)
    return made


async def _create(region: Region, body: dict, number: int) -> str | None:
    headers = {"Idempotency-Key": f"whatever-happens-{number}"}
    try:
        answer = await region.ask("nurse", "POST", "/v1/patients", json=body, headers=headers)
    except httpx.TransportError:
        return None
    if answer.status_code != 200:
        assert answer.status_code in (429, 500, 503, 504), answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        return None
    return answer.json()["id"]


@pytest.mark.timeout(600)
@in_the_ways
async def test_processes_killed_under_load_lose_and_double_nothing(region: Region):
    rng = random.Random(SEED)
    load = hospital_load(SEED, patients=PATIENTS, name="KILL")
    sender = Insistent(lambda: region.machine.mllp_port)
    killer = Killer(region, sender, rng, len(load))
    facilities = (await region.get("nurse", "/v1/facilities"))["facilities"]
    mercy = next(f["id"] for f in facilities if "Mercy" in f["name"])

    _, _, created = await asyncio.gather(
        sender.send_all(load.streams, connections=3),
        killer.run(),
        _create_whatever_happens(region, mercy),
    )
    print(
        f"seed {SEED}: {len(load)} messages, {sender.resent} tries in vain, killed {killer.killed}"
    )
    assert {who: killer.killed.count(who) for who in victims_of(region)} == dict.fromkeys(
        victims_of(region), EACH_IS_KILLED
    )
    assert sender.resent, "no message was in the way of a kill"
    assert len(sender.acknowledged) == len(load)

    await _everybody_is_back(region)
    await _all_is_well(region, load)
    assert len(set(created)) == CREATIONS
    found = await region.rows(
        "registry",
        "SELECT count(DISTINCT patient_id) FROM patient_search, unnest(tsvector_to_array(vector)) entry "
        "WHERE entry = ANY ($1::text[])",
        [f"i:KILLREST{n}" for n in range(CREATIONS)],
    )
    assert found[0][0] == CREATIONS


@pytest.mark.timeout(600)
@in_the_ways
async def test_a_second_up_on_the_same_home_goes_on_where_the_first_stopped(region: Region):
    """Stopped cleanly, started by hand, killed with its engines left behind, and started again."""
    load = hospital_load(SEED + 1, patients=6, name="AGAIN")
    before = await region.settled_accounts()
    loops = await region.rows("tasking", "SELECT id, state FROM loops ORDER BY id")
    await region.stop()

    carehub_up = await _carehub_up(region)
    try:
        for stream in load.streams:
            assert await region.send(stream[0]) == ["AA"]
    finally:
        carehub_up.kill()
        await carehub_up.wait()
    await region.start()

    for stream in load.streams:
        assert set(await region.send(*stream)) == {"AA"}
    await _all_is_well(region, load)
    after = await region.settled_accounts()
    assert after["MERCY"]["received"] == before["MERCY"]["received"] + len(load)
    assert after["MERCY"]["duplicates"] == before["MERCY"]["duplicates"] + len(load.streams)
    still = await region.rows(
        "tasking",
        "SELECT id, state FROM loops WHERE id = ANY ($1) ORDER BY id",
        [r["id"] for r in loops],
    )
    assert still == loops


async def _carehub_up(region: Region) -> asyncio.subprocess.Process:
    """The command, on the region's home and ports; returns when it says that it is ready."""
    settings, machine = region.settings, region.machine
    ports = {
        "CAREHUB_HTTP_PORT": str(settings.http_port),
        "CAREHUB_MLLP_PORT": str(settings.mllp_port),
    }
    words = ["up", "--no-feeds", *(["--split"] if settings.split else [])]
    log = machine.home / "logs" / "carehub-up.log"
    with log.open("wb") as out:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services", *words,
            env={**os.environ, **ports, "CAREHUB_HOME": str(machine.home)},
            stdout=out, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def is_ready() -> bool:
        assert child.returncode is None, log.read_text()
        return "CareHub is ready" in log.read_text()

    await region.until(is_ready, 120, "carehub up")
    return child


async def _everybody_is_back(region: Region) -> None:
    async def is_back() -> bool:
        try:
            is_ready = (await region.unsigned("GET", "/readyz")).status_code == 200
            # A PostgreSQL that has begun anew is there before it lets anybody in, and nobody needs it to be ready.
            answer = await region.ask("integration", "GET", "/v1/feeds")
        except httpx.TransportError:
            return False
        is_answered = is_ready and answer.status_code == 200
        return is_answered and all(pid_of(region, each) for each in victims_of(region))

    await region.until(is_back, 60, "every process back")


async def _all_is_well(region: Region, load: Load) -> None:
    """The accounts add up, each message is stored once, and each stay has the loop that it should have."""
    accounts = (await region.settled_accounts())["MERCY"]
    assert accounts["parked"] == 0
    mrns = [stay.person.mrn for stay in load.stays]

    wrong: dict[str, Any] = {}

    async def all_is_right() -> bool:
        wrong.clear()
        wrong.update(await _wrong_loops(region, load))
        return not wrong

    await region.until(all_is_right, 60, lambda: f"a loop for every stay, not {wrong}")
    control_ids = [_control_id(message) for stream in load.streams for message in stream]
    stored = await region.rows(
        "interop",
        "SELECT control_id, count(*), min(state) AS state FROM messages WHERE control_id = ANY ($1) GROUP BY 1",
        control_ids,
    )
    assert {row["control_id"] for row in stored} == set(control_ids)
    assert [row["control_id"] for row in stored if row["count"] != 1] == []
    assert {row["state"] for row in stored} <= {"APPLIED", "NO_OP"}
    handled = await region.rows(
        "registry", "SELECT count(*) FROM visit_messages WHERE message_id IS NOT NULL"
    )
    assert handled[0][0] >= len(control_ids)
    assert await _patients_with(region, mrns) == len(mrns)
    for service in SERVICES:
        await region.until(lambda s=service: _everything_is_told(region, s), 30, "an empty outbox")
        assert await region.rows(service, PARKED) == []
    twice = "SELECT loop_id, step FROM tasks GROUP BY 1, 2 HAVING count(*) > 1"
    assert await region.rows("tasking", twice) == []


async def _wrong_loops(region: Region, load: Load) -> dict[str, Any]:
    """Stays that have other than exactly the one loop that they ought to have, in its state: what they have."""
    visits = [stay.person.visit for stay in load.stays]
    seen = await region.rows(
        "registry", "SELECT visit_number, id FROM encounters WHERE visit_number = ANY ($1)", visits
    )
    loops: dict[Any, list[tuple[str, str]]] = {}
    for row in await region.rows("tasking", "SELECT encounter_id, state, close_reason FROM loops"):
        loops.setdefault(row["encounter_id"], []).append((row["state"], row["close_reason"]))
    has = {row["visit_number"]: loops.get(row["id"], []) for row in seen}
    return {s.person.visit: has.get(s.person.visit) for s in load.stays if not _fits(s, has)}


def _fits(stay: Stay, has: dict[str, list[tuple[str, str]]]) -> bool:
    loops = has.get(stay.person.visit)
    # What was over before tasking first heard of it never had to be opened.
    over_at_once = stay.loop != "OPEN" and loops == []
    return over_at_once or loops == ([(stay.loop, stay.close_reason)] if stay.loop else [])


async def _everything_is_told(region: Region, service: str) -> bool:
    waiting = await region.rows(service, "SELECT count(*) FROM outbox WHERE published_at IS NULL")
    return waiting[0][0] == 0


async def _patients_with(region: Region, mrns: list[str]) -> int:
    found = await region.rows(
        "registry",
        "SELECT count(DISTINCT p.id) FROM patient_search s JOIN patients p ON p.id = s.patient_id "
        "AND p.state = 'ACTIVE', unnest(tsvector_to_array(s.vector)) entry WHERE entry = ANY ($1::text[])",
        [f"i:{mrn}" for mrn in mrns],
    )
    return int(found[0][0])


def _control_id(message: bytes) -> str:
    return message.decode().split("|")[9]
