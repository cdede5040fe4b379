"""ReconciliationService. The contract, its paths and its permissions: protos/carehub/careplans/v1."""

from carehub.careplans.v1 import reconciliation_pb2
from carehub.careplans.v1 import reconciliation_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import to_datetime, to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.careplans.convert.medicine import (
    list_to_proto,
    medicine_to_proto,
    reconciliation_to_proto,
    to_answer,
    to_decision,
)
from services.careplans.convert.words import to_text
from services.careplans.domain.medicine import parse_medicines
from services.careplans.domain.reconciliation import Reconciliation, check_ask
from services.careplans.service.lists import enter_medicines, opened
from services.careplans.service.work import put_back, take_up
from services.careplans.store import LAST, MedicineStore, NeighborStore

MOST_NOTE, MOST_ROLE = 500, 50


class ReconciliationService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change. The guard does the rest."""

    async def EnterMedicines(
        self, request: rpc.EnterMedicinesRequest, call: Call
    ) -> reconciliation_pb2.MedicineList:
        return list_to_proto(await enter_medicines(request, call))

    async def ListMedicineLists(
        self, request: rpc.ListMedicineListsRequest, call: Call
    ) -> rpc.ListMedicineListsResponse:
        page_size(request.page_size)
        encounter_id = to_uuid("encounter_id", request.encounter_id)
        found = await MedicineStore(call.tx).lists_about([encounter_id])
        call.show(*(each.patient_id for each in found))
        return rpc.ListMedicineListsResponse(medicine_lists=[list_to_proto(e) for e in found])

    async def ParseMedicines(
        self, request: rpc.ParseMedicinesRequest, call: Call
    ) -> rpc.ParseMedicinesResponse:
        found = parse_medicines(request.text)
        return rpc.ParseMedicinesResponse(medicines=[medicine_to_proto(each) for each in found])

    async def OpenReconciliation(
        self, request: rpc.OpenReconciliationRequest, call: Call
    ) -> reconciliation_pb2.Reconciliation:
        found = await opened(to_uuid("encounter_id", request.encounter_id), call)
        call.show(found.patient_id)
        return reconciliation_to_proto(found)

    async def GetReconciliation(
        self, request: rpc.GetReconciliationRequest, call: Call
    ) -> reconciliation_pb2.Reconciliation:
        found = await MedicineStore(call.tx).get(
            to_uuid("reconciliation_id", request.reconciliation_id)
        )
        call.show(found.patient_id)
        return reconciliation_to_proto(found)

    async def ListReconciliations(
        self, request: rpc.ListReconciliationsRequest, call: Call
    ) -> rpc.ListReconciliationsResponse:
        size = page_size(request.page_size)
        asked = to_uuid("patient_id", request.patient_id)
        patient_id = (await NeighborStore(call.tx).survivors([asked]))[asked]
        before = page_start(request.page_token, request, LAST)
        found = await MedicineStore(call.tx).page(patient_id, before, size + 1)
        page, is_more = found[:size], len(found) > size
        token = token_after(page[-1].opened_at, page[-1].id, request) if is_more else ""
        call.show(*(each.patient_id for each in page))
        told = [reconciliation_to_proto(each) for each in page]
        return rpc.ListReconciliationsResponse(reconciliations=told, next_page_token=token)

    async def DecideLine(
        self, request: rpc.DecideLineRequest, call: Call
    ) -> reconciliation_pb2.Reconciliation:
        decision, note = to_decision(request.decision), to_text("note", request.note, MOST_NOTE)
        role = to_text("ask_role", request.ask_role, MOST_ROLE)
        is_timed = request.HasField("ask_due_time")
        due_at = to_datetime(request.ask_due_time) if is_timed else None
        check_ask(decision, role, due_at, call.tx.at)
        line_id = to_uuid("line_id", request.line_id)
        before = await take_up(call, request.reconciliation_id, request.etag)
        return await put_back(
            call,
            before,
            lambda r: r.decide(line_id, lambda line: line.decide(decision, note, role, due_at)),
        )

    async def KeepSame(
        self, request: rpc.KeepSameRequest, call: Call
    ) -> reconciliation_pb2.Reconciliation:
        before = await take_up(call, request.reconciliation_id, request.etag)
        return await put_back(call, before, Reconciliation.keep_same)

    async def SignReconciliation(
        self, request: rpc.SignReconciliationRequest, call: Call
    ) -> reconciliation_pb2.Reconciliation:
        before = await take_up(call, request.reconciliation_id, request.etag)
        return await put_back(call, before, lambda r: r.sign(call.caller.subject, call.tx.at))

    async def AnswerLine(
        self, request: rpc.AnswerLineRequest, call: Call
    ) -> reconciliation_pb2.Reconciliation:
        decision, answer = to_answer(request.decision), to_text("answer", request.answer, MOST_NOTE)
        line_id, at = to_uuid("line_id", request.line_id), call.tx.at
        before = await take_up(call, request.reconciliation_id, request.etag)
        return await put_back(
            call, before, lambda r: r.answer(line_id, lambda one: one.reply(decision, answer, at))
        )
