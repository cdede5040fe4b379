"""What of transitions could be billed, and what physicians say of them."""

from collections import defaultdict
from collections.abc import Sequence

from carehub.tasking.v1 import claim_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import NotFound
from libs.chassis.fields import to_uuid
from libs.chassis.pages import page_size
from services.tasking.convert import to_optional_id
from services.tasking.convert.ledger import candidate_to_proto, decision_to_proto, to_mdm
from services.tasking.domain.billing import billing_rules
from services.tasking.domain.calendar import calendar_for
from services.tasking.domain.claims import Decision, Judgment, tcm_candidate
from services.tasking.domain.loop import Loop
from services.tasking.domain.snapshot import NOBODY_KNOWN
from services.tasking.domain.transition import PROTOCOL, transition_of
from services.tasking.events import decision_recorded
from services.tasking.service.ledger import END
from services.tasking.service.lists import page_start, page_token
from services.tasking.store import (
    ClaimStore,
    DirectoryStore,
    LoopStore,
    Newest,
    RecordStore,
    TaskStore,
)


async def get_candidate(
    request: rpc.GetClaimCandidateRequest, call: Call
) -> claim_pb2.ClaimCandidate:
    loop = await _transition(request.loop_id, call)
    return (await _candidates([loop], call))[0]


async def list_candidates(
    request: rpc.ListClaimCandidatesRequest, call: Call
) -> rpc.ListClaimCandidatesResponse:
    size = page_size(request.page_size)
    facility_id = to_optional_id("facility_id", request.facility_id)
    places = call.facilities & {facility_id} if facility_id else call.facilities
    before_at, before_id = page_start(request.page_token, request, END)
    where = Newest(before_at=before_at, before_id=before_id, limit=size + 1)
    found = await ClaimStore(call.tx).transitions(PROTOCOL, places, where)
    page = found[:size]
    token = ""
    if len(found) > len(page) and (anchor_at := page[-1].anchor_at):
        token = page_token(anchor_at, page[-1].id, request)
    candidates = await _candidates(page, call)
    return rpc.ListClaimCandidatesResponse(candidates=candidates, next_page_token=token)


async def record_decision(
    request: rpc.RecordMedicalDecisionRequest, call: Call
) -> claim_pb2.MedicalDecision:
    loop = await _transition(request.loop_id, call)
    await RecordStore(call.tx).lock_patients([loop.patient_id])
    before = (await ClaimStore(call.tx).decisions([loop.id])).get(loop.id)
    decision = Decision(
        loop_id=loop.id,
        version=before.version + 1 if before else 1,
        facility_id=loop.facility_id,
        patient_id=loop.patient_id,
        mdm=to_mdm(request.level),
        is_billed_elsewhere=request.is_billed_elsewhere,
        is_global_period=request.is_global_period,
        staff_id=call.caller.subject,
        said_at=call.tx.at,
        labels=loop.labels,
    )
    await ClaimStore(call.tx).decide(decision)
    await decision_recorded(call.tx, decision)
    call.show(loop.patient_id)
    return decision_to_proto(decision)


async def _transition(loop_id: str, call: Call) -> Loop:
    """A transition of one of the caller's facilities: what is billed elsewhere is nobody's business here."""
    loop = await LoopStore(call.tx).get(to_uuid("loop_id", loop_id))
    if loop.facility_id not in call.facilities or loop.protocol != PROTOCOL:
        raise NotFound("TRANSITION_NOT_FOUND", "There is no such transition.")
    return loop


async def _candidates(loops: Sequence[Loop], call: Call) -> list[claim_pb2.ClaimCandidate]:
    tasks = defaultdict(list)
    for task in await TaskStore(call.tx).of_loops(loop.id for loop in loops):
        tasks[task.loop_id].append(task)
    decisions = await ClaimStore(call.tx).decisions(loop.id for loop in loops)
    patients = await RecordStore(call.tx).patients(loop.patient_id for loop in loops)
    directory = await DirectoryStore(call.tx).named({loop.facility_id for loop in loops}, (), ())
    call.show(*(loop.patient_id for loop in loops))
    out = []
    for loop in loops:
        facility, decision = directory.facilities[loop.facility_id], decisions.get(loop.id)
        patient = patients[loop.patient_id].facts if loop.patient_id in patients else NOBODY_KNOWN
        known = transition_of(loop, tasks[loop.id], patient, decision or Judgment())
        calendar = calendar_for(facility.time_zone, facility.holiday_calendar)
        found = tcm_candidate(known, billing_rules(), calendar, now=call.tx.at)
        out.append(candidate_to_proto(found, loop, decision))
    return out
