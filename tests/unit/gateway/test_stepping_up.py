"""Asking the provider for a level, and looking whether it was reached."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from carehub.identity.v1 import identity_service_pb2

from gateway.api.app import build
from tests.unit.gateway.doubles import IMAGE, ISSUER, NURSE, PUBLIC_URL
from tests.unit.gateway.oidc import OpenIdProvider


class AnyToken(dict[str, str]):
    def get(self, token, default=None):
        return NURSE if token.startswith("access-") else default


@pytest.fixture
async def signing_in(neighbors, gateway_settings):
    """Signs in with a query; returns what was asked of the provider and the gateway's answer."""
    provider = OpenIdProvider(ISSUER)
    neighbors.people = AnyToken()
    neighbors.answers["GetMe"] = lambda _: identity_service_pb2.GetMeResponse()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(provider.app()))
    app = build(neighbors, gateway_settings, IMAGE, http=http)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as browser:

        async def sign_in(query: str, **claims):
            provider.claims = claims
            started = await browser.get(f"/signin?{query}")
            location = started.headers["location"]
            asked = parse_qs(urlsplit(location).query)
            return asked, await browser.get(f"/signin/callback?{provider.approve(location)}")

        yield sign_in
    await http.aclose()


async def test_the_level_is_asked_for_and_was_reached(signing_in):
    asked, back = await signing_in("acr=2&next=/v1/me", acr="2")
    assert asked["acr_values"] == ["2"]
    assert (back.status_code, back.headers["location"]) == (303, "/v1/me")


@pytest.mark.parametrize("reached", [{"acr": "1"}, {"acr": "gold"}, {}, {"acr": 2}])
async def test_a_provider_that_did_not_reach_it_lets_nobody_in(signing_in, reached):
    _, back = await signing_in("acr=2", **reached)
    assert back.status_code == 400
    assert "carehub=" not in back.headers.get("set-cookie", "")


@pytest.mark.parametrize(("seconds", "status"), [(0, 303), (100, 303), (200, 400), (-100, 400)])
async def test_an_age_is_asked_for_and_looked_at(signing_in, seconds, status):
    asked, back = await signing_in(
        "acr=2&max_age=60", acr="2", auth_time=int(time.time()) - seconds
    )
    assert asked["max_age"] == ["60"]
    assert back.status_code == status


async def test_a_provider_that_does_not_tell_the_age_lets_nobody_in(signing_in):
    _, back = await signing_in("acr=2&max_age=60", acr="2")
    assert back.status_code == 400


@pytest.mark.parametrize("query", ["", "acr=", "acr=2%20admin", "acr=" + "2" * 65, "acr=%0d%0aX"])
async def test_without_a_level_none_is_asked_for(signing_in, query):
    asked, back = await signing_in(query)
    assert "acr_values" not in asked
    assert back.status_code == 303
