"""A second factor where it is asked for: visible in the token, held by the gateway, and over after a while."""

import re

import httpx

from gateway.api.app import GatewaySettings, build
from libs.local.process import free_port
from tests.issuer.browsing import Browser, Client, claims_of
from tests.issuer.house import CLIENT, IMAGE, SECRET, served
from tests.issuer.issuers import only_keycloak, tokens_of


async def test_the_level_that_was_asked_for_is_in_both_tokens(issuer, house, person):
    first = await tokens_of(issuer, house.callback, person)
    assert (claims_of(first.access)["acr"], claims_of(first.id)["acr"]) == ("1", "1")
    stepped = await tokens_of(issuer, house.callback, person, acr_values="2")
    assert (claims_of(stepped.access)["acr"], claims_of(stepped.id)["acr"]) == ("2", "2")
    assert await house.exchange(stepped.access)


async def test_the_level_outlives_a_refresh_and_tells_its_time(issuer, house, person):
    """So the gateway looks at auth_time as well: a level alone would last as long as the session."""
    stepped = await tokens_of(issuer, house.callback, person, acr_values="2")
    answer = await Client(issuer.issuer, house.callback).refresh(stepped.refresh)
    later = claims_of(answer.json()["access_token"])
    assert later["acr"] == "2"
    assert later["auth_time"] == claims_of(stepped.access)["auth_time"]


async def test_stepping_up_through_the_gateway(issuer, house, person, browser):
    """Signed in, asked for more, confirmed: the session is a new one of the higher level."""
    await issuer.enter(browser, await browser.get("/signin"), person)
    assert (await browser.get("/v1/me")).status_code == 200
    before = dict(browser.cookies_kept.kept[house.url.removeprefix("http://")])
    page = await browser.get("/signin", params={"acr": "2", "next": "/v1/me"})
    if not issuer.is_real:
        page = await issuer.enter(browser, page, person)  # it has no session of its own
    back = await issuer.confirm(browser, page, person)
    assert str(back.url) == f"{house.url}/v1/me"
    assert back.json()["staffMember"]["id"] == str(person.id)
    assert browser.cookies_kept.kept[house.url.removeprefix("http://")] != before


async def test_a_method_that_needs_it_is_refused_until_then(issuer, house, person):
    """A gateway that is told `GetMe=2/300`, at the address that the realm knows."""
    settings = GatewaySettings(
        public_url=house.url,
        issuer=issuer.issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        step_up="GetMe=2/300",
    )
    url = f"http://127.0.0.1:{free_port()}"
    async with served(build(house.host.channels, settings, IMAGE.read_bytes()), url):
        weak = await tokens_of(issuer, house.callback, person)
        strong = await tokens_of(issuer, house.callback, person, acr_values="2")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            refused = await http.get("/v1/me", headers={"Authorization": f"Bearer {weak.access}"})
            taken = await http.get("/v1/me", headers={"Authorization": f"Bearer {strong.access}"})
    assert (refused.status_code, refused.json()["reason"]) == (403, "STEP_UP_REQUIRED")
    assert 'acr_values="2"' in refused.headers["www-authenticate"]
    assert taken.status_code == 200


@only_keycloak
async def test_within_five_minutes_it_is_not_asked_for_again_and_a_wrong_code_is_refused(
    issuer, house, person
):
    client = Client(issuer.issuer, house.callback)
    async with Browser() as browser:
        page = await issuer.enter(browser, await client.ask(browser, acr_values="2"), person)
        back = await issuer.confirm(browser, page, person)
        assert (await client.redeem(back)).status_code == 200
        again = await client.ask(browser, acr_values="2")
        assert "x-came-back" in again.headers
    async with Browser() as browser:
        page = await issuer.enter(browser, await client.ask(browser, acr_values="2"), person)
        wrong = await browser.fill(page, otp="000000")
        assert "x-came-back" not in wrong.headers
        back = await issuer.confirm(browser, wrong, person)
        refusal = re.findall(r'id="input-error[^"]*"[^>]*>\s*([^<]+)', back.text)
        assert "x-came-back" in back.headers, (back.status_code, refusal)
        assert (await client.redeem(back)).status_code == 200
