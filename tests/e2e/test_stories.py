"""The stories around the one that is watched, one of each outcome, on a hub of its own whose clock is moved: each ends as it has to.

`carehub up` plays them at the demo's pace; here everything that is due is done before the clock goes on.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.local.environment import for_services
from libs.local.process import free_port
from libs.local.up import UpSettings
from libs.simulator.afterwards import HOME, HOSPITAL, RIDES, Afterwards, Outcome
from libs.simulator.stories.cohort import Cohort, act_once
from libs.simulator.stories.hub import Hub
from tests.e2e.region import Region
from tests.e2e.thousand.days import Days
from tests.e2e.thousand.diary import Diary
from tests.e2e.thousand.world import second_monday_of_february

pytestmark = pytest.mark.timeout(900)
STORIES = int(os.environ.get("CAREHUB_STORIES", str(len(Outcome))))


@dataclass(slots=True)
class Played:
    """A cohort that was played to its end, and where."""

    region: Region
    cohort: Cohort
    patients: dict[int, str] = field(default_factory=dict)

    def of(self, *outcomes: Outcome) -> list[str]:
        """The patients of these outcomes."""
        plans = self.cohort.stories.values()
        return [self.patients[plan.number] for plan in plans if plan.outcome in outcomes]


@pytest.fixture(scope="module")
async def played() -> AsyncIterator[Played]:
    home = Path(tempfile.mkdtemp(prefix="carehub-stories-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    region = Region(UpSettings(home=home, http_port=free_port(), mllp_port=free_port()))
    try:
        async with region.running():
            days = Days(region)
            days.forward_to(_begin(days.now()))
            await days.come_to_rest()
            cohort = Cohort.begin(days.now(), size=STORIES)
            try:
                await _play(region, cohort, days)
            finally:
                await days.close()
            found = Played(region, cohort)
            for plan in cohort.stories.values():
                found.patients[plan.number] = await _patient(region, cohort.somebody(plan).mrn)
            yield found
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _begin(after: datetime) -> datetime:
    """The same weekday, hour and season whenever this is run: which days are off decides who is called, seen and driven."""
    day = second_monday_of_february(after.astimezone(HOSPITAL).date())
    return datetime.combine(day, time(9), HOSPITAL)


async def _play(region: Region, cohort: Cohort, days: Days) -> None:
    async with httpx.AsyncClient(base_url=region.machine.public_url, timeout=30) as client:
        hub = Hub(env=for_services(region.machine), client=client)
        while cohort.waiting:
            while await act_once(cohort, hub, days.now):
                pass
            await days.come_to_rest()
            if cohort.waiting and cohort.waiting[0].at > days.now():
                days.forward_to(cohort.waiting[0].at)
                await days.come_to_rest()


async def _patient(region: Region, number: str) -> str:
    found = await region.ask("coordinator", "POST", "/v1/patients:search", json={"text": number})
    patients = found.json().get("patients", [])
    return str(patients[0]["id"]) if patients else ""


async def test_each_outcome_is_played_and_its_stay_ends_as_it_has_to(played):
    assert {plan.outcome for plan in played.cohort.stories.values()} == set(Outcome)
    wrong = {}
    for plan in played.cohort.stories.values():
        loops = await _loops(played, played.patients[plan.number], "discharge-transition")
        found = sorted(loop.get("closeReason") or "OPEN" for loop in loops)
        ends = Diary(plan).ends()
        if plan.stay.disposition != HOME and _is_over(plan, played.cohort) and not found:
            continue  # it was over before anybody told of it
        if len(found) != len(ends) or not all(any(r in e for e in ends) for r in found):
            left = await _undone(played, played.patients[plan.number])
            wrong[plan.number, str(plan.outcome)] = (found, ends, left)
    assert not wrong


async def _undone(played: Played, patient_id: str) -> list[str]:
    listed = await played.region.get("coordinator", "/v1/tasks", patientId=patient_id)
    return [task["step"] for task in listed["tasks"] if task["state"] == "STATE_OPEN"]


def _is_over(plan: Afterwards, cohort: Cohort) -> bool:
    left = plan.stay.discharged_at
    return left is not None and left < cohort.begun_at


async def _loops(played: Played, patient_id: str, protocol: str) -> list[Any]:
    listed = await played.region.get("coordinator", "/v1/loops", patientId=patient_id)
    return [loop for loop in listed.get("loops", []) if loop["protocol"] == protocol]


async def test_who_had_no_ride_missed_a_visit_and_was_driven_unless_the_ride_failed(played):
    asked = await played.region.rows("referrals", "SELECT patient_id, state FROM referrals")
    states: dict[str, Counter[str]] = {}
    for row in asked:
        states.setdefault(str(row["patient_id"]), Counter())[row["state"]] += 1
    assert set(states) == set(played.of(*RIDES))
    for patient_id in played.of(Outcome.NO_RIDE, Outcome.RIDE_REFUSED, Outcome.RIDE_SILENT):
        assert states[patient_id]["COMPLETED"] == 1
        [missed] = await _loops(played, patient_id, "missed-visit")
        assert missed["closeReason"] == "ATTENDED"
    for patient_id in played.of(Outcome.RIDE_REFUSED, Outcome.RIDE_SILENT):
        assert states[patient_id].total() > 1, "another was asked"
    for patient_id in played.of(Outcome.RIDE_FAILED):
        assert states[patient_id]["COMPLETED"] == 0
        assert len(await _loops(played, patient_id, "missed-visit")) == 2


async def test_who_moved_merged_died_or_said_stop_is_so_in_the_record(played):
    region = played.region
    [moved] = played.of(Outcome.MOVED_AWAY)
    record = await region.get("coordinator", f"/v1/patients/{moved}")
    assert "Tucson" in str(record)
    [merged] = played.of(Outcome.MERGED)
    numbers = {each["value"] for each in (await region.get("coordinator", f"/v1/patients/{merged}"))["identifiers"]}  # fmt: skip
    assert len(numbers) == 2
    replies = await region.rows("messaging", "SELECT patient_id, meaning FROM replies")
    said = {(str(row["patient_id"]), row["meaning"]) for row in replies}
    assert {(each, "STOP") for each in played.of(Outcome.SAID_STOP)} <= said
    assert {(each, "CRISIS") for each in played.of(Outcome.IN_DANGER)} <= said


async def test_nothing_is_set_aside(played):
    for service in ("registry", "tasking", "careplans", "messaging", "referrals", "scheduling"):
        assert await played.region.rows(service, "SELECT consumer, reason FROM parked") == []
