"""Sending a referral: the patient's consent first, then identity, and only then the partner."""

from carehub.referrals.v1 import referral_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from services.referrals.clients import Identity
from services.referrals.convert.referral import to_consent
from services.referrals.deciding import NewId, about, send
from services.referrals.service.work import show, take_up


async def send_referral(
    request: rpc.SendReferralRequest, call: Call, identity: Identity, new_id: NewId
) -> referral_pb2.Referral:
    """Two transactions of the caller's with the question to identity in between: a call inside would hold its locks.

    If identity let it leave and the second one fails, the accounting names a disclosure that did not happen: rather one
    too many than one too few. Asked again it counts as another.
    """
    id, by = new_id(), call.caller.subject
    async with call.own.look() as tx:
        draft = await take_up(call, tx, request.referral_id, request.etag)
        consent = to_consent(request.consent, id=id, at=tx.at, by=by)
        draft.queue(consent, at=tx.at)  # whether it could be sent; the row stays as it is
        asked = await about(tx, draft, consent)
    await identity.must_release(asked)

    async def change(tx: Transaction) -> referral_pb2.Referral:
        draft = await take_up(call, tx, request.referral_id, request.etag)
        return show(call, await send(tx, draft, consent, new_id))

    return await call.own.change(change)
