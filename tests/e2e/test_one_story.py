"""One story through every service, on a hub of its own whose clock is moved; and what is true of it afterwards.

The steps say themselves what has to hold while they are played (libs/local/story). Here is what must hold at the end, asked of
the API and of the databases.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from libs.local import environment
from libs.local.environment import SERVICES
from libs.local.letters import kept_letters
from libs.local.process import free_port
from libs.local.story.play import STEPS, play
from libs.local.story.stage import Stage
from libs.local.story.tale import Tale
from libs.local.up import UpSettings
from tests.e2e.region import Region

CLINIC = ZoneInfo("America/Denver")
# A hub starts, and a month goes by in it.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", params=["together", "split"])
async def told(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Region, Tale, list[str]]]:
    """The story, played to its end, and what was said of it."""
    home = Path(tempfile.mkdtemp(prefix="carehub-story-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    ports = {"http_port": free_port(), "mllp_port": free_port()}
    region = Region(UpSettings(home=home, split=request.param == "split", **ports))
    said: list[str] = []
    try:
        async with region.running():
            async with httpx.AsyncClient(base_url=region.machine.public_url, timeout=30) as client:
                env = environment.for_services(region.machine)
                tale = await play(Stage(env=env, client=client, say=said.append))
            yield region, tale, said
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def test_every_step_is_played_and_says_where_to_look(told):
    _, _, said = told
    titles = [line for line in said if any(line.startswith(f"\n{title}") for title, _ in STEPS)]
    assert len(titles) == len(STEPS) == 11
    looks, at = Counter[str](), ""
    for line in said:
        at = next((title for title, _ in STEPS if line.startswith(f"\n{title}")), at)
        looks[at] += "→ http://" in line
    assert all(looks[title] for title, _ in STEPS), looks


async def test_no_loop_of_hers_is_open_and_none_is_closed_without_evidence(told):
    region, tale, _ = told
    loops = await region.loops("coordinator", tale.patient_id)
    assert Counter((loop["protocol"], loop["closeReason"]) for loop in loops) == {
        ("discharge-transition", "COMPLETED"): 1,
        ("missed-visit", "ATTENDED"): 1,
        ("referral-follow-up", "NEXT_ASKED"): 1,
        ("referral-follow-up", "HELPED"): 1,
        ("medication-question", "ANSWERED"): 1,
    }
    assert all(loop["state"] == "STATE_CLOSED" and loop["evidence"] for loop in loops)
    listed = await region.get("coordinator", "/v1/tasks", patientId=tale.patient_id, pageSize="200")
    assert not [task["step"] for task in listed["tasks"] if task["state"] == "STATE_OPEN"]


async def test_each_step_is_closed_by_what_shows_it(told):
    region, tale, _ = told
    transition = await region.get("coordinator", f"/v1/loops/{tale.transition_id}")
    shown = {each["step"]: each for each in transition["evidence"] if each.get("step")}
    assert shown["medication_reconciliation"]["kind"] == "RECONCILIATION"
    assert shown["visit"]["kind"] in {"ENCOUNTER", "APPOINTMENT"}
    visit = await region.get("rural-scheduler", f"/v1/appointments/{tale.visit_id}")
    assert shown["visit"]["sourceId"] in {visit["encounterId"], tale.visit_id}
    assert {shown[step]["kind"] for step in ("contact", "home_visit", "close")} == {"TASK_OUTCOME"}
    missed = await region.get("coordinator", f"/v1/loops/{tale.missed_loop_id}")
    kinds = {each["step"]: each["kind"] for each in missed["evidence"] if each.get("step")}
    assert kinds["ask_why"] == "REPLY"
    assert kinds["arrange_ride"] == "REFERRAL"
    assert kinds["book_again"] == "APPOINTMENT"

    async def is_over() -> bool:
        plan = await region.get("coordinator", f"/v1/carePlans/{tale.plan_id}")
        return plan["state"] == "STATE_COMPLETED"

    await region.until(is_over, 20, "the plan is completed with its loop")


async def test_she_was_written_to_at_permitted_hours_in_her_language_and_no_more_than_allowed(told):
    region, tale, _ = told
    listed = await region.get(
        "coordinator", f"/v1/contacts/{tale.patient_id}/messages", pageSize="200"
    )
    sent = [message for message in listed["messages"] if message["state"] == "STATE_SENT"]
    assert {message["template"] for message in sent} >= {"discharge-next", "appointment-missed"}
    assert {message["language"] for message in sent} == {"es"}
    by_day: Counter[Any] = Counter()
    for message in sent:
        at = datetime.fromisoformat(message["sentTime"]).astimezone(CLINIC)
        assert 7 <= at.hour < 21, message["template"]
        if (
            not message["template"].startswith("reply-")
            and message["template"] != "appointment-missed"
        ):
            by_day[at.date()] += 1
    assert max(by_day.values()) == 1
    replies = [
        reply["reply"]["meaning"] for message in sent for reply in message.get("replies", [])
    ]
    assert sorted(replies) == ["MEANING_BARRIER", "MEANING_CONFIRMED"]


async def test_nobodys_minutes_overlap(told):
    region, tale, _ = told
    listed = await region.get(
        "coordinator", "/v1/timeEntries", patientId=tale.patient_id, pageSize="200"
    )
    by_person: dict[str, list[tuple[str, str]]] = {}
    for entry in listed["entries"]:
        by_person.setdefault(entry["staffId"], []).append((entry["startTime"], entry["endTime"]))
    assert len(by_person) >= 3
    for spans in by_person.values():
        assert all(one[1] <= other[0] for one, other in pairwise(sorted(spans)))


async def test_drivers_are_written_to_without_a_word_about_her(told):
    region, _, _ = told
    mail = [message_from_bytes(content) for _, content in kept_letters(region.machine.home)]
    letters = [
        each
        for each in mail
        if each["X-Envelope-To"].endswith(("pinecreek.example", "coldwater.example"))
    ]
    assert {each["X-Envelope-To"] for each in letters} == {
        "drivers@pinecreek.example",
        "rides@coldwater.example",
    }
    for letter in letters:
        text = letter.as_string()
        assert not [
            word for word in ("Consuelo", "Barrera", "Cottonwood", "5550177") if word in text
        ]


async def test_nothing_is_set_aside_and_every_event_is_out(told):
    region, _, _ = told
    for service in SERVICES:
        (parked,) = await region.rows(service, "SELECT count(*) AS n FROM parked")
        assert parked["n"] == 0, service

        async def all_out(service: str = service) -> bool:
            (left,) = await region.rows(
                service, "SELECT count(*) AS n FROM outbox WHERE published_at IS NULL"
            )
            return left["n"] == 0

        await region.until(all_out, what=f"that all of {service} is published")


async def test_the_command_says_what_time_it_is_and_moves_it_once(told):
    region, _, _ = told
    env = {**os.environ, "CAREHUB_HOME": str(region.machine.home)}

    async def clock(*arguments: str) -> tuple[int, str]:
        words = (sys.executable, "-m", "services", "demo", "clock", *arguments)
        child = await asyncio.create_subprocess_exec(*words, env=env, stdout=-1, stderr=-1)
        out, err = await child.communicate()
        return child.returncode or 0, (out + err).decode()

    before = await clock()
    after = await clock("--forward", "2d")
    assert (before[0], after[0]) == (0, 0)
    days = [
        datetime.strptime(text.split(", ")[1][:10], "%Y-%m-%d").replace(tzinfo=UTC)
        for _, text in (before, after)
    ]
    assert days[1] - days[0] == timedelta(days=2)
    code, text = await clock("--forward=-2d")
    assert (code, "no time to move by" in text) == (1, True)
    # Who signed in before is still signed in, and so is who signs in now.
    assert (await region.ask("coordinator", "GET", "/v1/me")).status_code == 200
    assert (await region.ask("nurse2", "GET", "/v1/me")).status_code == 200
