"""An OpenID provider that lives in a test, and can be told to misbehave."""

import asyncio
import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

CLIENT = "carehub-web"
SECRET = "not-a-secret-in-tests"


@dataclass
class OpenIdProvider:
    issuer: str
    key: RSAKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
    )
    published: list[RSAKey] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    lives: float = 300
    is_away: bool = False
    keys_status: int = 200
    discovery_status: int = 200
    fetched_keys: int = 0
    refreshed: int = 0
    counter: int = 0
    # Answers may be held back: a refresh token is spent before, and the keys are read after.
    has_taken: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    def approve(self, location: str) -> str:
        """What a person does at the sign-in page: returns the query that the browser comes back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        self.counter += 1
        code = f"code-{self.counter}"
        self.codes[code] = asked
        return f"code={code}&state={asked['state']}"

    def app(self) -> Starlette:
        base = urlsplit(self.issuer).path
        return Starlette(
            routes=[
                Route(f"{base}/.well-known/openid-configuration", self._discovery),
                Route(f"{base}/certs", self._certs),
                Route(f"{base}/token", self._token, methods=["POST"]),
            ]
        )

    async def _discovery(self, _: Request) -> JSONResponse:
        status = 503 if self.is_away else self.discovery_status
        if status != 200:
            return JSONResponse({"error": "Realm does not exist"}, status)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/certs",
                "end_session_endpoint": f"{self.issuer}/logout",
                **self.metadata,
            }
        )

    async def _certs(self, _: Request) -> JSONResponse:
        self.fetched_keys += 1
        self.has_taken.set()
        await self.may_answer.wait()
        if self.keys_status != 200:
            return JSONResponse({}, self.keys_status)
        keys = self.published or [self.key]
        return JSONResponse(KeySet(keys).as_dict(private=False))

    async def _token(self, request: Request) -> JSONResponse:
        if self.is_away:
            return JSONResponse({}, 503)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers["authorization"] != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 401)
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        if form["grant_type"] == "refresh_token":
            answer = self._refresh(form["refresh_token"])
            self.has_taken.set()
            await self.may_answer.wait()
            return JSONResponse({}, 503) if self.is_away else answer
        return self._redeem(form)

    def _refresh(self, token: str) -> JSONResponse:
        if token not in self.refresh_tokens:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.refresh_tokens.discard(token)
        self.refreshed += 1
        return JSONResponse(self._answer(""))

    def _redeem(self, form: dict[str, str]) -> JSONResponse:
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(self._answer(asked["nonce"]))

    def _answer(self, nonce: str) -> dict[str, Any]:
        self.counter += 1
        refresh = f"refresh-{self.counter}"
        self.refresh_tokens.add(refresh)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "nurse-1",
            "name": "Nadia Nurse",
            "iat": now,
            "exp": now + 300,
            **({"nonce": nonce} if nonce else {}),
            **self.claims,
        }
        id_token = jwt.encode(
            {"alg": "RS256", "kid": self.key.kid},
            {name: value for name, value in claims.items() if value is not None},
            self.key,
        )
        return {
            "access_token": f"access-{self.counter}",
            "expires_in": self.lives,
            "refresh_token": refresh,
            "id_token": id_token,
            "token_type": "Bearer",
        }
