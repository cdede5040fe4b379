"""How much there is to do in each scope of the worklist."""

from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.caller import Call
from services.tasking.convert import to_optional_id
from services.tasking.store import CountFilter, CountStore, DirectoryStore


async def count_tasks(request: rpc.CountTasksRequest, call: Call) -> rpc.CountTasksResponse:
    """What ListTasks would list, counted. No patient is shown by it."""
    facility_id = to_optional_id("facility_id", request.facility_id)
    me = call.caller.subject
    found = await CountStore(call.tx).of(
        CountFilter(
            staff_ids=(me,),
            team_ids=tuple(sorted(await DirectoryStore(call.tx).teams_of(me))),
            facility_ids=(facility_id,) if facility_id else tuple(sorted(call.facilities)),
            facility_id=facility_id,
            now=call.tx.at,
        )
    )
    return rpc.CountTasksResponse(
        mine=rpc.TaskCount(open=found.mine, late=found.mine_late),
        my_teams=rpc.TaskCount(open=found.my_teams, late=found.my_teams_late),
        unclaimed=rpc.TaskCount(open=found.unclaimed, late=found.unclaimed_late),
        all=rpc.TaskCount(open=found.everyones, late=found.everyones_late),
    )
