"""HoldService: what patients are not shown yet. Its contract: hold_service.proto."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from carehub.identity.v1 import hold_pb2
from carehub.identity.v1 import hold_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import check_etag, to_uuid
from services.identity.convert.recorded import hold_to_domain, hold_to_proto
from services.identity.deciding import Decider
from services.identity.domain.recorded import RecordedHold
from services.identity.service.recording import (
    check_place,
    entry_of,
    id_of_request,
    page_of,
    take_effect,
)
from services.identity.store.records import hold_store


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldService:
    """What is held is decided after it has committed."""

    decider: Decider
    new_id: Callable[[], UUID]

    async def HoldRelease(self, request: rpc.HoldReleaseRequest, call: Call) -> hold_pb2.Hold:
        message = request.hold
        patient_id = to_uuid("hold.patient_id", message.patient_id)
        entry = entry_of(call, patient_id, to_uuid("hold.facility_id", message.facility_id))
        hold_id = id_of_request(call, request.request_id)
        hold = hold_to_domain(message, entry, hold_id or self.new_id())
        await check_place(call, entry.facility_id, patient_id)
        store = hold_store(call.tx)
        if hold_id and (same := await store.find(hold_id)):
            return await self._answer(call, same)
        hold.check()
        await store.add(hold)
        return await self._answer(call, hold)

    async def EndHold(self, request: rpc.EndHoldRequest, call: Call) -> hold_pb2.Hold:
        store = hold_store(call.tx)
        before = await store.get(to_uuid("hold_id", request.hold_id))
        check_etag(request.etag, before.version)
        after = before.end(at=call.tx.at)
        if after != before:
            await store.save(after)
        return await self._answer(call, after)

    async def ListHolds(self, request: rpc.ListHoldsRequest, call: Call) -> rpc.ListHoldsResponse:
        found, token = await page_of(call, hold_store(call.tx), request)
        return rpc.ListHoldsResponse(
            holds=[hold_to_proto(one, call.tx.at) for one in found], next_page_token=token
        )

    async def _answer(self, call: Call, hold: RecordedHold) -> hold_pb2.Hold:
        call.show(hold.patient_id)
        answer = hold_to_proto(hold, call.tx.at)
        await take_effect(call, self.decider, hold.patient_id, answer)
        return answer
