"""What of transitions could be billed, and what physicians say of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from carehub.tasking.v1 import claim_pb2
from carehub.tasking.v1 import tasking_service_pb2 as rpc

from libs.calendars.calendar import Calendar, calendar_for
from libs.chassis.caller import Call
from libs.chassis.errors import NotFound
from libs.chassis.fields import to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.tasking.convert import to_optional_id
from services.tasking.convert.ledger import candidate_to_proto, decision_to_proto, to_mdm
from services.tasking.domain.billing import billing_rules
from services.tasking.domain.claims import (
    Candidate,
    Decision,
    Departure,
    Judgment,
    Transition,
    tcm_candidate,
)
from services.tasking.domain.loop import Loop
from services.tasking.domain.owner import Directory
from services.tasking.domain.plan import PatientFacts
from services.tasking.domain.role_class import RoleClass
from services.tasking.domain.snapshot import NOBODY_KNOWN
from services.tasking.domain.task import ContactAttempt, Task
from services.tasking.domain.transition import PROTOCOL, transition_of
from services.tasking.events import decision_recorded
from services.tasking.service.ledger import END, class_of
from services.tasking.store import (
    ClaimStore,
    DirectoryStore,
    LoopStore,
    Newest,
    RecordStore,
    TaskStore,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the candidates of some transitions are made of."""

    tasks: Mapping[UUID, Sequence[Task]]
    decisions: Mapping[UUID, Decision]
    departures: Mapping[UUID, Departure]
    patients: Mapping[UUID, PatientFacts]
    directory: Directory

    def transition(self, loop: Loop) -> Transition:
        return transition_of(
            loop,
            self.tasks.get(loop.id, ()),
            self.departures.get(loop.id),
            self.patients.get(loop.patient_id, NOBODY_KNOWN),
            self.decisions.get(loop.id) or Judgment(),
            lambda made: self.was(made, loop.facility_id).is_clinical,
        )

    def was(self, made: ContactAttempt, facility_id: UUID) -> RoleClass:
        """What somebody was when they tried to reach the patient. Where that was not kept yet, what they are."""
        return made.role_class or class_of(made.staff_id, facility_id, self.directory)

    def calendar(self, loop: Loop) -> Calendar:
        facility = self.directory.facilities[loop.facility_id]
        return calendar_for(facility.time_zone, facility.holiday_calendar)


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
        token = token_after(anchor_at, page[-1].id, request)
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
    """Of these, each in the light of what could be billed for the patient's earlier discharges, here or elsewhere."""
    store, whose = ClaimStore(call.tx), {loop.patient_id for loop in loops}
    others = await store.transitions_of(PROTOCOL, whose, call.facilities)
    every = {loop.id: loop for loop in (*others, *loops)}
    known = await _read(list(every.values()), call)
    claimed = await store.claimed_elsewhere(PROTOCOL, whose)
    found = dict[UUID, Candidate]()
    for loop in every.values():
        anchor_at, before = loop.anchor_at, claimed.setdefault(loop.patient_id, [])
        earlier = tuple(at for at in before if anchor_at and at <= anchor_at)
        candidate = tcm_candidate(
            replace(known.transition(loop), claimed_at=earlier),
            billing_rules(),
            known.calendar(loop),
            now=call.tx.at,
        )
        found[loop.id] = candidate
        before.extend([anchor_at] if anchor_at and candidate.is_billable else [])
    call.show(*(loop.patient_id for loop in loops))
    return [candidate_to_proto(found[e.id], e, known.decisions.get(e.id)) for e in loops]


async def _read(loops: Sequence[Loop], call: Call) -> _Known:
    tasks = defaultdict[UUID, list[Task]](list)
    for task in await TaskStore(call.tx).of_loops(loop.id for loop in loops):
        tasks[task.loop_id].append(task)
    patients = await RecordStore(call.tx).patients(loop.patient_id for loop in loops)
    store, ids = ClaimStore(call.tx), [loop.id for loop in loops]
    places = {loop.facility_id for loop in loops}
    tried = {made.staff_id for of in tasks.values() for task in of for made in task.attempts}
    return _Known(
        tasks=tasks,
        decisions=await store.decisions(ids),
        departures=await store.departures(ids),
        patients={patient.id: patient.facts for patient in patients.values()},
        directory=await DirectoryStore(call.tx).named(places, (), tried),
    )
