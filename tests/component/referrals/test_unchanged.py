"""A method that opens its transactions itself and forgets its change: nobody gets an answer that is not in the ledger."""

from carehub.referrals.v1 import referral_pb2

from services.referrals import service
from tests.component.referrals.conftest import State
from tests.component.referrals.test_referrals import refused


async def test_what_was_answered_without_its_change_is_an_error_and_its_key_is_free(
    referrals, monkeypatch
):
    async def forgetful(request, call, _identity, _new_id):
        async with call.own.look():
            return referral_pb2.Referral(id=request.referral_id, state=State.STATE_REQUESTED)

    async with referrals() as r:
        draft, once = await r.draft(), {"idempotency-key": "forgotten"}
        with monkeypatch.context() as patched:
            patched.setattr(service, "send_referral", forgetful)
            await refused(r.send(draft, headers=once), "INTERNAL", "UNEXPECTED")
            await refused(r.send(draft), "INTERNAL", "UNEXPECTED")
        assert (await r.send(draft, headers=once)).state == State.STATE_REQUESTED
