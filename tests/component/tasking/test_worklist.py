"""The worklist: whose, in which order, and page by page."""

from uuid import uuid4

import pytest
from carehub.tasking.v1 import task_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.pages import encode_cursor
from libs.chassis.wire import CallFailed
from tests.component.tasking.conftest import at

Scope = rpc.ListTasksRequest


async def listed(t, token=None, **fields):
    return list((await t.call("ListTasks", rpc.ListTasksRequest(**fields), token)).tasks)


async def test_mine_my_teams_and_unclaimed(tasking):
    async with tasking() as t:
        patient = await t.discharged()
        contact = (await t.tasks(patient))["contact"]
        assert [task.step for task in await listed(t, scope=Scope.SCOPE_MY_TEAMS)] == ["contact"]
        assert [task.step for task in await listed(t, scope=Scope.SCOPE_UNCLAIMED)] == ["contact"]
        assert await listed(t, scope=Scope.SCOPE_MINE) == []
        await t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id))
        assert [task.id for task in await listed(t, scope=Scope.SCOPE_MINE)] == [contact.id]
        assert await listed(t, scope=Scope.SCOPE_UNCLAIMED) == []
        assert len(await listed(t, scope=Scope.SCOPE_MY_TEAMS)) == 1
        assert [
            task.id for task in await listed(t, scope=Scope.SCOPE_MINE, patient_id=str(patient))
        ] == [contact.id]
        duty = t.token(t.duty)
        assert {task.step for task in await listed(t, duty, scope=Scope.SCOPE_MY_TEAMS)} == {
            "admission_notice",
            "discharge_information",
            "medication_reconciliation",
            "visit",
            "close",
        }
        assert len(await listed(t)) == 6
        assert await listed(t, facility_id=str(uuid4())) == []
        assert len(await listed(t, loop_id=contact.loop_id)) == 6
        completed = task_pb2.Task.STATE_COMPLETED
        await t.call("CompleteTask", rpc.CompleteTaskRequest(task_id=contact.id, outcome="reached"))
        assert len(await listed(t)) == 5
        assert [task.id for task in await listed(t, state=completed)] == [contact.id]
        assert len(await listed(t, patient_id=str(patient))) == 6


async def test_late_comes_before_today_before_later_and_then_by_priority(tasking):
    async with tasking() as t:
        await t.discharged()
        t.hub.clock.set(at("2026-09-09 12:00"))
        await t.until_rows("SELECT max(escalation_level) FROM tasks WHERE step = 'contact'", 1)
        tasks = await listed(t)
        steps = [task.step for task in tasks]
        assert steps[:3] == ["admission_notice", "discharge_information", "contact"]
        assert set(steps[3:5]) == {"medication_reconciliation", "visit"}
        assert steps[5] == "close"
        for task in tasks:
            assert task.priority.score == sum(term.points for term in task.priority.terms)
        assert tasks[0].priority.score > tasks[1].priority.score


async def test_pages_hold_every_task_once_while_time_passes(tasking):
    async with tasking() as t:
        for _ in range(4):
            await t.discharged()
        whole = {task.id for task in await listed(t)}
        seen, token = [], ""
        while True:
            request = rpc.ListTasksRequest(page_size=5, page_token=token)
            page = await t.call("ListTasks", request)
            seen += [task.id for task in page.tasks]
            token = page.next_page_token
            t.hub.clock.set(at("2026-09-06 12:00"))
            if not token:
                break
        assert len(seen) == len(set(seen)) == 24
        assert set(seen) == whole
        with pytest.raises(CallFailed) as error:
            first = await t.call("ListTasks", rpc.ListTasksRequest(page_size=5))
            await t.call(
                "ListTasks",
                rpc.ListTasksRequest(page_token=first.next_page_token, scope=Scope.SCOPE_MINE),
            )
        assert error.value.reason == "PAGE_TOKEN_INVALID"


FORGED = (
    ["yesterday", str(uuid4())],
    ["2026-09-04T17:40:00", str(uuid4())],
    ["9999-12-31T23:59:59-14:00", str(uuid4())],
    ["2026-09-04T17:40:00+00:00", "x"],
    ["2026-09-04T17:40:00+00:00"],
    [],
    [1, 2],
)


async def test_a_page_token_that_nobody_gave_is_refused(tasking):
    async with tasking(people=False) as t:
        for after in FORGED:
            for method, request in (
                ("ListTasks", rpc.ListTasksRequest()),
                ("ListLoops", rpc.ListLoopsRequest()),
            ):
                request.page_token = encode_cursor(after, request)
                with pytest.raises(CallFailed) as error:
                    await t.call(method, request)
                assert error.value.reason == "PAGE_TOKEN_INVALID", after
                assert error.value.code == "INVALID_ARGUMENT"


async def test_loops_are_listed_by_their_clock_in_pages(tasking):
    async with tasking() as t:
        patients = [await t.discharged() for _ in range(3)]
        first = await t.call("ListLoops", rpc.ListLoopsRequest(page_size=2))
        rest = await t.call(
            "ListLoops", rpc.ListLoopsRequest(page_size=2, page_token=first.next_page_token)
        )
        loops = [*first.loops, *rest.loops]
        assert {loop.patient_id for loop in loops} == {str(patient) for patient in patients}
        clocks = [(loop.clock_time.seconds, loop.id) for loop in loops]
        assert clocks == sorted(clocks)
        assert rest.next_page_token == ""
        loop = await t.call("GetLoop", rpc.GetLoopRequest(loop_id=loops[0].id))
        assert loop.why
        assert loop.closes_when
