"""Caller tokens: what identity signs and every service believes, for seconds.

The claims: sub, kind, name, purpose, purposes [words], teams [ids], facilities [ids], organizations [the id of each
facility's], roles {role: [indexes]}, permissions {permission: [indexes]}, where "*" is all of them, everywhere
[permissions]; acr and auth_time as the identity provider gave them, if it did.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from libs.chassis.caller import Caller, CallerKind, as_service
from libs.chassis.errors import Unauthenticated, Unavailable

if TYPE_CHECKING:
    from libs.chassis.services import ServiceKeys

ISSUER = "carehub-identity"
AUDIENCE = "carehub-internal"
TYPE = "caller+jwt"
SERVICE_TYPE = "service+jwt"
LEEWAY = 5
LONGEST_LIFE = 3600  # identity gives them seconds
LONGEST = 64 * 1024  # as much as channels carry in headers
_ALL = "*"
_REMEMBERED = 10_000
# A token that no key fits may be of a newer one: ask again, but not for every token of a stranger.
_REFETCH_SECONDS = 5.0


class CallerVerifier:
    """Turns a caller token into a Caller. Remembers what it verified, by hash, never past the token's end."""

    def __init__(
        self, fetch_keys: Callable[[], Awaitable[str]], services: "ServiceKeys | None" = None
    ) -> None:
        self._fetch_keys = fetch_keys
        self._services = services
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._fetching: asyncio.Task[None] | None = None
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._refused: dict[UUID, float] = {}

    def refuse(self, people: Iterable[UUID], until: float) -> None:
        """Believe nothing of them until then, whatever tokens they hold: for who was deactivated a moment ago."""
        self._refused = {i: end for i, end in self._refused.items() if end > time.time()}
        self._refused |= dict.fromkeys(people, until)

    async def verify(self, token: str) -> Caller:
        """The caller, or UNAUTHENTICATED."""
        if not token or len(token) > LONGEST:
            raise Unauthenticated("CALLER_MISSING", "Sign in first.")
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is None or known[0] <= time.time():
            known = self._known[digest] = await self._read(token)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        caller = known[1]
        if self._refused and self._refused.get(caller.subject, 0.0) > time.time():
            raise Unauthenticated("CALLER_DEACTIVATED", "The account was deactivated.")
        return caller

    async def _read(self, token: str) -> tuple[float, Caller]:
        """Until when to believe it, and whom: each sort of token by the keys of those who may sign it."""
        header = _header(token)
        if header.get("typ") == SERVICE_TYPE:
            return self._read_service(token, header)
        decoded = await self._decode(token, header)
        expires = _expires(decoded, TYPE, ISSUER)
        try:
            caller = to_caller(decoded.claims)
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            OverflowError,
            OSError,
        ) as error:
            raise _not_ours() from error
        if caller.kind is not CallerKind.PERSON:
            raise _not_ours()
        return expires, caller

    def _read_service(self, token: str, header: Mapping[str, Any]) -> tuple[float, Caller]:
        found = self._services.find(header.get("kid")) if self._services else None
        decoded = _decoded(token, found[1]) if found else None
        if found is None or decoded is None:
            raise _not_ours()
        return _expires(decoded, SERVICE_TYPE, found[0]), as_service(found[0])

    async def _decode(self, token: str, header: Mapping[str, Any]) -> jwt.Token:
        """Decode; with keys fetched anew, at most every few seconds, when the ones at hand do not fit."""
        if decoded := _decoded(token, self._keys):
            return decoded
        if self._keys is None or time.monotonic() - self._fetched_at > _REFETCH_SECONDS:
            await self.fetch(header.get("kid"))
            if decoded := _decoded(token, self._keys):
                return decoded
        raise _not_ours()

    async def fetch(self, wanted: object = None) -> None:
        """Fetch the keys, once for all who wait for them. Without any, or that one, nobody can be believed or refused."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch_once())
        try:
            await asyncio.shield(self._fetching)
        except Exception as error:
            known = [key.kid for key in self._keys.keys] if self._keys else None
            if known is None or (wanted and wanted not in known):
                raise Unavailable(
                    "CALLER_KEYS_AWAY", "Identity does not answer. Try again."
                ) from error

    async def _fetch_once(self) -> None:
        self._keys = KeySet.import_key_set(orjson.loads(await self._fetch_keys()))
        self._fetched_at = time.monotonic()


def _header(token: str) -> Mapping[str, Any]:
    """The header, not yet believed."""
    try:
        return jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _not_ours() from error


def _decoded(token: str, keys: KeySet | None) -> jwt.Token | None:
    if keys is None:
        return None
    try:
        return jwt.decode(token, keys, algorithms=["Ed25519"])
    except (JoseError, ValueError, TypeError, RecursionError):
        return None


def _expires(token: jwt.Token, kind: str, issuer: str) -> float:
    """Until when a token is believed that says what it should."""
    claims = token.claims
    fits = (
        token.header.get("typ") == kind
        and claims.get("iss") == issuer
        and claims.get("aud") == AUDIENCE
        and isinstance(claims.get("exp"), int)
    )
    # An integer of any size: compared before it becomes a float.
    if not fits or not 0 < claims["exp"] <= time.time() + LONGEST_LIFE:
        raise _not_ours()
    expires = float(claims["exp"]) + LEEWAY
    if expires <= time.time():
        raise Unauthenticated("CALLER_TOKEN_EXPIRED", "The caller token has ended.")
    return expires


def _not_ours() -> Unauthenticated:
    return Unauthenticated("CALLER_TOKEN_INVALID", "The caller token is not one of ours.")


def to_caller(claims: Mapping[str, Any]) -> Caller:
    """The caller that claims tell of."""
    facilities = [UUID(f) for f in claims["facilities"]]

    def at(places: Mapping[str, Sequence[int] | str]) -> dict[str, frozenset[UUID]]:
        all_of_them = frozenset(facilities)
        return {
            name: all_of_them if indexes == _ALL else frozenset(facilities[int(i)] for i in indexes)
            for name, indexes in places.items()
        }

    return Caller(
        subject=UUID(claims["sub"]),
        kind=CallerKind(claims["kind"]),
        name=claims["name"],
        roles=at(claims["roles"]),
        permissions=at(claims["permissions"]),
        purpose=claims["purpose"],
        everywhere=frozenset(claims.get("everywhere", ())),
        purposes=frozenset(claims.get("purposes", (claims["purpose"],))),
        teams=frozenset(UUID(team) for team in claims.get("teams", ())),
        organization_of={
            facility: UUID(organization)
            for facility, organization in zip(
                facilities, claims.get("organizations", ()), strict=False
            )
        },
        acr=str(claims.get("acr", "")),
        authenticated_at=datetime.fromtimestamp(claims["auth_time"], UTC)
        if "auth_time" in claims
        else None,
    )
