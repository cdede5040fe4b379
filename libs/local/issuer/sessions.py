"""What the issuer remembers between requests: open sign-ins, codes and refresh tokens.

All of it is in memory, ends by itself and has a bound; a restart signs everybody out.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from libs.local.issuer.errors import OAuthError

T = TypeVar("T")

MOST = 10_000
CODE_LIVES = 60
# A code is remembered for longer than it lives, to notice that somebody uses it again.
CODE_KEPT = 600
REFRESH_IDLES = 30 * 60
SESSION_LIVES = 12 * 60 * 60


class Shelf(Generic[T]):
    """Values under keys that nobody can guess; each for a while, the oldest dropped when full."""

    def __init__(self, *, keep: float, now: Callable[[], float], most: int = MOST) -> None:
        self._keep = keep
        self._now = now
        self._most = most
        self._values: OrderedDict[bytes, tuple[float, T]] = OrderedDict()

    def put(self, value: T) -> str:
        key = secrets.token_urlsafe(32)
        self._values[digest(key)] = (self._now() + self._keep, value)
        while len(self._values) > self._most:
            self._values.popitem(last=False)
        return key

    def get(self, key: str) -> T | None:
        # By the digest: how long the look-up takes says nothing about the key.
        ends, value = self._values.get(digest(key), (0.0, None))
        return value if self._now() < ends else None

    def drop(self, key: str) -> None:
        self._values.pop(digest(key), None)

    def drop_where(self, matches: Callable[[T], bool]) -> None:
        for key in [key for key, (_, value) in self._values.items() if matches(value)]:
            del self._values[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Who signed in, when, how, and for which client."""

    client_id: str
    subject: UUID
    scope: str
    nonce: str | None
    auth_time: int
    acr: str
    session: str


@dataclass(slots=True)
class _Code:
    sign_in: SignIn
    redirect_uri: str
    challenge: str
    ends: float
    is_spent: bool = False


@dataclass(slots=True)
class _Chain:
    """A refresh token and all that came before it: only the last one is good."""

    sign_in: SignIn
    last: bytes
    idle_from: float


class Sessions:
    """Codes become refresh tokens, refresh tokens become newer ones; each works once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._codes: Shelf[_Code] = Shelf(keep=CODE_KEPT, now=now)
        self._chains: Shelf[_Chain] = Shelf(keep=SESSION_LIVES, now=now)

    def add_code(self, sign_in: SignIn, *, redirect_uri: str, challenge: str) -> str:
        ends = self._now() + CODE_LIVES
        return self._codes.put(_Code(sign_in, redirect_uri, challenge, ends))

    def redeem(self, code: str, *, client_id: str, redirect_uri: str, verifier: str) -> SignIn:
        """Return the sign-in of a code. A code that was tried once, rightly or not, is spent."""
        found = self._codes.get(code)
        if found is None:
            raise OAuthError("invalid_grant", "The code is not valid.")
        if found.is_spent:
            self.end(found.sign_in.session)
            raise OAuthError("invalid_grant", "The code is not valid.")
        found.is_spent = True
        is_right = (
            self._now() < found.ends
            and found.sign_in.client_id == client_id
            and same(found.redirect_uri, redirect_uri)
            and same(found.challenge, challenge_of(verifier))
        )
        if not is_right:
            raise OAuthError("invalid_grant", "The code is not valid.")
        return found.sign_in

    def begin(self, sign_in: SignIn) -> str:
        """Return the first refresh token of a sign-in."""
        secret = secrets.token_urlsafe(32)
        chain = self._chains.put(_Chain(sign_in, digest(secret), self._now() + REFRESH_IDLES))
        return f"{chain}.{secret}"

    def refresh(self, token: str, *, client_id: str) -> tuple[SignIn, str]:
        """Exchange a refresh token for the next. One that was used before ends the session."""
        name, _, secret = token.partition(".")
        chain = self._chains.get(name)
        if chain is None or chain.sign_in.client_id != client_id:
            raise OAuthError("invalid_grant", "The refresh token is not valid.")
        if not hmac.compare_digest(chain.last, digest(secret)) or self._now() >= chain.idle_from:
            self._chains.drop(name)
            raise OAuthError("invalid_grant", "The refresh token is not valid.")
        following = secrets.token_urlsafe(32)
        chain.last = digest(following)
        chain.idle_from = self._now() + REFRESH_IDLES
        return chain.sign_in, f"{name}.{following}"

    def end(self, session: str) -> None:
        self._chains.drop_where(lambda chain: chain.sign_in.session == session)

    def end_by_token(self, token: str, *, client_id: str) -> None:
        chain = self._chains.get(token.partition(".")[0])
        if chain is not None and chain.sign_in.client_id == client_id:
            self.end(chain.sign_in.session)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def same(one: str, other: str) -> bool:
    """Compare in a time that does not tell where two texts differ, or that one is longer."""
    return hmac.compare_digest(digest(one), digest(other))


def challenge_of(verifier: str) -> str:
    """Return the PKCE challenge of a verifier, by S256."""
    return urlsafe_b64encode(digest(verifier)).rstrip(b"=").decode()
