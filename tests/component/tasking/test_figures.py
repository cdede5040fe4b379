"""What an operations page shows of loops: as many as there are, late as the clocks say, and nothing of whose they are."""

import asyncio

import pytest
from carehub.operations.v1 import status_pb2

from libs.chassis.wire import CallFailed
from libs.process.gauges import run_gauges
from libs.testing.hub import caller_token
from services.tasking.consumers.jobs import loop_gauges
from services.tasking.events import MESSAGE_TO_TASK
from tests.component.tasking.conftest import at


async def shown(t, token=""):
    """The figures, by metric and kind."""
    operator = caller_token(permissions=["operations.read"], roles=["operator"])
    status = await t.call("GetStatus", status_pb2.GetStatusRequest(), token or operator)
    assert status.HasField("figures_since_time")
    return status, {each.metric: each for each in status.figures}


async def counted(t):
    """The loops as the page has them, once the gauges were read anew."""
    stopping = asyncio.Event()

    async def once(_tx):
        stopping.set()
        return []

    database = t.hub.host.runtimes["tasking"].database
    await run_gauges([loop_gauges, once], database, stopping)
    seen = {each.name: each.seen_time for each in (await shown(t))[0].processes}

    async def beats():
        status, figures = await shown(t)
        beaten = all(each.seen_time != seen.get(each.name) for each in status.processes)
        return beaten and {
            " ".join(each.of): each.count for each in figures["carehub_loops"].counts
        }

    return await t.hub.until(beats, what="a sign of life")


AT_THE_TOP = (
    "SELECT count(DISTINCT loop_id) FROM tasks"
    " WHERE state = 'OPEN' AND escalation_level > 0 AND escalation_level = jsonb_array_length(rungs)"
)
LATE = "SELECT count(DISTINCT loop_id) FROM tasks WHERE state = 'OPEN' AND due_at < $1"


async def test_loops_are_counted_as_the_clocks_have_them(tasking, monkeypatch):
    monkeypatch.setattr("libs.process.status.BEAT", 0.05)
    async with tasking() as t:
        assert await counted(t) == {"open": 0, "overdue": 0, "escalated": 0}
        for _ in range(2):
            await t.discharged()
        found = await counted(t)
        [(late,)] = await t.rows(LATE, t.hub.clock())
        assert (found["open"], found["overdue"], found["escalated"]) == (2, late, 0)
        t.hub.clock.set(at("2026-09-09 12:00"))
        await t.until_rows(AT_THE_TOP, 2)
        assert await counted(t) == {"open": 2, "overdue": 2, "escalated": 2}


async def test_what_took_time_and_what_was_refused_is_shown_and_nothing_of_whose_it_was(
    tasking, monkeypatch
):
    monkeypatch.setattr("libs.process.status.BEAT", 0.05)
    async with tasking() as t:
        patient = await t.discharged()
        for seconds in (0.2, 0.2, 7):
            MESSAGE_TO_TASK.observe(seconds)
        with pytest.raises(CallFailed) as refused:
            await shown(t, t.as_nurse)

        async def told():
            status, figures = await shown(t)
            refusals = figures.get("carehub_refusals_total")
            return refusals and refusals.counts and (status, figures)

        status, figures = await t.hub.until(told, what="that the refusal is shown")
        [counts] = figures["carehub_refusals_total"].counts
        assert (list(counts.of), counts.count) == ([refused.value.reason], 1)
        times = figures["carehub_message_to_task_seconds"].times
        assert (times.count, times.within_count, times.within_seconds) == (3, 2, 1)
        assert 5 < times.p99_seconds <= 10
        assert str(patient) not in str(status)
