"""What a partner said by telephone, written down by the facility that asked it."""

from carehub.referrals.v1 import referral_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from libs.chassis.errors import FailedPrecondition
from services.referrals.clients import Asked, Identity
from services.referrals.deciding import (
    TELLS,
    Answer,
    NewId,
    about,
    answered,
    check_same,
    withheld,
)
from services.referrals.service.work import show, take_up, to_answer


async def record_answer(
    request: rpc.RecordAnswerRequest, call: Call, identity: Identity, new_id: NewId
) -> referral_pb2.Referral:
    """Whoever says yes is told who it is: before that is written down, identity is asked whether they may still be."""
    answer, seen, asked = to_answer(request.answer), None, None
    if answer is Answer.YES:
        async with call.own.look() as tx:
            seen = await take_up(call, tx, request.referral_id, request.etag)
            if seen.consent and seen.state in TELLS:
                asked = await about(tx, seen, seen.consent)
    is_forbidden = asked is not None and not await _may_be_told(identity, asked)

    async def change(tx: Transaction) -> referral_pb2.Referral:
        referral = await take_up(call, tx, request.referral_id, request.etag)
        if seen is not None:
            check_same(seen, referral)
        if is_forbidden:
            return show(call, await withheld(tx, referral))
        return show(call, await answered(tx, referral, answer, request.reason or "OTHER", new_id))

    return await call.own.change(change)


async def _may_be_told(identity: Identity, asked: Asked) -> bool:
    try:
        await identity.must_release(asked)
    except FailedPrecondition:
        return False
    return True
