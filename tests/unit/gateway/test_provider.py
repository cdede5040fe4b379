"""The provider as several see it who ask at once: one answer for all, and no more questions than it takes."""

import asyncio
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from gateway.api.provider import REDISCOVER_AFTER, Client, Provider, ProviderAway, ProviderRefused
from gateway.api.rates import Limiter, Rate
from gateway.api.sessions import Session
from gateway.api.signin import SignIn
from tests.unit.gateway.doubles import ISSUER, PUBLIC_URL
from tests.unit.gateway.oidc import CLIENT, SECRET, OpenIdProvider

_KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})


def _client() -> Client:
    return Client(
        issuer=ISSUER,
        client_id=CLIENT,
        client_secret=SECRET,
        redirect_uri=PUBLIC_URL,
        after_sign_out=PUBLIC_URL,
    )


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.sampled_from(["", "refused", "away"]))
async def test_all_who_wait_for_a_refresh_share_what_becomes_of_it(stays, failure):
    """Whoever stays has the one answer, whoever else leaves meanwhile."""
    provider = OpenIdProvider(ISSUER, key=_KEY)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(provider.app()))
    sign_in = SignIn(Provider(_client(), http), PUBLIC_URL, Limiter(Rate("address", 1, 1)))
    session = Session(
        name="", access_token="old", access_ends_at=0.0, refresh_token="refresh-0", id_token=""
    )
    if failure != "refused":
        provider.refresh_tokens.add("refresh-0")
    provider.may_answer.clear()
    waiting = [asyncio.create_task(sign_in.access_token(session)) for _ in stays]
    await provider.has_taken.wait()
    for task, stay in zip(waiting, stays, strict=True):
        if not stay:
            task.cancel()
    await asyncio.sleep(0)
    provider.is_away = failure == "away"
    provider.may_answer.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.wait([session.refreshing] if session.refreshing else [])
    told = {str(one) for one, stay in zip(answers, stays, strict=True) if stay}
    wanted = {"": "access-1", "refused": "SESSION_ENDED", "away": "SIGN_IN_UNAVAILABLE"}
    assert told <= {wanted[failure]}
    assert provider.refreshed == (failure != "refused")
    assert session.refresh_token == {"": "refresh-1", "refused": "", "away": "refresh-0"}[failure]
    await http.aclose()


async def test_keys_are_tried_again_soon_and_unknown_ones_looked_for_seldom():
    provider, clock = OpenIdProvider(ISSUER, key=_KEY, keys_status=503), [time.time()]
    http = httpx.AsyncClient(transport=httpx.ASGITransport(provider.app()))
    keeper = Provider(_client(), http, now=lambda: clock[0])
    token = provider._answer("n")["id_token"]
    unknown = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
    other = OpenIdProvider(ISSUER, key=unknown)._answer("n")["id_token"]

    async def outcome(token: str) -> str:
        try:
            await keeper.verify_id_token(token, "n")
        except (ProviderAway, ProviderRefused) as error:
            return f"{type(error).__name__} after {provider.fetched_keys}"
        return f"fine after {provider.fetched_keys}"

    assert [await outcome(token) for _ in range(3)] == ["ProviderAway after 1"] * 3
    provider.keys_status = 200
    clock[0] += 1.1
    assert await outcome(token) == "fine after 2"
    assert [await outcome(other) for _ in range(3)] == ["ProviderRefused after 2"] * 3
    clock[0] += 29.0
    assert await outcome(other) == "ProviderRefused after 2"
    clock[0] += 1.1
    assert await outcome(other) == "ProviderRefused after 3"
    provider.keys_status = 503
    clock[0] += 30.1
    assert await outcome(other) == "ProviderAway after 4"
    assert await outcome(token) == "fine after 4"
    await http.aclose()


async def test_a_provider_that_does_not_know_itself_for_a_moment_refuses_nobody():
    """As one that starts anew, or a proxy before it: what was known of it is kept, and a first question is for later."""
    provider, clock = OpenIdProvider(ISSUER, key=_KEY, discovery_status=404), [time.time()]
    http = httpx.AsyncClient(transport=httpx.ASGITransport(provider.app()))
    keeper = Provider(_client(), http, now=lambda: clock[0])
    provider.refresh_tokens |= {"refresh-0", "refresh-1"}
    with pytest.raises(ProviderAway):
        await keeper.refresh("refresh-0")
    provider.discovery_status = 200
    assert (await keeper.refresh("refresh-0")).access_token
    provider.discovery_status = 404
    clock[0] += REDISCOVER_AFTER + 1
    assert (await keeper.refresh("refresh-1")).access_token
    await http.aclose()
