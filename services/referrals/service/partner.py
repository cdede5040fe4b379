"""PartnerService: what a partner without an account sees and says. The token of a link is the credential."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from carehub.referrals.v1 import directory_pb2
from carehub.referrals.v1 import partner_service_pb2 as rpc

from libs.chassis import audit
from libs.chassis.caller import Call, Caller, CallerKind
from libs.chassis.database import Transaction
from libs.chassis.errors import NotFound
from services.referrals.convert.directory import to_capacity
from services.referrals.convert.partner import request_to_proto
from services.referrals.deciding import Answer, answered
from services.referrals.domain.partner import LAST_WORD, hash_of
from services.referrals.domain.referral import FAILURES, REJECTIONS, Referral
from services.referrals.events import save_services
from services.referrals.store import DirectoryStore, LinkStore, NeighborStore, ReferralStore

PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerService:
    """`system` opens a transaction of the service itself: a partner has no door of their own, only what a link opens."""

    system: Callable[[], AbstractAsyncContextManager[Transaction]]
    new_id: Callable[[], UUID]

    async def OpenRequest(self, request: rpc.OpenRequestRequest, call: Call) -> rpc.PartnerRequest:
        async with self.system() as tx:
            referral = await _opened(tx, request.token, call)
            return await _shown(tx, referral, call)

    async def AnswerRequest(
        self, request: rpc.AnswerRequestRequest, call: Call
    ) -> rpc.PartnerRequest:
        answer = Answer.YES if request.is_yes else Answer.NO
        reason = request.reason if request.reason in REJECTIONS else "OTHER"
        says_more = request.capacity != directory_pb2.Capacity.STATUS_UNSPECIFIED
        after_no = LAST_WORD if says_more and not request.is_yes else timedelta(0)
        async with self.system() as tx:
            referral = await _opened(tx, request.token, call, after_no)
            after = await answered(tx, referral, answer, reason, self.new_id)
            if says_more:
                service = await DirectoryStore(tx).take(referral.service_id)
                said = to_capacity(request.capacity)
                await save_services(tx, service.say_capacity(said, at=tx.at))
            return await _shown(tx, after, call)

    async def FinishRequest(
        self, request: rpc.FinishRequestRequest, call: Call
    ) -> rpc.PartnerRequest:
        answer = Answer.DONE if request.is_done else Answer.COULD_NOT
        reason = request.reason if request.reason in FAILURES else "OTHER"
        async with self.system() as tx:
            referral = await _opened(tx, request.token, call)
            after = await answered(tx, referral, answer, reason, self.new_id)
            return await _shown(tx, after, call)


async def _opened(
    tx: Transaction, token: str, call: Call, after_no: timedelta = timedelta(0)
) -> Referral:
    """The referral that the token opens, to be changed. From here on the partner is the caller."""
    referral_id = await LinkStore(tx).opened_by(hash_of(token), after_no)
    if referral_id is None:
        raise NotFound("LINK_NOT_FOUND", "This link does not work, or no longer.")
    referral = await ReferralStore(tx).take(referral_id)
    call.maybe_caller = _partner(referral)
    return referral


def _partner(referral: Referral) -> Caller:
    """The service of the directory as the one who asks, at the facility that referred: so the ledger names it."""
    return Caller(
        subject=referral.service_id,
        kind=CallerKind.PERSON,
        name=referral.service_name,
        roles={PARTNER: frozenset({referral.facility_id})},
        permissions={},
        purpose="CARE_COORDINATION",
    )


async def _shown(tx: Transaction, referral: Referral, call: Call) -> rpc.PartnerRequest:
    """What the partner may see now, and the row in the ledger that says so."""
    facility = await NeighborStore(tx).facility(referral.facility_id)
    service = await DirectoryStore(tx).get(referral.service_id)
    call.show(referral.patient_id)
    audit.record(tx, call, str(referral.id))
    return request_to_proto(referral, service, facility, tx.at)
