"""The whole spine against the truth: a noisy region over MLLP, then visits and loops exactly as they must be."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from libs.local.process import free_port
from libs.simulator.noise import Fate, Feeds, Noise
from libs.simulator.people import Region
from libs.simulator.play import Player
from libs.simulator.visits import Life

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
FEEDS = ("MERCY", "VALLEY", "PINECREEK", "SUMMIT", "CEDAR")


def region_of(people=80, seed="spine"):
    return Region.build(seed, people, FEEDS)


def noisy(region, events, days=6):
    """Few people who come often: merges, readmissions and deaths happen within days."""
    life = Life(region, NOW - timedelta(days=days), intensity=1.5)
    noise = Noise(
        repeated=0.05, resent=0.02, jittered=0.2, late=0.05, broken=0.02, silences_a_day=0.5
    )
    return Feeds(life, region.seed, noise).messages(events)


async def play(spine, messages):
    async with spine.listening() as address:
        player = Player(address=address, say=lambda _line: None, waits=False)
        await player.play(iter(messages), asyncio.Event())
    await spine.settled()
    return player.truth


ENCOUNTERS = """
    SELECT e.*, EXISTS (
        SELECT FROM jsonb_each(p.facts->'single') AS told
        WHERE told.key LIKE 'death_indicator@%' AND told.value->>'value' = 'Y'
    ) AS dead FROM encounters e
    JOIN patients p ON p.id = e.patient_id WHERE NOT e.is_void
"""


@pytest.mark.timeout(600)
async def test_a_noisy_region_ends_in_the_true_visits_and_the_loops_that_follow_from_them(spine):
    region = region_of()
    messages = list(noisy(region, 700))
    async with spine(region, NOW) as running:
        truth = await play(running, messages)
        await accounts_add_up(running, truth)
        await visits_are_true(running, truth, messages)
        ends = await loops_are_true(running, truth)
        await results_are_true(running, truth)
        assert ends.keys() == {"", "READMITTED", "NOT_ELIGIBLE", "ADMISSION_CANCELLED", "DECEASED"}


@pytest.mark.timeout(600)
async def test_a_hub_that_goes_away_in_the_middle_ends_in_the_same(spine):
    region = region_of(seed="away")
    messages = list(noisy(region, 300))
    async with spine(region, NOW) as running:
        async with running.listening(free_port()) as address:
            player = Player(address=address, say=lambda _line: None, waits=False, ahead=8)
            playing = asyncio.create_task(player.play(iter(messages), asyncio.Event()))
            await running.hub.until(lambda: _async(player.sent > 60))
        async with running.listening(address.port):
            await asyncio.wait_for(playing, 150)
        assert any(tally.lost_connections for tally in player.tallies.values())
        await running.settled()
        await visits_are_true(running, player.truth, messages)
        await loops_are_true(running, player.truth)


async def _async(value):
    return value


async def accounts_add_up(spine, truth):
    for key, account in (await spine.accounts()).items():
        fates = truth.fates[key]
        assert (
            account.received == fates[Fate.TAKEN] + fates[Fate.IGNORED] + fates[Fate.QUARANTINED]
        ), key
        assert account.ignored == fates[Fate.IGNORED], key
        assert account.quarantined == fates[Fate.QUARANTINED], key
        assert account.duplicates == fates[Fate.REPEATED], key
        assert account.applied + account.no_op == fates[Fate.TAKEN], key
        assert (account.pending, account.parked) == (0, 0), key


async def visits_are_true(spine, truth, messages):
    rows = {
        (spine.places[r["facility_id"]], r["visit_number"]): r
        for r in await spine.rows("registry", ENCOUNTERS)
    }
    expected = {(e.site, e.visit_number): e for e in truth.expected_encounters()}
    assert rows.keys() == expected.keys()
    for key, row in rows.items():
        assert told(row) == wanted(expected[key]), key
    pairs = {(row["patient_id"], expected[key].patient) for key, row in rows.items()}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def told(row):
    is_over = row["state"] == "CANCELLED"
    return {
        "class": row["encounter_class"],
        "state": row["state"],
        "admit_at": None if is_over else row["admit_at"],
        "discharge_at": row["discharge_at"],
        "disposition": row["discharge_disposition"],
        "places": () if is_over else tuple(each["place"] for each in json.loads(row["locations"])),
        "diagnoses": tuple(each["code"] for each in json.loads(row["diagnoses"])),
        "is_deceased": row["dead"],
    }


def wanted(visit):
    is_over = visit.state == "CANCELLED"
    return {
        "class": visit.visit_class,
        "state": visit.state,
        "admit_at": None if is_over else visit.admit_at,
        "discharge_at": visit.discharge_at,
        "disposition": visit.disposition,
        "places": () if is_over else visit.places,
        "diagnoses": visit.diagnoses,
        "is_deceased": visit.patient.is_deceased,
    }


async def loops_are_true(spine, truth):
    visits = {
        r["id"]: (spine.places[r["facility_id"]], r["visit_number"])
        for r in await spine.rows("registry", ENCOUNTERS)
    }
    loops = await spine.rows("tasking", "SELECT * FROM loops WHERE encounter_id IS NOT NULL")
    assert len({r["encounter_id"] for r in loops}) == len(loops)
    found = {visits[r["encounter_id"]]: r for r in loops}
    expected = {(t.site, t.visit_number): t for t in truth.expected_transitions()}
    must_be_open = {key for key, each in expected.items() if not each.end}
    assert {key for key, r in found.items() if r["state"] == "OPEN"} == must_be_open
    for key in must_be_open:
        assert found[key]["anchor_at"] == expected[key].discharge_at, key
    for key, row in found.items():
        if row["state"] != "OPEN":
            # A stay that turned out to be none may have had a loop for a while.
            reason = expected[key].end if key in expected else "NOT_ELIGIBLE"
            assert row["close_reason"] == reason, key
    ends = Counter(each.end for each in expected.values())
    assert ends[""] > 10
    return ends


async def results_are_true(spine, truth):
    """Each panel is there whole, and an alarm for each that has to raise one, unless its patient has died."""
    expected = {(each.site, each.number): each for each in truth.expected_results()}
    rows = await spine.rows("registry", "SELECT * FROM observations")
    found = Counter((spine.places[r["facility_id"]], r["number"]) for r in rows)
    assert found == dict.fromkeys(expected, 4)
    numbers = {r["id"]: (spine.places[r["facility_id"]], r["number"]) for r in rows}
    loops = await spine.rows("tasking", "SELECT * FROM loops WHERE result_id IS NOT NULL")
    about = {numbers[r["result_id"]]: r for r in loops}
    assert len(about) == len(loops)
    assert all(expected[key].is_critical for key in about)
    alarms = {key for key, each in expected.items() if each.is_alarm}
    living = {key for key in alarms if not expected[key].patient.is_deceased}
    assert {key for key, r in about.items() if r["state"] == "OPEN"} == living
    ends = {r["close_reason"] for key, r in about.items() if key not in living}
    assert ends <= {"DECEASED", "NOT_ELIGIBLE"}
    assert len(alarms) > 2
