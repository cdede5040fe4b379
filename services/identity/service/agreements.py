"""AgreementService: what organizations share with one another. Its contract: agreement_service.proto."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from carehub.identity.v1 import agreement_pb2
from carehub.identity.v1 import agreement_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import PermissionDenied
from libs.chassis.fields import apply_mask, check_etag, to_timestamp, to_uuid
from libs.chassis.pages import bad_token, decode_cursor, encode_cursor, id_in_token, page_size
from services.identity import events
from services.identity.convert.agreement import (
    agreement_to_domain,
    agreement_to_proto,
    listed_in,
)
from services.identity.deciding import Decider, close_soon
from services.identity.domain.creation import already_created
from services.identity.domain.fact import Signed
from services.identity.store.agreement import AgreementStore
from services.identity.store.facility import FacilityStore
from services.identity.store.network import NetworkStore

WRITES = "agreements.write"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementService:
    """An agreement concerns many patients: what it opens is decided by and by, what it closes is closed at once."""

    decider: Decider
    new_id: Callable[[], UUID]

    async def CreateAgreement(
        self, request: rpc.CreateAgreementRequest, call: Call
    ) -> agreement_pb2.Agreement:
        _check_network(call)
        listed = listed_in(request.agreement)
        first = agreement_to_domain(request.agreement, self.new_id, call.tx.at)
        wanted = replace(
            first,
            roster=1 if request.agreement.is_for_listed_patients else None,
            patient_count=len(listed) if request.agreement.is_for_listed_patients else 0,
        )
        store = AgreementStore(call.tx)
        existing = await store.find(wanted.id)
        if existing and not request.agreement.HasField("start_time"):
            wanted = replace(wanted, from_at=existing.from_at)
        if same := already_created(existing, wanted):
            return agreement_to_proto(same, call.tx.at)
        wanted.check()
        await _check_parties(call, wanted)
        await store.add(wanted, listed)
        return await _changed(call, wanted)

    async def ChangeAgreement(
        self, request: rpc.ChangeAgreementRequest, call: Call
    ) -> agreement_pb2.Agreement:
        _check_network(call)
        store = AgreementStore(call.tx)
        before = await store.get(to_uuid("agreement.id", request.agreement.id))
        check_etag(request.agreement.etag, before.version)
        message = agreement_to_proto(before, call.tx.at)
        apply_mask(message, request.agreement, request.update_mask)
        listed = listed_in(message)
        said = agreement_to_domain(message, self.new_id, before.from_at)
        kept = replace(
            said,
            version=before.version,
            roster=before.roster,
            patient_count=before.patient_count,
        )
        wanted = kept.with_list(listed, is_listed=message.is_for_listed_patients)
        after = before.changed_to(wanted, at=call.tx.at)
        if after == before:
            return agreement_to_proto(before, call.tx.at)
        await _check_parties(call, after)
        await store.save(after, listed)
        return await _changed(call, after)

    async def EndAgreement(
        self, request: rpc.EndAgreementRequest, call: Call
    ) -> agreement_pb2.Agreement:
        store = AgreementStore(call.tx)
        before = await store.get(to_uuid("agreement_id", request.agreement_id))
        check_etag(request.etag, before.version)
        if not await _is_of_party(call, before):
            _check_network(call)
        after = before.end(at=call.tx.at)
        if after != before:
            await store.save(after)
            await close_soon(call.tx, after.id)
        answer = await (_changed(call, after) if after != before else _as_it_is(call, after))
        self._close(call, after.id, answer)
        return answer

    async def GetAgreement(
        self, request: rpc.GetAgreementRequest, call: Call
    ) -> agreement_pb2.Agreement:
        agreement_id = to_uuid("agreement_id", request.agreement_id)
        return await _as_it_is(call, await AgreementStore(call.tx).get(agreement_id))

    async def ListAgreements(
        self, request: rpc.ListAgreementsRequest, call: Call
    ) -> rpc.ListAgreementsResponse:
        size = page_size(request.page_size)
        found = await AgreementStore(call.tx).list_page(_after(request), size + 1)
        more = found[size - 1 : size] if found[size:] else []
        return rpc.ListAgreementsResponse(
            agreements=[agreement_to_proto(one, call.tx.at) for one in found[:size]],
            next_page_token="".join(
                encode_cursor([one.title, str(one.id)], request) for one in more
            ),
        )

    def _close(self, call: Call, agreement_id: UUID, answer: agreement_pb2.Agreement) -> None:
        """Have nothing shown by it as soon as its end has committed, and say from when on that holds everywhere."""

        async def step() -> None:
            at = to_timestamp(await self.decider.end_basis(agreement_id))
            if at is not None:
                answer.effect_time.CopyFrom(at)

        call.afterwards(step)


async def _as_it_is(call: Call, agreement: Signed) -> agreement_pb2.Agreement:
    return agreement_to_proto(agreement, call.tx.at)


async def _changed(call: Call, agreement: Signed) -> agreement_pb2.Agreement:
    await events.agreement_changed(call.tx, agreement)
    await events.decide_everybody_anew(call.tx)
    return agreement_to_proto(agreement, call.tx.at)


def _check_network(call: Call) -> None:
    """What organizations share binds them: only who answers for the network as a whole writes it down."""
    if WRITES not in call.caller.everywhere:
        raise PermissionDenied(
            "NETWORK_ROLE_NEEDED", "Only who answers for the whole network may do this."
        )


async def _is_of_party(call: Call, agreement: Signed) -> bool:
    """Whether the caller answers for one of the organizations that are named; each may leave."""
    organization_of = await FacilityStore(call.tx).organizations()
    theirs = {organization_of[place] for place in call.facilities if place in organization_of}
    return not theirs.isdisjoint(agreement.parties or ())


async def _check_parties(call: Call, agreement: Signed) -> None:
    agreement.check_parties(
        await NetworkStore(call.tx).organizations_among(agreement.parties or ())
    )


def _after(request: rpc.ListAgreementsRequest) -> tuple[str, UUID]:
    match decode_cursor(request.page_token, request):
        case None:
            return "", UUID(int=0)
        case [str(title), str(id)]:
            return title, id_in_token(id)
    raise bad_token()
