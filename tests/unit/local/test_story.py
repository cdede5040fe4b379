"""What the story stands on: the right Friday, a patient who is nobody else's, and steps that fail with their names."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from libs.local.clock import VARIABLE, ClockNotMoved, clock_file
from libs.local.story import stage as staging
from libs.local.story.calendar import MONDAYS, at, long_weekend
from libs.local.story.patient import Patient
from libs.local.story.stage import Stage, StoryBroke

HOLIDAYS = Path(__file__).parents[3] / "libs" / "calendars" / "holidays" / "us-federal.yaml"


def staged(tmp_path, answers=None):
    env = {VARIABLE: str(clock_file(tmp_path)), "GATEWAY_ISSUER": "http://issuer.invalid"}
    client = httpx.AsyncClient(
        base_url="http://hub.invalid",
        transport=httpx.MockTransport(answers or (lambda _: httpx.Response(200, json={}))),
    )
    return Stage(env=env, client=client, say=lambda _: None)


@pytest.mark.parametrize(
    ("now", "friday"),
    [
        ("2026-11-28T12:00:00", date(2027, 1, 15)),
        ("2027-01-11T14:00:00", date(2027, 1, 15)),
        # The week of its Monday has begun: the next one.
        ("2027-01-11T16:00:00", date(2027, 2, 12)),
        ("2027-03-01T00:00:00", date(2027, 5, 28)),
        ("2027-08-01T00:00:00", date(2027, 9, 3)),
        ("2027-10-01T00:00:00", date(2027, 10, 8)),
    ],
)
def test_the_friday_before_a_long_weekend(now, friday):
    assert long_weekend(datetime.fromisoformat(now).replace(tzinfo=UTC)) == friday


def test_its_mondays_are_the_holidays_that_the_hub_knows():
    rules = yaml.safe_load(HOLIDAYS.read_text())["holidays"]
    assert {(rule["month"], rule["nth"]) for rule in rules if rule.get("weekday") == 0} == set(
        MONDAYS
    )


def test_she_is_78_and_somebody_else_each_time():
    one, other = Patient(friday=date(2027, 1, 15)), Patient(friday=date(2027, 2, 12))
    assert one.born == date(1948, 10, 7)
    assert (one.born, one.hospital_number) != (other.born, other.hospital_number)
    stay = one.at_hospital(
        "A03", at(date(2027, 1, 11), 9, 15), ended=at(one.friday, 17, 40)
    ).decode()
    assert "202701151740" in stay
    assert stay.count("DG1|") == 2


async def test_what_does_not_come_true_breaks_the_story_in_its_step(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "PATIENCE", 0.05)
    stage = staged(tmp_path)
    await stage.begin("7. why", lambda at: at)

    async def never():
        return None

    with pytest.raises(StoryBroke, match=r"^7\. why: not within 0 seconds: she answers$"):
        await stage.until("she answers", never)
    with pytest.raises(StoryBroke, match=r"^7\. why: not so: it is done$"):
        stage.check(False, "it is done")


async def test_nothing_is_played_where_there_is_no_demo(tmp_path):
    stage = staged(tmp_path)
    stage.env = {}
    with pytest.raises(ClockNotMoved, match="no demo"):
        stage.now()


async def test_the_clock_is_not_turned_back_for_what_has_passed(tmp_path):
    stage = staged(tmp_path)
    stage.forward(days=3)
    before = stage.now()
    stage.forward_to(before - timedelta(days=1))
    assert stage.now() - before < timedelta(seconds=1)
    stage.forward_to(before + timedelta(days=1))
    assert abs(stage.now() - before - timedelta(days=1)) < timedelta(seconds=2)
