"""Sign-ins are in the ledger, once each, and so are those that were refused."""

from uuid import uuid4

from carehub.identity.v1 import identity_service_pb2 as rpc
from sqlalchemy import select

from libs.chassis.audit import audit
from libs.chassis.database import sql
from libs.ledger.sealing import Row
from tests.component.identity.test_exchange import (
    ISSUER,
    a_provider,
    access_token,
    exchange,
    refused,
)

SIGN_INS = sql(
    select(audit).where(audit.c.method.like("%/ExchangeToken")).order_by(audit.c.at, audit.c.id), row=Row
)  # fmt: skip


async def sign_ins(identity) -> list[Row]:
    async with identity.hub.system("identity") as tx:
        return await tx.fetch(SIGN_INS)


async def test_the_first_exchange_of_a_session_is_a_sign_in(identity):
    async with a_provider() as uri, identity(IDENTITY_ISSUER=ISSUER, IDENTITY_JWKS_URI=uri) as i:
        here = await i.create_facility()
        ann = await i.create_staff("ann", ("nurse", here.id))
        request = rpc.ExchangeTokenRequest(access_token=access_token(i, ann.id, sid="monday"))
        await i.call("ExchangeToken", request, "", **{"x-client-address": "192.0.2.7"})
        for _ in range(3):  # renewed every half minute, and with a new access token
            await exchange(i, access_token(i, ann.id, lives=200, sid="monday"))
        await exchange(i, access_token(i, ann.id, sid="tuesday"))
        found = await sign_ins(i)
        assert [(str(one.subject), one.outcome, one.reason) for one in found] == [
            (ann.id, "OK", "SIGNED_IN")
        ] * 2
        assert [one.address for one in found] == ["192.0.2.7", ""]
        assert found[0].roles == ["nurse"]
        assert [str(one) for one in found[0].facilities] == [here.id]


async def test_a_refused_sign_in_says_why_and_who_where_it_is_known(identity):
    async with a_provider() as uri, identity(IDENTITY_ISSUER=ISSUER, IDENTITY_JWKS_URI=uri) as i:
        stranger = uuid4()
        with refused("STAFF_UNKNOWN"):
            await exchange(i, access_token(i, stranger))
        with refused("TOKEN_INVALID"):
            await exchange(i, "no token at all")
        told = [(one.subject, one.outcome, one.reason) for one in await sign_ins(i)]
        assert sorted(told, key=str) == sorted(
            [(stranger, "UNAUTHENTICATED", "STAFF_UNKNOWN"), (None, "UNAUTHENTICATED", "TOKEN_INVALID")],
            key=str,
        )  # fmt: skip
