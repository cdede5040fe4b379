"""The OpenID provider as a client sees it: discovery, keys, tokens. Any will do; Keycloak in production."""

import asyncio
import base64
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gateway.api.step_up import Level

ALGORITHMS = ("RS256", "ES256", "PS256")
LEEWAY = 30
REDISCOVER_AFTER = 3600.0
REFETCH_KEYS_AFTER = 30.0
RETRY_KEYS_AFTER = 1.0
LONGEST_ID_TOKEN = 16 * 1024

_log = logging.getLogger(__name__)


class ProviderAway(Exception):
    """The provider cannot be reached, or answers with something else than OpenID."""


class ProviderRefused(Exception):
    """The provider said no, or what it said does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """As what the gateway is known to the provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    after_sign_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The answer of the token endpoint."""

    access_token: str = field(repr=False)
    access_ends_at: float
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)


class Provider:
    """Speaks to the provider. Keys are never forgotten, only replaced; a flood of unknown ones costs nothing."""

    def __init__(
        self, client: Client, http: httpx.AsyncClient, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._http = http
        self._now = now
        self._metadata: Mapping[str, Any] = {}
        self._discovered_at = -REDISCOVER_AFTER
        self._keys = KeySet([])
        self._fetching: asyncio.Task[None] | None = None
        self._refetch_at = 0.0

    async def authorization_url(
        self, *, state: str, nonce: str, challenge: str, level: Level | None = None
    ) -> str:
        metadata = await self._discover()
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        more = level.asked if level else {}
        return _with_query(metadata["authorization_endpoint"], {**asked, **more})

    async def redeem(self, code: str, verifier: str) -> Tokens:
        return await self._tokens(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._client.redirect_uri,
                "code_verifier": verifier,
            }
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def sign_out_url(self, id_token: str) -> str:
        """Return where to send the browser so that the provider's session ends as well."""
        endpoint = (await self._discover()).get("end_session_endpoint")
        if not endpoint:
            return self._client.after_sign_out
        asked = {
            "id_token_hint": id_token,
            "client_id": self._client.client_id,
            "post_logout_redirect_uri": self._client.after_sign_out,
        }
        return _with_query(endpoint, asked)

    async def verify_id_token(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token of this provider, for this client and this sign-in."""
        if len(token) > LONGEST_ID_TOKEN:
            raise ProviderRefused("ID_TOKEN_TOO_LONG")
        keys = await self._keys_for(token)
        wanted = jwt.JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._client.issuer},
            aud={"essential": True, "value": self._client.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims: dict[str, Any] = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            wanted.validate(claims)
        except (JoseError, ValueError) as error:
            raise ProviderRefused(type(error).__name__) from None
        if claims.get("azp", self._client.client_id) != self._client.client_id:
            raise ProviderRefused("OTHER_PARTY")
        return claims

    async def _discover(self) -> Mapping[str, Any]:
        now = self._now()
        if self._metadata and now - self._discovered_at < REDISCOVER_AFTER:
            return self._metadata
        url = f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = _checked(await self._json("GET", url), self._client.issuer)
        except (ProviderAway, ProviderRefused) as error:  # a no to this question is said to nobody
            if not self._metadata:
                raise ProviderAway(str(error)) from None
            _log.warning("discovery failed", extra={"reason": "KEEPING_WHAT_IS_KNOWN"})
            found = self._metadata
        self._metadata, self._discovered_at = found, now
        return found

    async def _keys_for(self, token: str) -> KeySet:
        kid = _kid_of(token)
        if not self._has(kid):
            await self._fetch_keys()
            if not self._has(kid):
                raise ProviderRefused("UNKNOWN_KEY")
        return self._keys

    def _has(self, kid: str) -> bool:
        return any(key.kid == kid for key in self._keys.keys)

    async def _fetch_keys(self) -> None:
        """Fetch the keys, once for all who wait for them; until it is time for another try, the last one counts."""
        task = self._fetching
        if task is None or (task.done() and self._now() >= self._refetch_at):
            task = self._fetching = asyncio.create_task(self._fetch_keys_once())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(task)

    async def _fetch_keys_once(self) -> None:
        wait = RETRY_KEYS_AFTER
        try:
            fetched = await self._json("GET", (await self._discover())["jwks_uri"])
            self._keys = KeySet.import_key_set({"keys": _usable(fetched)})
            wait = REFETCH_KEYS_AFTER
        except ProviderRefused as error:
            raise ProviderAway(str(error)) from None  # it refused us, not whoever signs in
        except (JoseError, ValueError, KeyError, TypeError):
            raise ProviderAway("KEYS_UNREADABLE") from None
        finally:
            self._refetch_at = self._now() + wait

    async def _tokens(self, form: Mapping[str, str]) -> Tokens:
        metadata = await self._discover()
        name, secret = self._client.client_id, self._client.client_secret
        basic = base64.b64encode(f"{quote(name, safe='')}:{quote(secret, safe='')}".encode())
        headers = {"Authorization": f"Basic {basic.decode()}"}
        answer = await self._json("POST", metadata["token_endpoint"], form, headers)
        try:
            return Tokens(
                access_token=str(answer["access_token"]),
                access_ends_at=self._now() + float(answer.get("expires_in", 60)),
                refresh_token=str(answer.get("refresh_token", "")),
                id_token=str(answer.get("id_token", "")),
            )
        except (KeyError, TypeError, ValueError):
            raise ProviderAway("TOKENS_UNREADABLE") from None

    async def _json(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        try:
            response = await self._http.request(method, url, data=form, headers=headers)
            answer = orjson.loads(response.content)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderAway(type(error).__name__) from None
        if not isinstance(answer, dict) or response.status_code >= 500:
            raise ProviderAway("UNEXPECTED_ANSWER")
        if response.status_code >= 400:
            raise ProviderRefused(str(answer.get("error", response.status_code))[:64])
        return answer


def _checked(metadata: Mapping[str, Any], issuer: str) -> Mapping[str, Any]:
    """Return discovered metadata if it is the issuer's own and leads nowhere in the clear."""
    if metadata.get("issuer") != issuer:
        raise ProviderAway("OTHER_ISSUER")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        url = metadata.get(name)
        if url is None and name == "end_session_endpoint":
            continue
        parts = urlsplit(url if isinstance(url, str) else "")
        if parts.scheme != "https" and not is_loopback(parts.hostname):
            raise ProviderAway("ENDPOINT_IN_THE_CLEAR")
    return metadata


def _usable(fetched: Mapping[str, Any]) -> list[Any]:
    """Return the public keys for signatures; others may be of kinds that we do not read."""
    return [
        key
        for key in fetched["keys"]
        if isinstance(key, dict)
        and key.get("kty") in {"RSA", "EC"}
        and key.get("use", "sig") == "sig"
        and "kid" in key
    ]


def _kid_of(token: str) -> str:
    head = token.partition(".")[0]
    try:
        kid = orjson.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    except (ValueError, KeyError, TypeError):
        raise ProviderRefused("ID_TOKEN_UNREADABLE") from None
    return str(kid)


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _with_query(url: str, asked: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}"
