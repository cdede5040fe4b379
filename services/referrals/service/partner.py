"""PartnerService: what a partner without an account sees and says. The token of a link is the credential."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from carehub.referrals.v1 import directory_pb2
from carehub.referrals.v1 import partner_service_pb2 as rpc

from libs.chassis import audit
from libs.chassis.caller import Call, Caller, CallerKind
from libs.chassis.database import Transaction
from libs.chassis.errors import FailedPrecondition, NotFound
from services.referrals.clients import Identity
from services.referrals.convert.directory import to_capacity
from services.referrals.convert.partner import request_to_proto
from services.referrals.deciding import (
    TELLS,
    Answer,
    about,
    answered,
    changed,
    check_same,
    withheld,
)
from services.referrals.domain.partner import LAST_WORD, hash_of
from services.referrals.domain.referral import FAILURES, REJECTIONS, UNDER_WAY, Referral, State
from services.referrals.events import save_services
from services.referrals.store import DirectoryStore, LinkStore, NeighborStore, ReferralStore

PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerService:
    """`system` opens a transaction of the service itself: a partner has no door of their own, only what a link opens.

    Denials do not apply to that door, so identity is asked again, before it, whenever a partner is told who it is.
    """

    identity: Identity
    system: Callable[[], AbstractAsyncContextManager[Transaction]]
    new_id: Callable[[], UUID]

    async def OpenRequest(self, request: rpc.OpenRequestRequest, call: Call) -> rpc.PartnerRequest:
        released = await self._released(request.token, UNDER_WAY)
        async with self.system() as tx:
            referral = await _opened(tx, request.token, call)
            return await _shown(tx, referral, call, released)

    async def AnswerRequest(
        self, request: rpc.AnswerRequestRequest, call: Call
    ) -> rpc.PartnerRequest:
        answer = Answer.YES if request.is_yes else Answer.NO
        reason = request.reason if request.reason in REJECTIONS else "OTHER"
        says_more = request.capacity != directory_pb2.Capacity.STATUS_UNSPECIFIED
        after_no = LAST_WORD if says_more and not request.is_yes else timedelta(0)
        released = await self._released(request.token, TELLS) if request.is_yes else None
        async with self.system() as tx:
            referral = await _opened(tx, request.token, call, after_no)
            after = await answered(tx, referral, answer, reason, self.new_id)
            if says_more:
                service = await DirectoryStore(tx).take(referral.service_id)
                said = to_capacity(request.capacity)
                await save_services(tx, service.say_capacity(said, at=tx.at))
            return await _shown(tx, after, call, released)

    async def FinishRequest(
        self, request: rpc.FinishRequestRequest, call: Call
    ) -> rpc.PartnerRequest:
        answer = Answer.DONE if request.is_done else Answer.COULD_NOT
        reason = request.reason if request.reason in FAILURES else "OTHER"
        async with self.system() as tx:
            referral = await _opened(tx, request.token, call)
            after = await answered(tx, referral, answer, reason, self.new_id)
            return await _shown(tx, after, call, None)

    async def _released(self, token: str, telling: Collection[State]) -> UUID | None:
        """Whose record identity lets the partner be told of now, if the referral is in a state in which it is told.

        If the patient has forbidden it meanwhile, the referral and its links end, and to the partner it is over.
        """
        async with self.system() as tx:
            referral = await ReferralStore(tx).get(await _id_of(tx, token))
            if referral.consent is None or referral.state not in telling:
                return None
            asked = await about(tx, referral, referral.consent)
        try:
            await self.identity.must_release(asked)
        except FailedPrecondition:
            async with self.system() as tx:
                now = await ReferralStore(tx).take(referral.id)
                check_same(referral, now)
                await withheld(tx, now)
            raise _no_link() from None
        return referral.patient_id


async def _opened(
    tx: Transaction, token: str, call: Call, after_no: timedelta = timedelta(0)
) -> Referral:
    """The referral that the token opens, to be changed. From here on the partner is the caller."""
    referral = await ReferralStore(tx).take(await _id_of(tx, token, after_no))
    call.maybe_caller = _partner(referral)
    return referral


async def _id_of(tx: Transaction, token: str, after_no: timedelta = timedelta(0)) -> UUID:
    referral_id = await LinkStore(tx).opened_by(hash_of(token), after_no)
    if referral_id is None:
        raise _no_link()
    return referral_id


def _no_link() -> NotFound:
    return NotFound("LINK_NOT_FOUND", "This link does not work, or no longer.")


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


async def _shown(
    tx: Transaction, referral: Referral, call: Call, released: UUID | None
) -> rpc.PartnerRequest:
    """What the partner may see now, and the row in the ledger that says so. Who it is, only if identity was asked about that."""
    if referral.state in UNDER_WAY and referral.patient_id != released:
        raise changed()
    facility = await NeighborStore(tx).facility(referral.facility_id)
    service = await DirectoryStore(tx).get(referral.service_id)
    call.show(referral.patient_id)
    audit.record(tx, call, str(referral.id))
    return request_to_proto(referral, service, facility, tx.at)
