"""A browser signs in at the development issuer, works, and signs out everywhere."""

import re
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from carehub.identity.v1 import identity_service_pb2

from gateway.api.app import GatewaySettings, build
from libs.local.issuer.app import issuer_app
from libs.local.issuer.settings import Account, IssuerSettings
from libs.testing.hub import caller_token

HUB, ISSUER = "http://127.0.0.1:8080", "http://127.0.0.1:8180"
SECRET = "a-secret-of-this-test-only"
NURSE = Account(
    username="nurse",
    password="nurse",
    subject=UUID(int=7),
    name="Nadia Nurse",
    email="nurse@example.org",
)


class OneNurse:
    """Identity, as far as signing in needs it: every token of the issuer is the nurse's."""

    async def call(self, method, request, *, caller_token=None, **_):
        if method.name == "ExchangeToken":
            answer = identity_service_pb2.ExchangeTokenResponse(caller_token=TOKEN)
            answer.expire_time.FromJsonString("2100-01-01T00:00:00Z")
            return answer
        assert caller_token == TOKEN
        return identity_service_pb2.GetMeResponse(permissions=["tasks.read"])


TOKEN = caller_token(subject=NURSE.subject)


@pytest.fixture
async def browser(tmp_path: Path):
    issuer = issuer_app(
        IssuerSettings(
            home=tmp_path,
            url=ISSUER,
            accounts=lambda: [NURSE],
            client_secret=SECRET,
            redirect_uris=[f"{HUB}/signin/callback"],
            post_logout_redirect_uris=[f"{HUB}/"],
        )
    )
    at_issuer = httpx.ASGITransport(issuer)
    settings = GatewaySettings(
        public_url=HUB,
        issuer=f"{ISSUER}/realms/carehub",
        client_secret=SECRET,
        web=Path("/none"),
    )
    image = Path("libs/contracts/contracts.binpb").read_bytes()
    async with httpx.AsyncClient(transport=at_issuer) as to_issuer:
        gateway = httpx.ASGITransport(build(OneNurse(), settings, image, http=to_issuer))
        async with httpx.AsyncClient(
            mounts={ISSUER: at_issuer, HUB: gateway}, follow_redirects=True, base_url=HUB
        ) as client:
            yield client


async def sign_in(browser: httpx.AsyncClient, next_: str = "/") -> httpx.Response:
    page = await browser.get("/signin", params={"next": next_})
    assert page.url.port == 8180
    request = re.search(r'name="request" value="([^"]+)"', page.text).group(1)
    action = re.search(r'action="([^"]+)"', page.text).group(1)
    return await browser.post(f"{ISSUER}{action}", data={"request": request, "account": "nurse"})


async def test_a_nurse_signs_in_works_and_signs_out(browser: httpx.AsyncClient):
    assert (await browser.get("/v1/me")).status_code == 401
    page = await sign_in(browser)
    assert str(page.url) == f"{HUB}/"
    assert "Nadia Nurse" in page.text
    assert (await browser.get("/v1/me")).json()["permissions"] == ["tasks.read"]
    out = await browser.post("/signout", headers={"Sec-Fetch-Site": "same-origin", "Origin": HUB})
    assert (out.url.port, out.url.path) == (8080, "/")
    assert "Nadia Nurse" not in out.text
    assert (await browser.get("/v1/me")).status_code == 401


async def test_signing_in_leads_to_where_one_wanted_to_go(browser: httpx.AsyncClient):
    page = await sign_in(browser, "/v1/me")
    assert page.json()["permissions"] == ["tasks.read"]


async def test_who_cancels_is_back_and_not_signed_in(browser: httpx.AsyncClient):
    page = await browser.get("/signin")
    request = re.search(r'name="request" value="([^"]+)"', page.text).group(1)
    action = re.search(r'action="([^"]+)"', page.text).group(1)
    back = await browser.post(f"{ISSUER}{action}", data={"request": request, "cancel": "1"})
    assert str(back.url) == f"{HUB}/"
    assert (await browser.get("/v1/me")).status_code == 401
