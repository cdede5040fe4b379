"""From an emergency access that identity tells of to its review: a loop that nothing but the review closes."""

import random
from datetime import date, timedelta
from uuid import uuid4

import pytest
from carehub.identity.v1.break_glass_pb2 import BreakGlass, BreakGlassReview
from carehub.identity.v1.identity_events_pb2 import BreakGlassChanged
from carehub.tasking.v1 import loop_pb2, task_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from services.tasking.domain.protocol import shipped_protocols
from tests.component.tasking.conftest import at

KEY = "break-glass-review"
SATURDAY = "2026-09-05 03:00"  # of Labor Day's weekend: the next business day is Tuesday


def glass(t, patient, *, id=None, opened=SATURDAY, reviewed=None, uses=1, by=None):
    message = BreakGlass(
        id=str(id or uuid4()),
        patient_id=str(patient),
        person_id=str(by or t.nurse),
        facility_id=str(t.here),
        reason=BreakGlass.REASON_DANGER_TO_LIFE,
        uses_in_30_days=uses,
        open_time=to_timestamp(at(opened)),
    )
    if reviewed:
        message.review.finding = BreakGlassReview.FINDING_JUSTIFIED
        message.review.reviewer_id = str(t.network)
        message.review.review_time.CopyFrom(to_timestamp(at(reviewed)))
    version = 3 if reviewed else 1
    return BreakGlassChanged(break_glass=message, version=version)


async def tell(t, *changes):
    for change in changes:
        await t.hub.publish(change, key=change.break_glass.id, version=change.version)


async def officers(t):
    """The facility's privacy officer and the network's."""
    t.officer = uuid4()
    await t.staff(t.officer, "P Officer", "privacy_officer")
    await t.staff(t.network, "W Wide", "privacy_officer", facility="")
    await t.until_rows("SELECT count(*) FROM staff", 7)


async def review_task(t, patient):
    await t.until_rows("SELECT count(*) FROM tasks WHERE patient_id = $1", 1, patient)
    ((_, task),) = (await t.tasks(patient)).items()
    return task


def told(t, staff_id):
    return t.rows("SELECT level FROM notifications WHERE staff_id = $1 ORDER BY level", staff_id)


async def test_a_privacy_officer_looks_at_it_by_the_next_business_day(tasking):
    async with tasking() as t:
        await officers(t)
        patient, change = uuid4(), glass(t, uuid4())
        change.break_glass.patient_id = str(patient)
        await tell(t, change)
        task = await review_task(t, patient)
        assert task.step == "review"
        assert task.owner.accountable_staff_id == str(t.officer)
        due = task.due_date
        assert date(due.year, due.month, due.day) == date(2026, 9, 8)
        assert "Labor Day" in task.due_explanation
        (loop,) = await t.loops(patient)
        assert (loop.protocol, loop.break_glass_id) == (KEY, change.break_glass.id)
        assert loop.encounter_id == ""
        assert loop.state == loop_pb2.Loop.STATE_OPEN
        assert "DANGER" not in f"{loop} {task}"
        await t.promise_is_kept()


async def test_overdue_it_climbs_to_the_networks_and_its_review_closes_it(tasking):
    async with tasking() as t:
        await officers(t)
        patient, id = uuid4(), uuid4()
        await tell(t, glass(t, patient, id=id))
        await review_task(t, patient)
        t.hub.clock.set(at("2026-09-09 00:30"))
        await t.until_rows(
            "SELECT count(*) FROM notifications WHERE staff_id = $1 AND level = 2", 1, t.network
        )
        assert [row["level"] for row in await told(t, t.officer)] == [1, 2]
        t.hub.clock.set(at("2026-09-10 12:00"))
        await t.until_rows(
            "SELECT count(*) FROM notifications WHERE staff_id = $1 AND level = 3", 1, t.duty
        )
        await t.promise_is_kept()
        await tell(t, glass(t, patient, id=id, reviewed="2026-09-10 13:00"))
        await t.until_rows("SELECT count(*) FROM loops WHERE state = 'CLOSED'", 1)
        (loop,) = await t.loops(patient)
        assert loop.close_reason == "REVIEWED"
        (shown,) = loop.evidence
        assert (shown.kind, shown.source_id, shown.staff_id) == ("REVIEW", str(id), str(t.network))
        assert shown.time == to_timestamp(at("2026-09-10 13:00"))
        ((_, task),) = (await t.tasks(patient)).items()
        assert task.state == task_pb2.Task.STATE_CANCELLED
        await t.promise_is_kept()


async def test_nobody_completes_it_by_hand(tasking):
    async with tasking() as t:
        await officers(t)
        patient = uuid4()
        await tell(t, glass(t, patient))
        task = await review_task(t, patient)
        assert list(task.outcomes) == []
        with pytest.raises(CallFailed, check=lambda e: e.reason == "NOT_DONE_BY_HAND"):
            await t.call(
                "CompleteTask",
                rpc.CompleteTaskRequest(task_id=task.id, outcome="done"),
                t.token(t.officer),
            )
        (loop,) = await t.loops(patient)
        assert loop.state == loop_pb2.Loop.STATE_OPEN


async def test_the_third_in_thirty_days_is_told_at_once(tasking):
    async with tasking() as t:
        await officers(t)
        t.hub.clock.set(at(SATURDAY) + timedelta(minutes=1))
        patient, other = uuid4(), uuid4()
        await tell(t, glass(t, other, uses=2), glass(t, patient, uses=3))
        task = await review_task(t, patient)
        assert task.step == "review_at_once"
        for officer in (t.officer, t.network):
            await t.until_rows("SELECT count(*) FROM notifications WHERE staff_id = $1", 1, officer)
        assert (await review_task(t, other)).escalation_level == 0


async def test_reviewed_before_anybody_heard_that_it_was_opened_it_opens_nothing(tasking):
    async with tasking() as t:
        await officers(t)
        patient, id = uuid4(), uuid4()
        reviewed = glass(t, patient, id=id, reviewed="2026-09-05 09:00")
        heard = "SELECT count(*) FROM inbox WHERE consumer = 'tasking-break-glass'"
        for count, change in enumerate((reviewed, glass(t, patient, id=id), reviewed), 1):
            await tell(t, change)
            await t.until_rows(heard, count)
        await t.until_rows("SELECT count(*) FROM glasses WHERE version = 3", 1)
        assert await t.loops(patient) == []
        await t.promise_is_kept()


async def test_in_any_order_and_twice_it_ends_the_same(tasking):
    async with tasking() as t:
        await officers(t)
        for seed in range(4):
            patient, id = uuid4(), uuid4()
            story = [
                glass(t, patient, id=id),
                glass(t, patient, id=id, reviewed="2026-09-05 09:00"),
            ] * 2
            random.Random(seed).shuffle(story)
            await tell(t, *story)
            await t.until_rows(
                "SELECT count(*) FROM inbox WHERE consumer = 'tasking-break-glass'", 4 * (seed + 1)
            )
            loops = await t.loops(patient)
            assert [loop.state for loop in loops] in ([], [loop_pb2.Loop.STATE_CLOSED])
        await t.promise_is_kept()


async def test_without_a_privacy_officer_of_the_facility_the_networks_then_the_duty_team(tasking):
    async with tasking() as t:
        nobody, patient = uuid4(), uuid4()
        await tell(t, glass(t, nobody))
        task = await review_task(t, nobody)
        assert task.owner.accountable_staff_id == str(t.duty)
        await t.staff(t.network, "W Wide", "privacy_officer", facility="")
        await t.until_rows("SELECT count(*) FROM staff", 6)
        await tell(t, glass(t, patient))
        task = await review_task(t, patient)
        assert task.owner.accountable_staff_id == str(t.network)
        await t.promise_is_kept()


async def test_it_goes_with_the_patient_who_is_merged(tasking):
    async with tasking() as t:
        await officers(t)
        retired, survivor, first, second = (uuid4() for _ in range(4))
        await t.patient(retired)
        await t.patient(survivor)
        await tell(t, glass(t, retired, id=first))
        await review_task(t, retired)
        await t.merge(survivor, retired)
        await t.until_rows("SELECT count(*) FROM loops WHERE patient_id = $1", 1, survivor)
        await tell(t, glass(t, retired, id=second))
        await t.until_rows("SELECT count(*) FROM loops WHERE patient_id = $1", 2, survivor)
        await t.promise_is_kept()


async def test_it_waits_for_its_facility(tasking):
    async with tasking(people=False) as t:
        await t.until_rows("SELECT count(*) FROM protocols", len(shipped_protocols()))
        patient = uuid4()
        await tell(t, glass(t, patient))
        await t.until_rows("SELECT count(*) FROM glasses WHERE waits_for = 'facility'", 1)
        await t.people()
        await review_task(t, patient)
        await t.promise_is_kept()
