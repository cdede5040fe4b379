"""BreakGlassService: emergency access to one patient, and its review. Its contract: break_glass_service.proto."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from carehub.identity.v1 import break_glass_pb2
from carehub.identity.v1 import break_glass_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition
from libs.chassis.fields import check_etag, to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.identity import events
from services.identity.convert.break_glass import (
    glass_to_proto,
    to_finding,
    to_person,
    to_state,
    to_wish,
)
from services.identity.convert.directory import maybe_uuid
from services.identity.deciding import JURISDICTION, Decider, decide_soon
from services.identity.domain.access.policy import Policy, policy_at
from services.identity.domain.break_glass import COUNTED, Glass, break_glass
from services.identity.store.break_glass import GlassStore, Sought

REVIEW = "glass.review"
_LAST = datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlassService:
    """Each change: the row, the timer and the event in one transaction; then it is decided and told, and answered."""

    decider: Decider
    new_id: Callable[[], UUID]

    async def BreakGlass(
        self, request: rpc.BreakGlassRequest, call: Call
    ) -> break_glass_pb2.BreakGlass:
        wish, person, at = to_wish(request, self.new_id), to_person(call), call.tx.at
        store = GlassStore(call.tx)
        await store.hold(person.id)
        earlier = await store.earlier(person.id, at - COUNTED)
        glass = break_glass(wish, person, earlier, _policy(at), at)
        if glass not in earlier:
            await store.check_patient(glass.patient_id)
            await store.add(glass)
            await events.break_glass_changed(call.tx, glass)
            await decide_soon(call.tx, glass.patient_id)
        return self._answer(glass, call)

    async def EndBreakGlass(
        self, request: rpc.EndBreakGlassRequest, call: Call
    ) -> break_glass_pb2.BreakGlass:
        store = GlassStore(call.tx)
        glass_id = to_uuid("break_glass_id", request.break_glass_id)
        before = await store.get(glass_id, call.caller.subject, ())
        check_etag(request.etag, before.version)
        return await self._save(store, before, before.end(call.tx.at), call)

    async def ReviewBreakGlass(
        self, request: rpc.ReviewBreakGlassRequest, call: Call
    ) -> break_glass_pb2.BreakGlass:
        store, finding = GlassStore(call.tx), to_finding(request)
        glass_id = to_uuid("break_glass_id", request.break_glass_id)
        before = await store.get(glass_id, call.caller.subject, call.facilities)
        check_etag(request.etag, before.version)
        after = before.review(finding, request.note, by=call.caller.subject, at=call.tx.at)
        return await self._save(store, before, after, call)

    async def GetBreakGlass(
        self, request: rpc.GetBreakGlassRequest, call: Call
    ) -> break_glass_pb2.BreakGlass:
        glass_id = to_uuid("break_glass_id", request.break_glass_id)
        found = await GlassStore(call.tx).get(glass_id, call.caller.subject, _reviewed(call))
        call.show(found.patient_id)
        return glass_to_proto(found, call.tx.at)

    async def ListBreakGlass(
        self, request: rpc.ListBreakGlassRequest, call: Call
    ) -> rpc.ListBreakGlassResponse:
        size = page_size(request.page_size)
        found = await GlassStore(call.tx).list_page(
            _sought(request), call.caller.subject, _reviewed(call), size + 1
        )
        page = found[:size]
        call.show(*(glass.patient_id for glass in page))
        last = page[-1] if found[size:] else None
        return rpc.ListBreakGlassResponse(
            break_glasses=[glass_to_proto(glass, call.tx.at) for glass in page],
            next_page_token=token_after(last.opened_at, last.id, request) if last else "",
        )

    async def _save(
        self, store: GlassStore, before: Glass, after: Glass, call: Call
    ) -> break_glass_pb2.BreakGlass:
        if after != before:
            await store.save(after)
            await events.break_glass_changed(call.tx, after)
            await decide_soon(call.tx, after.patient_id)
        return self._answer(after, call)

    def _answer(self, glass: Glass, call: Call) -> break_glass_pb2.BreakGlass:
        """The answer, which says once it is decided and told from when on it holds everywhere."""
        call.show(glass.patient_id)
        answer = glass_to_proto(glass, call.tx.at)

        async def decide() -> None:
            answer.effect_time.FromDatetime(await self.decider.at_once([glass.patient_id]))

        call.afterwards(decide)
        return answer


def _policy(at: datetime) -> Policy:
    if policy := policy_at(JURISDICTION, at):
        return policy
    raise FailedPrecondition("POLICY_MISSING", "No policy is in effect that emergencies go by.")


def _reviewed(call: Call) -> frozenset[UUID]:
    """Where the caller reviews what others did."""
    return call.caller.permissions.get(REVIEW, frozenset())


def _sought(request: rpc.ListBreakGlassRequest) -> Sought:
    before_at, before_id = page_start(request.page_token, request, _LAST)
    return Sought(
        patient_id=maybe_uuid("patient_id", request.patient_id),
        is_mine=request.is_mine,
        state=to_state(request),
        is_unreviewed=request.is_unreviewed,
        before_at=before_at,
        before_id=before_id,
    )
