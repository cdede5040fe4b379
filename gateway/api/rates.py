"""Rate limits, in memory: so many a second, and a burst (the generic cell rate algorithm).

The library `limits` was measured and left out: its memory storage starts a thread for most requests (0.2 ms) and
keeps every hit; this keeps one number per key.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from gateway.api.problems import Problem

MOST_KEYS = 20_000
_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Rate:
    """What one key may do: `burst` at once, then `per_second`."""

    name: str
    per_second: float
    burst: int


class Limiter:
    """Counts keys against a rate. Of too many keys it forgets the ones that were quiet the longest."""

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._now = now
        self._interval = 1 / rate.per_second
        self._slack = self._interval * (rate.burst - 1)
        # When each key will have paid for what it did.
        self._paid_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one request, or raise the Problem that says when to come back."""
        now = self._now()
        paid_at = max(self._paid_at.get(key, now), now)
        wait = paid_at - now - self._slack
        # A nanosecond of tolerance for sums of floats.
        if wait > 1e-9:
            raise self._too_many(wait)
        self._paid_at[key] = paid_at + self._interval
        self._paid_at.move_to_end(key)
        if len(self._paid_at) > MOST_KEYS:
            self._paid_at.popitem(last=False)

    def _too_many(self, wait: float) -> Problem:
        rate, seconds = self._rate, math.ceil(wait)
        window = math.ceil(rate.burst / rate.per_second)
        return Problem(
            429,
            "RATE_LIMITED",
            f"More than {rate.per_second:g} requests a second. Nothing was done; try again later.",
            metadata={"limit": rate.name},
            headers={
                "Retry-After": str(seconds),
                "RateLimit-Policy": f'"{rate.name}";q={rate.burst};w={window}',
                "RateLimit": f'"{rate.name}";r=0;t={seconds}',
            },
        )


def address_key(address: str) -> str:
    """Return what counts as one address: of IPv6 the /64 that one customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> _PREFIX << _PREFIX))
    return address
