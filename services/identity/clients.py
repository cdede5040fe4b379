"""What identity asks of the identity provider: its keys, and whether a token is one of its own."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from libs.chassis.errors import Unauthenticated, Unavailable
from services.identity.domain.token import SignedIn

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256")
AUDIENCE = "carehub"
LONGEST_TOKEN = 8 * 1024
LEEWAY = timedelta(seconds=30)
# A provider that signs tokens for longer is set up wrongly, or is not the one that signed this one.
LONGEST_LIFE = timedelta(hours=24)

# For the whole process: whoever floods us with unknown key ids does not flood the provider.
REFETCH_SECONDS = 30.0
# Nothing can be verified before the first success, so it is tried more often until then.
FIRST_FETCH_SECONDS = 1.0
REFRESH_SECONDS = 600.0
_FETCH_TIMEOUT = 3.0
_LARGEST_ANSWER = 256 * 1024
_KINDS: Mapping[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
_DISCOVERY = "/.well-known/openid-configuration"


class IssuerKeys:
    """The provider's public keys by id. Never emptied: the last good set stays until there is a better one."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        issuer: str,
        jwks_uri: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._jwks_uri = jwks_uri
        self._clock = clock
        self._keys: Mapping[str, Key] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> Key:
        """The key. UNAUTHENTICATED if the provider has no such key, UNAVAILABLE if it never answered."""
        if key_id not in self._keys:
            if fetching := self._fetch_soon():
                # Whoever gives up waiting does not end it for the others.
                await asyncio.shield(fetching)
        elif self._clock() - self._fetched_at >= REFRESH_SECONDS:
            # Nobody waits for it: a key that was withdrawn is gone for the next token.
            self._fetch_soon()
        if key := self._keys.get(key_id):
            return key
        if not self._keys:
            raise Unavailable("ISSUER_AWAY", "The identity provider does not answer. Try again.")
        raise Unauthenticated("TOKEN_KEY_UNKNOWN", "The access token is not one of ours.")

    def _fetch_soon(self) -> "asyncio.Task[None] | None":
        """The fetch that is under way, or a new one; None if the last one was a moment ago."""
        if self._fetching is None or self._fetching.done():
            if not self._may_fetch():
                return None
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch(), name="issuer-keys")
        return self._fetching

    def _may_fetch(self) -> bool:
        pause = REFETCH_SECONDS if self._keys else FIRST_FETCH_SECONDS
        return self._clock() - self._tried_at >= pause

    async def _fetch(self) -> None:
        try:
            fetched = _signing_keys(await self._get(await self._where()))
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("issuer keys not fetched", extra={"reason": type(error).__name__})
            return
        if fetched:
            self._keys, self._fetched_at = fetched, self._tried_at

    async def _where(self) -> str:
        """Where the keys are: told, or asked of the provider."""
        if not self._jwks_uri:
            found = await self._get(self._issuer.rstrip("/") + _DISCOVERY)
            if found["issuer"] != self._issuer:
                raise ValueError("the discovery document is another issuer's")
            self._jwks_uri = str(found["jwks_uri"])
        return self._jwks_uri

    async def _get(self, url: str) -> Any:
        answer = await self._http.get(url, timeout=_FETCH_TIMEOUT)
        answer.raise_for_status()
        if len(answer.content) > _LARGEST_ANSWER:
            raise ValueError("the answer is too large")
        return answer.json()


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Tells access tokens of our identity provider from everything else."""

    issuer: str
    keys: IssuerKeys
    now: Callable[[], datetime]

    async def verify(self, token: str) -> SignedIn:
        """Who signed in, and until when. UNAUTHENTICATED for any other token."""
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("TOKEN_TOO_LONG", "An access token has at most 8 KiB.")
        header = _header(token)
        key = await self.keys.find(header["kid"])
        try:
            claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise _not_ours() from error
        if not self._is_for_us(header, claims):
            raise _not_ours()
        return self._signed_in(claims)

    def _is_for_us(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        return (
            claims.get("iss") == self.issuer
            and AUDIENCE in audiences
            and _is_access_token(header, claims)
        )

    def _signed_in(self, claims: Mapping[str, Any]) -> SignedIn:
        """`now` may be a little before the provider's clock; after its end a token is worth nothing."""
        try:
            subject = UUID(str(claims["sub"]))
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
            begins_at = datetime.fromtimestamp(claims.get("nbf", claims.get("iat", 0)), UTC)
            since = claims.get("auth_time")
            authenticated_at = None if since is None else datetime.fromtimestamp(since, UTC)
        except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
            raise _not_ours() from error
        if expires_at <= self.now():
            raise Unauthenticated("TOKEN_EXPIRED", "The access token has ended.")
        if begins_at > self.now() + LEEWAY or expires_at > self.now() + LONGEST_LIFE:
            raise _not_ours()
        marks = (claims.get(name) for name in ("sid", "auth_time", "jti", "iat"))
        session = str(next(filter(None, marks), ""))
        return SignedIn(
            subject=subject,
            expires_at=expires_at,
            session=session,
            acr=str(claims.get("acr", "")),
            authenticated_at=authenticated_at,
        )


def _header(token: str) -> Mapping[str, Any]:
    """The header, not yet believed, of a token that could be one of ours."""
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _not_ours() from error
    if header.get("alg") not in ALGORITHMS:
        raise Unauthenticated("TOKEN_ALGORITHM", "The access token is not signed as it should be.")
    if not isinstance(header.get("kid"), str):
        raise _not_ours()
    return header


def _is_access_token(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """RFC 9068 says it in the header, Keycloak in a claim. An ID token says neither."""
    if claims.get("typ", "Bearer") != "Bearer":
        return False
    is_marked = str(header.get("typ", "")).lower() in {"at+jwt", "application/at+jwt"}
    return is_marked or claims.get("typ") == "Bearer"


def _signing_keys(answer: Any) -> dict[str, Key]:
    """The keys of a set that may sign. Others are passed over: a provider may also publish keys to encrypt with."""
    keys: dict[str, Key] = {}
    for entry in answer["keys"]:
        kind = _KINDS.get(str(entry.get("kty"))) if isinstance(entry, dict) else None
        if kind is not None and entry.get("kid") and entry.get("use", "sig") == "sig":
            with contextlib.suppress(JoseError, ValueError):
                keys[str(entry["kid"])] = kind.import_key(entry)
    return keys


def _not_ours() -> Unauthenticated:
    return Unauthenticated("TOKEN_INVALID", "The access token is not one of ours.")
