"""A thousand discharges with every outcome and many faults, on a hub of its own; and what must hold of each of them at the end.

`make test` plays a few, `make test-discharges` all of them. CAREHUB_SEED chooses others.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from libs.local.environment import SERVICES
from libs.local.process import free_port
from libs.local.up import UpSettings
from libs.simulator.afterwards import HOSPITAL, Outcome
from tests.e2e.region import Region
from tests.e2e.thousand.asking import pages, totals_of
from tests.e2e.thousand.case import MERCY
from tests.e2e.thousand.truth import EXCLUDED, MET, NOT_MET, measures
from tests.e2e.thousand.world import DISCHARGES, IS_WHOLE, LATE, World, played

pytestmark = pytest.mark.timeout(600 + 4 * DISCHARGES)
TRANSITION = "discharge-transition"
# What is only to be done before the patient leaves.
INSIDE = ["plan_going_home", "book_follow_up", "watch_discharge"]


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    home = Path(tempfile.mkdtemp(prefix="carehub-thousand-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    region = Region(UpSettings(home=home, http_port=free_port(), mllp_port=free_port()))
    try:
        async with region.running():
            yield await played(region)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
async def loops(world: World) -> list[Any]:
    """Every loop, by the API."""
    return [
        loop
        for state in ("OPEN", "CLOSED", "CANCELLED")
        for loop in await pages(world, "coordinator", "/v1/loops", "loops", state=f"STATE_{state}")
    ]


async def test_the_hub_had_to_live_with_faults(world):
    counted = world.hands.counted
    assert world.killed
    assert not world.kills, "not killed"
    faults = ["messages repeated", "messages sent anew", "messages out of order"]
    faults += ["requests repeated", "minutes refused"]
    if IS_WHOLE:
        faults += ["slots that somebody else had taken", "drivers who were taken"]
    for fault in faults:
        assert counted.get(fault), fault
    accounts = await world.region.settled_accounts()
    assert sum(each["parked"] + each["quarantined"] for each in accounts.values()) == 0


async def test_no_loop_is_lost_and_none_is_there_twice(world, loops):
    """Each stay has the loop that it ought to have, ended as it ought to be."""
    found: dict[str, list[str]] = {}
    for loop in sorted(loops, key=lambda each: each["openTime"]):
        if loop["protocol"] == TRANSITION:
            found.setdefault(loop["patientId"], []).append(loop.get("closeReason") or "OPEN")
    wrong = {
        (d.plan.number, str(d.plan.outcome)): found.get(d.patient_id)
        for d in world.diaries
        if not _fit(found.get(d.patient_id, []), d.ends())
    }
    assert not wrong


def _fit(found: list[str], ends: list[frozenset[str]]) -> bool:
    left = list(ends)
    for reason in found:
        fits = next((each for each in left if reason in each), None)
        if fits is None:
            return False
        left.remove(fits)
    return not left


async def test_every_missed_visit_referral_and_word_has_its_loop(world, loops):
    about = {key: Counter(loop[key] for loop in loops if loop.get(key)) for key in ("appointmentId", "referralId", "replyId")}  # fmt: skip
    assert all(n == 1 for counts in about.values() for n in counts.values())
    rows = world.region.rows
    missed = await rows(
        "scheduling", "SELECT id, patient_id FROM appointments WHERE state = 'NO_SHOW'"
    )
    gone = {d.patient_id for d in world.diaries if d.plan.gone_at}
    followed = {str(row["id"]) for row in missed if str(row["patient_id"]) not in gone}
    assert followed <= about["appointmentId"].keys()
    assert len(missed) == sum(diary.missed for diary in world.diaries)
    sent = await rows("referrals", "SELECT id FROM referrals WHERE sent_at IS NOT NULL")
    assert {str(row["id"]) for row in sent} == set(about["referralId"])
    assert len(sent) == sum(len(diary.asked) for diary in world.diaries)
    words = await rows("messaging", "SELECT id FROM replies WHERE meaning IN ('TEXT', 'CRISIS')")
    assert {str(row["id"]) for row in words} == set(about["replyId"])
    assert len(words) == sum(diary.words for diary in world.diaries)


async def test_no_loop_is_closed_without_evidence(world, loops):
    closed = [loop for loop in loops if loop["state"] == "STATE_CLOSED"]
    assert closed
    assert [
        loop["id"] for loop in closed if not loop.get("evidence") or not loop["closeTime"]
    ] == []
    visits = {diary.patient_id: diary.visits for diary in world.diaries}
    for loop in closed:
        shown = [each for each in loop["evidence"] if each["kind"] in ("ENCOUNTER", "APPOINTMENT")]
        if loop.get("closeReason") == "ATTENDED":
            came = [abs(_time(loop["closeTime"]) - at) for at in visits[loop["patientId"]]]
            assert shown
            assert min(came) <= timedelta(minutes=10), "nobody was there when it was closed"
        seen = [e for e in shown if e.get("step") == "visit" and e["kind"] == "ENCOUNTER"]
        for each in seen:
            assert _time(each["time"]) in visits[loop["patientId"]], "nobody was there then"


async def test_what_closed_a_loop_took_place_when_the_loop_says(world, loops):
    diaries = {diary.patient_id: diary for diary in world.diaries}
    for loop in loops:
        diary, reason = diaries[loop["patientId"]], loop.get("closeReason")
        when = {
            "READMITTED": [stay.admitted_at for stay in diary.stays[1:]],
            "DECEASED": [diary.died_at, *(stay.discharged_at for stay in diary.stays)],
            "NOT_ELIGIBLE": [stay.discharged_at for stay in diary.stays],
        }.get(reason)
        if when is not None and loop["protocol"] == TRANSITION:
            assert _time(loop["closeTime"]) in when, (diary.plan.number, reason)


async def test_what_is_complete_has_evidence_for_each_step(world, loops):
    """Of a loop that is complete nothing is left out: each required task is done, or tried often enough."""
    complete = {loop["id"]: loop for loop in loops if loop.get("closeReason") == "COMPLETED"}
    undone = await world.region.rows(
        "tasking",
        "SELECT loop_id, step FROM tasks WHERE is_required AND state <> 'COMPLETED'"
        " AND loop_id = ANY ($1) AND step <> ALL ($2)",
        list(complete),
        INSIDE,
    )
    for task in undone:
        evidence = complete[str(task["loop_id"])]["evidence"]
        assert task["step"] in {each.get("step") for each in evidence}, dict(task)


async def test_no_open_loop_or_task_is_without_an_owner_and_a_live_clock(world, loops):
    assert not world.broken
    staff = await pages(world, "admin", "/v1/staff", "staff")
    active = {each["id"] for each in staff if each.get("state") == "STATE_ACTIVE"}
    just_now = world.days.now() - LATE
    open_loops = [loop for loop in loops if loop["state"] == "STATE_OPEN"]
    assert open_loops
    for loop in open_loops:
        assert loop["owner"]["accountableStaffId"] in active
        assert _time(loop["clockTime"]) > just_now
        tasks = await world.hands.get("coordinator", "/v1/tasks", loopId=loop["id"], pageSize="100")
        for task in tasks.get("tasks", []):
            assert task["state"] != "STATE_OPEN" or task["owner"]["accountableStaffId"] in active
    stuck = "SELECT id FROM tasks WHERE state = 'OPEN' AND next_escalation_at < $1"
    assert await world.region.rows("tasking", stuck, just_now) == []


_SENT = "SELECT patient_id, template, sent_at, counted_on FROM messages WHERE state = 'SENT' ORDER BY sent_at"


async def test_nobody_got_a_message_outside_permitted_hours_or_too_many(world):
    sent = await world.region.rows("messaging", _SENT)
    assert sent
    by_day: Counter[Any] = Counter()
    for message in sent:
        at = message["sent_at"].astimezone(HOSPITAL)
        if message["template"].startswith("reply-"):
            continue  # the answer to what somebody has just written
        assert 8 <= at.hour < 21, message
        if message["template"] != "appointment-missed":
            by_day[message["patient_id"], at.date()] += 1
    assert max(by_day.values()) == 1
    for (patient_id, day), _ in by_day.items():
        week = [by_day[patient_id, day + timedelta(days=n)] for n in range(7)]
        assert sum(week) <= 3


async def test_nobody_got_a_message_without_consent_or_after_death(world):
    sent = await world.region.rows("messaging", _SENT)
    stopped = {d.patient_id: d.stopped_at for d in world.diaries if d.stopped_at}
    died = {d.patient_id: d.died_at + timedelta(days=1) for d in world.diaries if d.died_at}
    assert stopped
    late = [
        (message["template"], message["sent_at"])
        for message in sent
        for ends in (stopped, died)
        if message["template"] != "reply-stop"
        and (end := ends.get(str(message["patient_id"])))
        and message["sent_at"] > end
    ]
    assert late == []
    telephones = await world.region.rows(
        "messaging", "SELECT message_id FROM telephone WHERE NOT is_written"
    )
    assert len(telephones) == len({row["message_id"] for row in telephones}) == len(sent)


async def test_no_driver_is_double_booked(world):
    rides = await world.region.rows(
        "referrals",
        "SELECT service_id, seat, ride_from, ride_until FROM referrals"
        " WHERE seat IS NOT NULL AND state <> 'CANCELLED' ORDER BY service_id, seat, ride_from",
    )
    assert rides
    for one, other in pairwise(rides):
        is_same = (one["service_id"], one["seat"]) == (other["service_id"], other["seat"])
        assert not is_same or one["ride_until"] <= other["ride_from"]


async def test_no_minute_is_counted_or_billed_twice(world):
    entries = await world.region.rows("tasking", "SELECT * FROM time_entries")
    replaced = {row["replaces_id"] for row in entries}
    standing = [e for e in entries if e["id"] not in replaced and not e["is_withdrawn"]]
    assert len(standing) > DISCHARGES
    by_person: dict[Any, list[Any]] = {}
    for each in standing:
        by_person.setdefault(each["staff_id"], []).append((each["start_at"], each["end_at"]))
    for spans in by_person.values():
        assert all(one[1] <= other[0] for one, other in pairwise(sorted(spans)))
    for patient_id in {str(each["patient_id"]) for each in standing}:
        shown = await world.hands.get(
            "coordinator", "/v1/timeEntries", patientId=patient_id, pageSize="500"
        )
        told = sum(total.get("minutes", 0) for total in shown.get("totals", []))
        assert told == totals_of([e for e in standing if str(e["patient_id"]) == patient_id])


async def test_no_thirty_days_of_anybody_are_billed_twice(world):
    candidates = await pages(world, "coordinator", "/v1/claimCandidates", "candidates")
    billed = [each for each in candidates if each.get("code")]
    assert billed
    loops = await world.region.rows("tasking", "SELECT id, patient_id, anchor_at FROM loops")
    left = {str(row["id"]): (row["patient_id"], row["anchor_at"]) for row in loops}
    for one, other in pairwise(sorted(left[each["loopId"]] for each in billed)):
        assert one[0] != other[0] or other[1] - one[1] >= timedelta(days=30)


@pytest.mark.parametrize("measure", ["contact-2-business-days", "follow-up-7-days", "follow-up-14-days", "readmission-30-days", "referral-closed"])  # fmt: skip
async def test_every_measure_is_what_really_took_place(world, measure):
    units = await pages(world, "coordinator", f"/v1/measures/{measure}/units", "units")
    found: dict[str, Counter[str]] = {}
    for unit in units:
        found.setdefault(unit["patientId"], Counter())[unit["status"].removeprefix("STATUS_")] += 1
    really = {d.patient_id: Counter(measures(d)[measure]) for d in world.diaries}
    wrong = {
        (d.plan.number, str(d.plan.outcome)): (found.get(d.patient_id), really[d.patient_id])
        for d in world.diaries
        if found.get(d.patient_id, Counter()) != really[d.patient_id]
    }
    assert not wrong, "found, and what really took place"
    all_told = sum(really.values(), Counter())
    assert all_told[MET]
    assert all_told[NOT_MET]
    if IS_WHOLE and measure != "referral-closed":
        assert all_told[EXCLUDED]
    listed = await world.region.get("coordinator", "/v1/measures")
    rate = next(each["rate"] for each in listed["measures"] if each["key"] == measure)
    met, of = all_told[MET], all_told[MET] + all_told[NOT_MET]
    assert (rate.get("numerator", 0), rate.get("denominator", 0)) == (met, of)


async def test_nothing_is_set_aside_and_every_event_is_out(world):
    for service in SERVICES:
        assert await world.region.rows(service, "SELECT consumer, reason FROM parked") == []
        left = await world.region.rows(service, "SELECT 1 FROM outbox WHERE published_at IS NULL")
        assert left == [], service


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


async def test_at_one_time_no_more_drivers_are_promised_than_there_are(world):
    """Last of all, since it asks for more rides than were counted: two more than there are drivers, and all say yes at once."""
    rides = "SELECT id, drivers FROM services WHERE drivers > 0 AND status = 'active' AND $1 = ANY (needs) ORDER BY drivers"
    service = (await world.region.rows("referrals", rides, "transportation-insecurity"))[0]
    diary = next(d for d in world.diaries if d.plan.outcome is Outcome.REACHED)
    start = world.days.now() + timedelta(days=2)
    details = {"firstName": "Ada", "destination": "Mercy", "startTime": start.isoformat(), "endTime": (start + timedelta(hours=2)).isoformat()}  # fmt: skip
    wish = {"facilityId": MERCY, "patientId": diary.patient_id, "need": "transportation-insecurity", "serviceId": str(service["id"]), "details": details}  # fmt: skip
    consent = {"form": "FORM_VERBAL", "serviceIds": [str(service["id"])], "items": ["ITEM_FIRST_NAME"], "witness": "Samuel Begay"}  # fmt: skip

    async def says_yes(referral_id: str) -> str:
        answer = await world.hands.tried("social-worker", "POST", f"/v1/referrals/{referral_id}:recordAnswer", answer="ANSWER_YES")  # fmt: skip
        return str(answer.json().get("state") or answer.json()["reason"])

    asked = []
    for _ in range(service["drivers"] + 2):
        draft = await world.hands.post("social-worker", "/v1/referrals", referral=wish)
        await world.hands.post(
            "social-worker", f"/v1/referrals/{draft['id']}:send", consent=consent
        )
        asked.append(says_yes(draft["id"]))
    said = Counter(await asyncio.gather(*asked))
    assert said == {"STATE_ACCEPTED": service["drivers"], "NO_DRIVER_FREE": 2}
    await test_no_driver_is_double_booked(world)
