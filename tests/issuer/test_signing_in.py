"""Through the gateway: sign in with code and PKCE, work with a cookie, sign out here and at the issuer."""

import asyncio
import time

import pytest

from libs.local.issuer.tokens import ACCESS_LIVES
from tests.issuer.browsing import Browser, Client, claims_of
from tests.issuer.house import House
from tests.issuer.issuers import FIGURES, Issuer, Person, only_keycloak, tokens_of

OURS = {"Sec-Fetch-Site": "same-origin"}


async def sign_in(browser: Browser, issuer: Issuer, person: Person, **query: str):
    page = await browser.get("/signin", params=query)
    assert str(page.url).startswith(issuer.issuer.rpartition("/realms/")[0])
    return await issuer.enter(browser, page, person)


async def test_a_session_through_the_gateway(issuer, house, person, browser):
    assert (await browser.get("/v1/me")).status_code == 401
    back = await sign_in(browser, issuer, person, next="/v1/me")
    assert back.status_code == 200, back.text
    assert str(back.url) == f"{house.url}/v1/me"
    assert back.json()["staffMember"]["id"] == str(person.id)
    # What the browser holds is a random name of a session, never a token.
    held = browser.cookies_kept.kept[house.url.removeprefix("http://")]
    assert all("." not in value and len(value) < 64 for value in held.values())


async def test_signing_out_ends_the_session_here_and_at_the_issuer(issuer, house, person, browser):
    await sign_in(browser, issuer, person)
    assert (await browser.get("/v1/me")).status_code == 200
    out = await browser.post("/signout", headers=OURS | {"Accept": "application/json"})
    there = await browser.get(out.json()["location"])
    assert (there.url.netloc.decode(), there.url.path) == (house.url.removeprefix("http://"), "/")
    assert (await browser.get("/v1/me")).status_code == 401
    # Nobody is let in again without saying who they are.
    page = await browser.get("/signin")
    assert str(page.url).startswith(issuer.issuer.rpartition("/realms/")[0])
    assert "<form" in page.text


async def test_the_end_at_the_issuer_ends_the_refresh_token(issuer, house, person):
    client = Client(issuer.issuer, house.callback)
    async with Browser() as browser:
        back = await issuer.enter(browser, await client.ask(browser), person)
        given = (await client.redeem(back)).json()
        again = await client.refresh(given["refresh_token"])
        assert again.status_code == 200
        ended = {
            "id_token_hint": given["id_token"],
            "client_id": "carehub-web",
            "post_logout_redirect_uri": f"{house.url}/",
        }
        assert (await browser.get(f"{client.endpoint}/logout", params=ended)).status_code == 200
        refused = await client.refresh(again.json()["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_a_refresh_token_works_once(issuer, house, person):
    client = Client(issuer.issuer, house.callback)
    given = await tokens_of(issuer, house.callback, person)
    following = await client.refresh(given.refresh)
    assert following.status_code == 200
    assert (await client.refresh(given.refresh)).status_code == 400
    # It was stolen, or is told twice: the one that followed is worth nothing either.
    assert (await client.refresh(following.json()["refresh_token"])).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"redirect_uri": "http://127.0.0.1:1/signin/callback"},
        {"client_id": "carehub-other"},
        {"response_type": "token"},
    ],
    ids=["no PKCE", "plain PKCE", "other address", "other client", "implicit"],
)
async def test_what_the_client_may_not_ask_for_is_refused(issuer, house, person, change):
    client = Client(issuer.issuer, house.callback)
    async with Browser() as browser:
        page = await client.ask(browser, **change)
        came_back = page.headers.get("x-came-back", "")
        assert "code=" not in came_back
        assert "error=" in came_back or page.status_code == 400


async def test_a_code_needs_its_verifier_and_its_client(issuer, house, person):
    client = Client(issuer.issuer, house.callback)
    async with Browser() as browser:
        back = await issuer.enter(browser, await client.ask(browser), person)
    assert (await client.redeem(back, code_verifier="x" * 64)).status_code == 400
    async with Browser() as browser:
        back = await issuer.enter(browser, await client.ask(browser), person)
    assert (await client.redeem(back)).status_code == 200
    assert (await client.redeem(back)).status_code == 400


async def test_tokens_and_sessions_last_as_the_realm_says(issuer, house, person):
    wanted = issuer.definition.realm
    # A minute, which is how long a disabled person is still let in; on one machine that is no hurry.
    assert wanted["accessTokenLifespan"] == 60
    lives = wanted["accessTokenLifespan"] if issuer.is_real else ACCESS_LIVES
    given = await tokens_of(issuer, house.callback, person)
    claims = claims_of(given.access)
    assert claims["exp"] - claims["iat"] == lives
    assert abs(given.answer["expires_in"] - lives) <= 1
    assert abs(given.answer["refresh_expires_in"] - wanted["ssoSessionIdleTimeout"]) <= 1
    assert abs(time.time() - claims["iat"]) < 10


async def test_a_person_disabled_at_the_issuer_gets_no_new_token(issuer, house, person):
    given = await tokens_of(issuer, house.callback, person)
    await house.exchange(given.access)
    await issuer.disable(person)
    refused = await Client(issuer.issuer, house.callback).refresh(given.refresh)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    # What is in hand ends within a minute: see the times of tokens.


@only_keycloak
async def test_a_person_disabled_at_the_issuer_is_out_within_a_minute(
    issuer, house: House, person, browser
):
    await sign_in(browser, issuer, person)
    assert (await browser.get("/v1/me")).status_code == 200
    await issuer.disable(person)
    disabled_at = time.monotonic()
    while (await browser.get("/v1/me")).status_code == 200:
        assert time.monotonic() - disabled_at < 60, "still let in after a minute"
        await asyncio.sleep(0.5)
    FIGURES.append(f"a disabled person was refused after {time.monotonic() - disabled_at:.0f} s")


@only_keycloak
async def test_guessing_locks_the_account_for_a_while(issuer, house, person):
    wanted = issuer.definition.realm
    client = Client(issuer.issuer, house.callback)
    async with Browser() as browser:
        page = await client.ask(browser)
        for number in range(wanted["failureFactor"]):
            wrong = Person(account=person.account, password=f"wrong password {number}")
            page = await issuer.enter(browser, page, wrong)
            await asyncio.sleep(0.3)  # slower than what counts as a machine
        page = await issuer.enter(browser, page, person)
        assert "x-came-back" not in page.headers, "the right password let in a locked account"
        told = await asyncio.to_thread(issuer.admin.get_bruteforce_detection_status, str(person.id))
        assert told["disabled"]
        lasts = told["failedLoginNotBefore"] - time.time()
        assert 0 < lasts <= wanted["waitIncrementSeconds"] + 1
        await asyncio.to_thread(issuer.admin.clear_bruteforce_attempts_for_user, str(person.id))
        back = await issuer.enter(browser, await client.ask(browser), person)
        assert "x-came-back" in back.headers
