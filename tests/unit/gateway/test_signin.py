"""Signing in with a browser, against a provider that lives in this test."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from carehub.identity.v1 import identity_service_pb2
from joserfc.jwk import RSAKey

from gateway.api import sessions
from gateway.api.app import GatewaySettings, build
from gateway.api.signin import local_path
from tests.unit.gateway.doubles import IMAGE, ISSUER, NURSE, PUBLIC_URL, Neighbors
from tests.unit.gateway.oidc import OpenIdProvider

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Origin": PUBLIC_URL}


class AnyToken(dict[str, str]):
    def get(self, token, default=None):
        return NURSE if token.startswith("access-") else default


@dataclass
class Site:
    browser: httpx.AsyncClient
    provider: OpenIdProvider
    neighbors: Neighbors
    settings: GatewaySettings

    async def sign_in(self, next_: str = "/") -> httpx.Response:
        started = await self.browser.get("/signin", params={"next": next_})
        assert started.status_code == 303
        query = self.provider.approve(started.headers["location"])
        return await self.browser.get(f"/signin/callback?{query}")


@pytest.fixture
async def site(neighbors: Neighbors, gateway_settings: GatewaySettings) -> AsyncIterator[Site]:
    provider = OpenIdProvider(ISSUER)
    neighbors.people = AnyToken()
    neighbors.answers["GetMe"] = lambda _: identity_service_pb2.GetMeResponse()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(provider.app()))
    # What was spent does not come back while a test lasts.
    settings = dataclasses.replace(gateway_settings, address_per_second=0.001)
    app = build(neighbors, settings, IMAGE, http=http)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=PUBLIC_URL
    ) as browser:
        yield Site(browser, provider, neighbors, settings)
    await http.aclose()


async def test_a_browser_signs_in_and_calls_the_api_with_its_cookie(site: Site):
    assert (await site.browser.get("/v1/me")).status_code == 401
    back = await site.sign_in("/v1/me?x=1")
    assert back.status_code == 303
    assert back.headers["location"] == "/v1/me?x=1"
    cookie = back.headers.get_list("set-cookie")[0]
    assert cookie.startswith("carehub=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert (await site.browser.get("/v1/me")).status_code == 200
    assert "Nadia Nurse" in (await site.browser.get("/")).text
    assert "access-" not in str(site.browser.cookies)


async def test_on_https_the_cookie_belongs_to_the_host_alone(neighbors: Neighbors):
    issuer = "https://id.example.org/realms/carehub"
    provider = OpenIdProvider(issuer)
    settings = GatewaySettings(
        public_url="https://hub.example.org",
        issuer=issuer,
        client_secret="not-a-secret-in-tests",
        web=Path("/none"),
    )
    http = httpx.AsyncClient(transport=httpx.ASGITransport(provider.app()))
    app = build(neighbors, settings, IMAGE, http=http)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://hub.example.org"
    ) as browser:
        started = await browser.get("/signin")
        query = provider.approve(started.headers["location"])
        back = await browser.get(f"/signin/callback?{query}")
        cookie = back.headers.get_list("set-cookie")[0]
        assert cookie.startswith("__Host-carehub=")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        assert back.headers["strict-transport-security"].startswith("max-age=")
        policy = (await browser.get("/")).headers["content-security-policy"]
        assert "form-action 'self' https://id.example.org" in policy


async def test_a_change_with_the_cookie_must_come_from_our_own_pages(site: Site):
    await site.sign_in()
    site.neighbors.answers["ClaimTask"] = lambda _: identity_service_pb2.GetMeResponse()
    for headers in (
        {},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": PUBLIC_URL},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "null"},
    ):
        response = await site.browser.post("/v1/tasks/t:claim", headers=headers)
        assert response.status_code == 403, headers
        assert response.json()["reason"] == "CROSS_SITE_REQUEST"
    assert site.neighbors.count("ClaimTask") == 0
    for number, headers in enumerate(
        (
            SAME_ORIGIN,
            # A form of a page that sends no referrer.
            {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
            {"Origin": PUBLIC_URL},
            {"Authorization": "Bearer access-9"},
        )
    ):
        await site.browser.post("/v1/tasks/t:claim", headers=headers)
        assert site.neighbors.count("ClaimTask") == number + 1


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"azp": "another"},
        {"sub": None},
    ],
)
async def test_an_id_token_that_is_not_ours_is_refused(site: Site, claims):
    site.provider.claims = claims
    back = await site.sign_in()
    assert back.status_code == 400
    assert (await site.browser.get("/v1/me")).status_code == 401


async def test_an_id_token_of_an_unknown_key_is_refused_and_keys_are_fetched_once(site: Site):
    site.provider.published = [RSAKey.generate_key(2048, {"kid": "other", "use": "sig"})]
    for _ in range(3):
        assert (await site.sign_in()).status_code == 400
    assert site.provider.fetched_keys == 1


async def test_the_first_who_sign_in_wait_for_the_keys_together(site: Site):
    await site.browser.get("/signin")  # from here on all tabs are of one browser
    site.provider.may_answer.clear()
    signing_in = [asyncio.create_task(site.sign_in()) for _ in range(3)]
    await site.provider.has_taken.wait()
    leaving = signing_in.pop(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    site.provider.may_answer.set()
    assert [one.status_code for one in await asyncio.gather(*signing_in)] == [303, 303]
    assert site.provider.fetched_keys == 1


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_keys_that_cannot_be_fetched_are_no_fault_of_who_signs_in(site: Site, status):
    site.provider.keys_status = status
    for _ in range(3):
        assert (await site.sign_in()).status_code == 503


async def test_a_key_of_the_same_name_does_not_help(site: Site):
    site.provider.published = [RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})]
    assert (await site.sign_in()).status_code == 400


async def test_a_sign_in_ends_only_in_the_browser_that_began_it(site: Site):
    started = await site.browser.get("/signin")
    query = site.provider.approve(started.headers["location"])
    mine = dict(site.browser.cookies)
    site.browser.cookies.clear()
    assert (await site.browser.get(f"/signin/callback?{query}")).status_code == 400
    for name, value in mine.items():
        site.browser.cookies.set(name, value)
    assert (await site.browser.get(f"/signin/callback?{query}")).status_code == 303
    assert (await site.browser.get(f"/signin/callback?{query}")).status_code == 400


async def test_two_tabs_may_sign_in_at_once(site: Site):
    first = await site.browser.get("/signin?next=/one")
    second = await site.browser.get("/signin?next=/two")
    for started, wanted in ((first, "/one"), (second, "/two")):
        query = site.provider.approve(started.headers["location"])
        back = await site.browser.get(f"/signin/callback?{query}")
        assert back.headers["location"] == wanted


async def test_a_state_that_was_never_given_out_is_refused(site: Site):
    await site.browser.get("/signin")
    for query in ("", "state=x&code=y", "state=&code=", "error=access_denied"):
        assert (await site.browser.get(f"/signin/callback?{query}")).status_code == 400


async def test_who_cancels_is_back_at_the_first_page(site: Site):
    started = await site.browser.get("/signin")
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
    back = await site.browser.get(f"/signin/callback?error=access_denied&state={state}")
    assert back.headers["location"] == "/"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        " /x",
        "/x\r\nSet-Cookie: a=b",
        "",
        "/" + "x" * 600,
    ],
)
def test_signing_in_leads_nowhere_else(wanted):
    assert local_path(wanted) == "/"


def test_signing_in_leads_back_to_where_one_was():
    assert local_path("/tasks/1?tab=a&x=%20#top") == "/tasks/1?tab=a&x=%20#top"


async def test_signing_out_ends_the_session_here_and_there(site: Site):
    await site.sign_in()
    assert (await site.browser.post("/signout")).status_code == 403
    assert (await site.browser.get("/signout")).status_code == 405
    out = await site.browser.post("/signout", headers=SAME_ORIGIN)
    assert out.status_code == 303
    location = urlsplit(out.headers["location"])
    assert location.path.endswith("/logout")
    query = parse_qs(location.query)
    assert query["post_logout_redirect_uri"] == [f"{PUBLIC_URL}/"]
    assert query["id_token_hint"][0].count(".") == 2
    assert (await site.browser.get("/v1/me")).status_code == 401


async def test_an_access_token_is_refreshed_once_and_the_session_goes_on(site: Site):
    site.provider.lives = 10
    await site.sign_in()
    site.provider.lives = 300
    assert (await site.browser.get("/v1/me")).status_code == 200
    assert (await site.browser.get("/v1/me")).status_code == 200
    assert site.provider.refreshed == 1
    assert len(site.provider.refresh_tokens) == 1


async def test_who_leaves_during_a_refresh_does_not_end_the_session(site: Site):
    site.provider.lives = 10
    await site.sign_in()
    site.provider.lives = 300
    site.provider.may_answer.clear()
    leaving = asyncio.create_task(site.browser.get("/v1/me"))
    await site.provider.has_taken.wait()
    staying = asyncio.create_task(site.browser.get("/v1/me"))
    leaving.cancel()
    await asyncio.wait([leaving])
    site.provider.may_answer.set()
    assert leaving.cancelled()
    assert (await staying).status_code == 200
    assert (await site.browser.get("/v1/me")).status_code == 200
    assert site.provider.refreshed == 1


async def test_who_is_signed_in_is_not_counted_among_the_strangers_of_an_address(site: Site):
    site.provider.lives = 10  # so every request has a token that is new to identity
    await site.sign_in()
    strangers = {"Authorization": "Bearer bad"}
    for _ in range(site.settings.address_burst):
        refused = await site.browser.get("/v1/me", headers=strangers)
    assert refused.status_code == 429
    for count in (1, 2, 3):
        assert (await site.browser.get("/v1/me")).status_code == 200
        assert site.provider.refreshed == count
    for headers in (strangers, {"Authorization": "Bearer access-new"}):
        assert (await site.browser.get("/v1/me", headers=headers)).status_code == 429
    site.browser.cookies.clear()
    assert (await site.browser.get("/v1/me")).status_code == 429


async def test_a_refused_refresh_ends_the_session(site: Site):
    site.provider.lives = 10
    await site.sign_in()
    site.provider.refresh_tokens.clear()
    for _ in range(2):
        response = await site.browser.get("/v1/me")
        assert response.status_code == 401
        assert response.json()["reason"] == "SESSION_ENDED"


async def test_a_provider_that_is_away_says_so(site: Site):
    site.provider.is_away = True
    response = await site.browser.get("/signin")
    assert response.status_code == 503
    assert "does not answer" in response.text


async def test_a_session_outlives_the_provider_being_away_while_its_token_lasts(site: Site):
    site.provider.lives = 20
    await site.sign_in()
    site.provider.is_away = True
    assert (await site.browser.get("/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
    ],
)
async def test_a_provider_that_leads_astray_is_not_followed(site: Site, metadata):
    site.provider.metadata = metadata
    assert (await site.browser.get("/signin")).status_code == 503


async def test_the_cookies_are_those_of_one_host(site: Site):
    response = await site.browser.get("/signin?next=/x", headers={"Host": "localhost:8080"})
    assert response.headers["location"] == f"{PUBLIC_URL}/signin?next=%2Fx"


def test_a_session_ends_when_it_is_idle_and_after_twelve_hours():
    clock = [0.0]
    kept = sessions.Keeper[str](
        idle=sessions.IDLE, absolute=sessions.ABSOLUTE, now=lambda: clock[0]
    )
    busy, idle = kept.add("busy"), kept.add("idle")
    while clock[0] < sessions.ABSOLUTE:
        assert kept.use(busy) == "busy"
        clock[0] += 600
    assert kept.use(idle) is None
    clock[0] = sessions.ABSOLUTE + 1
    assert kept.use(busy) is None


def test_the_keeper_has_bounds():
    kept = sessions.Keeper[int](idle=1e9, absolute=1e9)
    first = kept.add(0)
    for number in range(sessions.MOST):
        kept.add(number)
    assert kept.use(first) is None
