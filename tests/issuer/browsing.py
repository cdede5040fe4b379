"""A browser without a screen: follows redirects, keeps cookies, fills forms. And a client that speaks OpenID itself."""

import base64
import hashlib
import html
import json
import re
import secrets
from dataclasses import dataclass, field

import httpx

from tests.issuer.house import CLIENT, SECRET


class _Cookies(httpx.AsyncBaseTransport):
    """Cookies per host. Like a browser, and unlike http.cookiejar, it takes loopback for a safe place."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        kept = self.kept.setdefault(request.url.netloc.decode(), {})
        if kept:
            request.headers["cookie"] = "; ".join(f"{k}={v}" for k, v in kept.items())
        response = await self._inner.handle_async_request(request)
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if re.search(r"max-age=0\b", line, re.I):
                kept.pop(name, None)
            else:
                kept[name] = value
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Browser(httpx.AsyncClient):
    """`async with Browser(base_url=…)`: what a person clicks through."""

    def __init__(self, base_url: str = "") -> None:
        self.cookies_kept = _Cookies()
        super().__init__(
            base_url=base_url,
            transport=self.cookies_kept,
            follow_redirects=True,
            timeout=60.0,
            trust_env=False,
        )

    async def fill(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Send the first form of a page, with its hidden fields."""
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert action, f"no form at {page.url.copy_with(query=None)}: {page.status_code}"
        hidden = {}
        for tag in re.findall(r"<input[^>]*>", page.text):
            if 'type="hidden"' in tag and (name := re.search(r'name="([^"]+)"', tag)):
                value = re.search(r'value="([^"]*)"', tag)
                hidden[name[1]] = html.unescape(value[1]) if value else ""
        return await self.post(page.url.join(html.unescape(action[1])), data=hidden | fields)


@dataclass(kw_only=True)
class Tokens:
    """The answer of a token endpoint, and how to read it."""

    answer: dict = field(repr=False)

    @property
    def access(self) -> str:
        return self.answer["access_token"]

    @property
    def id(self) -> str:
        return self.answer["id_token"]

    @property
    def refresh(self) -> str:
        return self.answer["refresh_token"]


def claims_of(token: str) -> dict:
    return _part(token, 1)


def header_of(token: str) -> dict:
    return _part(token, 0)


def _part(token: str, number: int) -> dict:
    part = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Client:
    """The gateway's part at the issuer, by hand: a code with PKCE, then tokens."""

    def __init__(self, issuer: str, callback: str) -> None:
        self.endpoint = f"{issuer}/protocol/openid-connect"
        self.callback = callback
        self.verifier = ""
        self.nonce = ""

    async def ask(self, browser: Browser, **more: str) -> httpx.Response:
        self.verifier, self.nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": self.callback,
            "scope": "openid profile email",
            "state": secrets.token_urlsafe(16),
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        kept = {k: v for k, v in (asked | more).items() if v}
        browser.event_hooks["response"] = [self._stop_at_callback]
        return await browser.get(f"{self.endpoint}/auth", params=kept)

    async def _stop_at_callback(self, response: httpx.Response) -> None:
        if response.headers.get("location", "").startswith(self.callback):
            response.headers["x-came-back"] = response.headers.pop("location")
            response.status_code = 200

    async def redeem(self, back: httpx.Response, **more: str) -> httpx.Response:
        code = httpx.URL(back.headers["x-came-back"]).params["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": self.verifier,
        }
        return await self._post(form | more)

    async def refresh(self, token: str) -> httpx.Response:
        return await self._post({"grant_type": "refresh_token", "refresh_token": token})

    async def _post(self, form: dict) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
            return await http.post(f"{self.endpoint}/token", data=form, auth=(CLIENT, SECRET))
