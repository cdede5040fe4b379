"""A development issuer on a bench: its clock, its accounts and a client of it in the hands of a test."""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from libs.local.issuer import WEB, Account, IssuerSettings, issuer_app

BASE = "http://127.0.0.1:8180"
ISSUER = f"{BASE}/realms/carehub"
OPENID = f"{ISSUER}/protocol/openid-connect"
CALLBACK = "http://127.0.0.1:8080/signin/callback"
BYE = "http://127.0.0.1:8080/"
SECRET = "a-secret-of-the-gateway"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
COORDINATOR = Account(
    username="coordinator",
    password="a password",
    subject=UUID("0198c0de-0000-7000-8000-000000000001"),
    name="Rosa <Marín>",
    email="rosa@example.org",
    about="Care coordinator, Northside",
)


@dataclass
class Bench:
    """An issuer with a clock and accounts that a test can change, and a client of it."""

    home: Path
    accounts: list[Account] = field(default_factory=lambda: [COORDINATOR])
    clock: float = 1_800_000_000.0

    def __post_init__(self) -> None:
        self.app = issuer_app(
            IssuerSettings(
                home=self.home,
                url=BASE,
                accounts=lambda: self.accounts,
                client_secret=SECRET,
                redirect_uris=[CALLBACK],
                post_logout_redirect_uris=[BYE],
                now=lambda: self.clock,
            )
        )
        self.http = self.client("127.0.0.1")

    def client(self, peer: str, base: str = BASE) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(peer, 50_000)), base_url=base
        )

    async def ask(self, **changes: str) -> httpx.Response:
        asked = {
            "client_id": WEB,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile email",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        given = {key: value for key, value in asked.items() if value}
        return await self.http.get(f"{OPENID}/auth", params=given)

    async def choose(self, page: httpx.Response, **form: str) -> httpx.Response:
        found = re.search(r'name="request" value="([^"]+)"', page.text)
        assert found, page.text
        action = re.search(r'action="([^"]+)"', page.text)
        assert action
        return await self.http.post(BASE + action[1], data={"request": found[1], **form})

    async def code(self, **changes: str) -> str:
        back = answer_of(await self.choose(await self.ask(**changes), account="coordinator"))
        return back["code"]

    async def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        } | changes
        return await self.token(**form)

    async def refresh(self, token: str) -> httpx.Response:
        return await self.token(grant_type="refresh_token", refresh_token=token)

    async def token(self, **form: str) -> httpx.Response:
        return await self.http.post(f"{OPENID}/token", data=form, auth=(WEB, SECRET))

    async def claims(self, token: str) -> tuple[dict, dict]:
        keys = KeySet.import_key_set((await self.http.get(f"{OPENID}/certs")).json())
        decoded = jwt.decode(token, keys, algorithms=["RS256"])
        return decoded.header, decoded.claims


def answer_of(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 303, response.text
    url = urlsplit(response.headers["location"])
    assert url.geturl().startswith(CALLBACK)
    return {key: values[0] for key, values in parse_qs(url.query).items()}
