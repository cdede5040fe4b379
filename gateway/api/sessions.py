"""Sessions of browsers, kept on the server: the browser holds a random cookie and never a token.

In the memory of this process, with bounds: a restart signs everybody out, and a second gateway needs either sticky
connections or another keeper behind these few methods.
"""

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gateway.api.step_up import Level

IDLE = 15 * 60.0
ABSOLUTE = 12 * 3600.0
FLOW_TAKES = 10 * 60.0
MOST = 10_000

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Session:
    """One signed-in browser."""

    name: str
    access_token: str = field(repr=False)
    access_ends_at: float
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)
    # The last exchange of the refresh token: under way, or over.
    refreshing: "asyncio.Task[None] | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sign-in under way: what must come back from the provider, and to which browser."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next: str
    level: Level | None = None


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T
    began_at: float
    used_at: float


class Keeper(Generic[T]):
    """Keeps values under secrets it makes itself and knows only by their hash; each has an end.

    Of too many it drops the one that was not used the longest.
    """

    def __init__(
        self, *, idle: float, absolute: float, now: Callable[[], float] = time.time
    ) -> None:
        self._idle = idle
        self._absolute = absolute
        self._now = now
        self._kept: OrderedDict[bytes, _Kept[T]] = OrderedDict()

    def add(self, value: T, secret: str = "") -> str:
        secret = secret or secrets.token_urlsafe(32)
        now = self._now()
        self._kept[_hash(secret)] = _Kept(value, now, now)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return secret

    def use(self, secret: str, *, is_use: bool = True) -> T | None:
        """Return a value and count this as use (or not), unless its time is over."""
        key = _hash(secret)
        kept = self._kept.get(key)
        if kept is None:
            return None
        now = self._now()
        if now - kept.used_at > self._idle or now - kept.began_at > self._absolute:
            del self._kept[key]
            return None
        if is_use:
            kept.used_at = now
            self._kept.move_to_end(key)
        return kept.value

    def take(self, secret: str) -> T | None:
        """Return a value for the last time."""
        value = self.use(secret)
        self._kept.pop(_hash(secret), None)
        return value


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
