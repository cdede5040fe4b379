"""The development issuer stands where any OIDC provider may: its access tokens are taken, its others are not."""

from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from libs.chassis.errors import Unauthenticated
from libs.local.issuer import CLI, Account, IssuerSettings, KeyRing, issuer_app
from services.identity.clients.provider import AccessTokens, IssuerKeys

URL = "http://127.0.0.1:8180"
TOKEN = "/realms/carehub/protocol/openid-connect/token"
ANN = Account(
    username="nurse", password="a long password", subject=uuid4(), name="Ann", email="a@m.example"
)


@pytest.fixture
def settings(tmp_path):
    return IssuerSettings(
        home=tmp_path,
        url=URL,
        accounts=lambda: [ANN],
        client_secret="x" * 32,
        redirect_uris=["http://127.0.0.1:8080/callback"],
    )


async def test_what_it_signs_is_verified_with_what_it_publishes(settings):
    transport = httpx.ASGITransport(app=issuer_app(settings), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        form = {
            "grant_type": "password",
            "client_id": CLI,
            "username": ANN.username,
            "password": ANN.password,
            "scope": "openid",
        }
        given = (await http.post(TOKEN, data=form)).raise_for_status().json()
        keys = IssuerKeys(http, settings.issuer)
        tokens = AccessTokens(settings.issuer, keys, lambda: datetime.now(UTC))
        assert (await tokens.verify(given["access_token"])).subject == ANN.subject
        for other in (given["id_token"], given["refresh_token"]):
            with pytest.raises(Unauthenticated):
                await tokens.verify(other)

        # The next key is published before it signs: nobody is refused when it does.
        KeyRing(settings.home / "issuer").rotate()
        rotated = (await http.post(TOKEN, data=form)).raise_for_status().json()["access_token"]
        assert (await tokens.verify(rotated)).subject == ANN.subject
