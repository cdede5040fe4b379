"""The counts of the worklist: in each scope what it lists, late as it says, and not further than anybody reads."""

from uuid import uuid4

import pytest
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.wire import CallFailed
from services.tasking.store import CountFilter, CountStore
from tests.component.tasking.conftest import at

Scope = rpc.ListTasksRequest
SCOPES = {
    "mine": Scope.SCOPE_MINE,
    "my_teams": Scope.SCOPE_MY_TEAMS,
    "unclaimed": Scope.SCOPE_UNCLAIMED,
    "all": Scope.SCOPE_UNSPECIFIED,
}


async def counted(t, token=None, **fields):
    told = await t.call("CountTasks", rpc.CountTasksRequest(**fields), token)
    return {name: (getattr(told, name).open, getattr(told, name).late) for name in SCOPES}


async def listed(t, token=None, **fields):
    """The same counts, from the lists."""
    found, now = {}, t.hub.clock().timestamp()
    for name, scope in SCOPES.items():
        request = rpc.ListTasksRequest(scope=scope, page_size=500, **fields)
        tasks = (await t.call("ListTasks", request, token)).tasks
        found[name] = (len(tasks), sum(task.due_time.ToNanoseconds() / 1e9 < now for task in tasks))
    return found


async def test_each_count_is_the_length_of_its_list(tasking):
    async with tasking() as t:
        for _ in range(3):
            patient = await t.discharged()
        contact = (await t.tasks(patient))["contact"]
        await t.call("ClaimTask", rpc.ClaimTaskRequest(task_id=contact.id))
        assert await counted(t) == {
            "mine": (1, 0),
            "my_teams": (3, 0),
            "unclaimed": (2, 0),
            "all": (18, 3),
        }
        t.hub.clock.set(at("2026-09-09 12:00"))
        await t.caught_up()
        duty = t.token(t.duty)
        for token in (t.as_nurse, duty):
            assert await counted(t, token) == await listed(t, token)
        assert (await counted(t, duty))["my_teams"] == (15, 6)
        await t.call("CompleteTask", rpc.CompleteTaskRequest(task_id=contact.id, outcome="reached"))
        assert (await counted(t))["mine"] == (0, 0)
        assert (await counted(t))["all"] == (17, 6)


async def test_only_of_the_callers_facilities_and_of_the_one_asked_for(tasking):
    async with tasking() as t:
        await t.discharged()
        there, nothing = uuid4(), dict.fromkeys(SCOPES, (0, 0))
        assert await counted(t, t.token(t.nurse, there)) == nothing
        both = t.token(t.nurse, t.here, there)
        assert await counted(t, both) == await counted(t, both, facility_id=str(t.here))
        assert await counted(t, both, facility_id=str(there)) == nothing
        assert await counted(t, t.token(t.nurse, there), facility_id=str(t.here)) == nothing
        with pytest.raises(CallFailed) as error:
            await counted(t, facility_id="mercy")
        assert error.value.code == "INVALID_ARGUMENT"


async def test_no_patient_is_shown_by_it(tasking):
    async with tasking() as t:
        await t.discharged()
        await counted(t)
        rows = await t.rows("SELECT patients FROM audit WHERE method LIKE '%CountTasks'")
        assert [list(row["patients"]) for row in rows] == [[]]


async def test_counting_ends_when_nobody_would_read_on(tasking):
    async with tasking() as t:
        for _ in range(3):
            await t.discharged()
        t.hub.clock.set(at("2026-09-09 12:00"))
        await t.caught_up()
        where = CountFilter(
            staff_ids=(t.nurse,),
            team_ids=(t.nurses, t.duty_team),
            facility_ids=(t.here, uuid4()),
            facility_id=None,
            now=t.hub.clock(),
            most=4,
        )
        async with t.hub.system("tasking") as tx:
            found = await CountStore(tx).of(where)
        assert (found.my_teams, found.my_teams_late) == (4, 4)
        assert (found.everyones, found.everyones_late) == (4, 4)
        assert (found.unclaimed, found.mine) == (4, 0)
