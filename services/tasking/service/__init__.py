"""TaskingService. The contract, its paths and its permissions: protos/carehub/tasking/v1."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carehub.tasking.v1 import claim_pb2, loop_pb2, protocol_pb2, task_pb2, time_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import to_datetime, to_uuid
from libs.chassis.pages import decode_cursor, encode_cursor, page_size
from services.tasking.convert import (
    problem_to_proto,
    protocol_to_proto,
    to_channel,
    to_read_back,
    to_result,
    to_text,
)
from services.tasking.domain.billing import billing_rules
from services.tasking.domain.protocol import validate_protocol
from services.tasking.domain.task import ContactAttempt
from services.tasking.domain.time_ledger import activity_of
from services.tasking.service.billing import get_candidate, list_candidates, record_decision
from services.tasking.service.counts import count_tasks
from services.tasking.service.dry_runs import run_dry
from services.tasking.service.ledger import (
    class_at,
    correct_time,
    list_time,
    record_spent,
    record_time,
)
from services.tasking.service.lists import list_loops, list_tasks, show_loops, show_tasks
from services.tasking.service.publishing import publish_text
from services.tasking.service.work import Work, owner_wanted, put_back, take_up
from services.tasking.store import LoopStore, ProtocolStore, TaskStore

MOST_TEXT, MOST_REASON = 2000, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskingService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change.

    The guard has authenticated the caller, checked the permission that the contract declares and opened the transaction;
    after the method it writes the audit row, commits, and only then answers. What is raised here it turns into a status.
    A change takes up a task (alone with its patient), does one thing to it, and puts it back with its loop (work.py).
    """

    new_id: Callable[[], UUID]

    async def GetLoop(self, request: rpc.GetLoopRequest, call: Call) -> loop_pb2.Loop:
        loop = await LoopStore(call.tx).get(to_uuid("loop_id", request.loop_id))
        return (await show_loops(call, [loop]))[0]

    async def ListLoops(self, request: rpc.ListLoopsRequest, call: Call) -> rpc.ListLoopsResponse:
        loops, token = await list_loops(request, call)
        return rpc.ListLoopsResponse(loops=await show_loops(call, loops), next_page_token=token)

    async def GetTask(self, request: rpc.GetTaskRequest, call: Call) -> task_pb2.Task:
        task = await TaskStore(call.tx).get(to_uuid("task_id", request.task_id))
        return (await show_tasks(call, [task]))[0]

    async def ListTasks(self, request: rpc.ListTasksRequest, call: Call) -> rpc.ListTasksResponse:
        tasks, token = await list_tasks(request, call)
        return rpc.ListTasksResponse(tasks=await show_tasks(call, tasks), next_page_token=token)

    async def CountTasks(
        self, request: rpc.CountTasksRequest, call: Call
    ) -> rpc.CountTasksResponse:
        return await count_tasks(request, call)

    async def ClaimTask(self, request: rpc.ClaimTaskRequest, call: Call) -> task_pb2.Task:
        work = await take_up(call, request.task_id, request.etag)
        work.must_work_here(call.caller.subject)
        return await put_back(call, work, work.task.claim(by=call.caller.subject))

    async def AssignTask(self, request: rpc.AssignTaskRequest, call: Call) -> task_pb2.Task:
        work = await take_up(call, request.task_id, request.etag)
        owner = owner_wanted(work, request.staff_id, request.team_id)
        return await put_back(call, work, work.task.assign(owner))

    async def DeclineTask(self, request: rpc.DeclineTaskRequest, call: Call) -> task_pb2.Task:
        reason = to_text("reason", request.reason, MOST_REASON, is_required=True)
        work = await take_up(call, request.task_id, request.etag)
        by = call.caller.subject
        return await put_back(
            call, work, work.task.decline(by=by, reason=reason, to=work.next_after(by))
        )

    async def CommentOnTask(self, request: rpc.CommentOnTaskRequest, call: Call) -> task_pb2.Task:
        text = to_text("text", request.text, MOST_TEXT, is_required=True)
        work = await take_up(call, request.task_id)
        after = work.task.comment(by=call.caller.subject, text=text, at=call.tx.at)
        return await put_back(call, work, after)

    async def RecordContactAttempt(
        self, request: rpc.RecordContactAttemptRequest, call: Call
    ) -> task_pb2.Task:
        work = await take_up(call, request.task_id, request.etag)
        attempt = ContactAttempt(
            at=to_datetime(request.time) if request.HasField("time") else call.tx.at,
            channel=to_channel(request.channel),
            result=to_result(request.result),
            staff_id=call.caller.subject,
            role_class=class_at(work, call),
            note=to_text("note", request.note, MOST_TEXT),
        )
        after = work.task.record_attempt(attempt, work.local_date, now=call.tx.at)
        if request.HasField("time_spent"):
            await self._spent(request, work, call, activity_of(attempt), attempt.at)
        return await put_back(call, work, after)

    async def CompleteTask(self, request: rpc.CompleteTaskRequest, call: Call) -> task_pb2.Task:
        note = to_text("note", request.note, MOST_TEXT)
        work = await take_up(call, request.task_id, request.etag)
        after = work.task.complete(
            by=call.caller.subject,
            role_class=class_at(work, call),
            outcome=request.outcome or "done",
            note=note,
            at=call.tx.at,
            local_date=work.local_date,
            read_back=to_read_back(request),
        )
        if request.HasField("time_spent"):
            activity = billing_rules().activity_of_step.get(work.task.step, "other")
            await self._spent(request, work, call, activity, call.tx.at)
        return await put_back(call, work, after)

    async def _spent(
        self,
        request: rpc.RecordContactAttemptRequest | rpc.CompleteTaskRequest,
        work: Work,
        call: Call,
        activity: str,
        until: datetime,
    ) -> None:
        told, id = request.time_spent, self.new_id()
        await record_spent(told, work, call, id, activity=activity, until=until)

    async def RecordTime(self, request: rpc.RecordTimeRequest, call: Call) -> time_pb2.TimeEntry:
        return await record_time(request.entry, call, self.new_id())

    async def CorrectTime(self, request: rpc.CorrectTimeRequest, call: Call) -> time_pb2.TimeEntry:
        return await correct_time(request, call, self.new_id())

    async def ListTime(self, request: rpc.ListTimeRequest, call: Call) -> rpc.ListTimeResponse:
        return await list_time(request, call)

    async def GetClaimCandidate(
        self, request: rpc.GetClaimCandidateRequest, call: Call
    ) -> claim_pb2.ClaimCandidate:
        return await get_candidate(request, call)

    async def ListClaimCandidates(
        self, request: rpc.ListClaimCandidatesRequest, call: Call
    ) -> rpc.ListClaimCandidatesResponse:
        return await list_candidates(request, call)

    async def RecordMedicalDecision(
        self, request: rpc.RecordMedicalDecisionRequest, call: Call
    ) -> claim_pb2.MedicalDecision:
        return await record_decision(request, call)

    async def GetProtocol(
        self, request: rpc.GetProtocolRequest, call: Call
    ) -> protocol_pb2.Protocol:
        return protocol_to_proto(
            await ProtocolStore(call.tx).get(request.protocol_id, request.version)
        )

    async def ListProtocols(
        self, request: rpc.ListProtocolsRequest, call: Call
    ) -> rpc.ListProtocolsResponse:
        size = page_size(request.page_size)
        after = decode_cursor(request.page_token, request) or [""]
        found = await ProtocolStore(call.tx).page(str(after[0]), size + 1)
        token = encode_cursor([found[size - 1].key], request) if len(found) > size else ""
        protocols = [protocol_to_proto(each) for each in found[:size]]
        return rpc.ListProtocolsResponse(protocols=protocols, next_page_token=token)

    async def ValidateProtocol(
        self, request: rpc.ValidateProtocolRequest, call: Call
    ) -> rpc.ValidateProtocolResponse:
        problems = [problem_to_proto(each) for each in validate_protocol(request.text)]
        return rpc.ValidateProtocolResponse(problems=problems)

    async def DryRunProtocol(
        self, request: rpc.DryRunProtocolRequest, call: Call
    ) -> rpc.DryRunProtocolResponse:
        return await run_dry(request, call)

    async def PublishProtocol(
        self, request: rpc.PublishProtocolRequest, call: Call
    ) -> protocol_pb2.Protocol:
        return protocol_to_proto(
            await publish_text(call, request.protocol.text, request.protocol.id)
        )
