"""Methods that need more than a first sign-in: how sure, and how long ago (RFC 9470, step-up authentication)."""

import base64
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.api.problems import Problem

# The provider's clock may be a little ahead of ours.
LEEWAY = 30.0
# From confirming at the provider to being back here.
WAY_BACK = 60.0
ACR = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_RULE = re.compile(rf"(?P<method>\w+)=(?P<acr>{ACR.pattern})/(?P<seconds>[1-9]\d{{0,5}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How somebody has to be signed in: the level (acr) of the sign-in, and its age in seconds if that matters."""

    acr: str
    max_age: int | None = None
    now: Callable[[], float] = time.time

    @property
    def asked(self) -> Mapping[str, str]:
        """What the provider is asked for. It may do less: look at what it answers."""
        age = {} if self.max_age is None else {"max_age": str(self.max_age)}
        return {"acr_values": self.acr, **age}

    def is_met_by(self, claims: Mapping[str, Any], *, slack: float = 0.0) -> bool:
        return reaches(claims.get("acr"), self.acr) and self._is_fresh(
            claims.get("auth_time"), slack
        )

    def _is_fresh(self, signed_in_at: object, slack: float) -> bool:
        if self.max_age is None:
            return True
        if not isinstance(signed_in_at, int):
            return False
        age = self.now() - signed_in_at
        return -LEEWAY <= age <= self.max_age + slack

    def check(self, access_token: str) -> None:
        """Raise the Problem that sends a person to /signin, unless the token shows what is needed.

        The token is one that identity has just taken: its claims can be believed.
        """
        if not self.is_met_by(_claims_of(access_token)):
            raise self._problem()

    def _problem(self) -> Problem:
        # 403, not the 401 of the RFC: of a 401 our own pages conclude that the session has ended.
        challenge = (
            'Bearer error="insufficient_user_authentication", '
            f'acr_values="{self.acr}", max_age="{self.max_age}"'
        )
        return Problem(
            403,
            "STEP_UP_REQUIRED",
            "Confirm that it is you, then do it again.",
            metadata={"acr": self.acr, "max_age": str(self.max_age)},
            headers={"WWW-Authenticate": challenge},
        )


def read_levels(text: str, methods: Iterable[str]) -> Mapping[str, Level]:
    """Return the levels of methods from `Method=acr/seconds Method=acr/seconds`."""
    known = set(methods)
    levels: dict[str, Level] = {}
    for rule in text.replace(",", " ").split():
        found = _RULE.fullmatch(rule)
        if found is None:
            raise ValueError(f"step_up is Method=acr/seconds, not {rule!r}")
        if found["method"] not in known:
            raise ValueError(f"step_up names {found['method']}, which no contract has")
        levels[found["method"]] = Level(acr=found["acr"], max_age=int(found["seconds"]))
    return levels


def wanted_level(query: Mapping[str, str]) -> Level | None:
    """Return the level that a link to /signin asks for: `acr=2&max_age=300`, or none."""
    acr, age = query.get("acr", ""), query.get("max_age", "")
    if not ACR.fullmatch(acr):
        return None
    return Level(acr=acr, max_age=int(age) if re.fullmatch("[0-9]{1,6}", age) else None)


def reaches(acr: object, wanted: str) -> bool:
    """Say whether a sign-in is as good as wanted. Numbers are levels in order; other names have none."""
    if isinstance(acr, str) and acr.isdecimal() and wanted.isdecimal():
        return int(acr) >= int(wanted)
    return acr == wanted


def _claims_of(access_token: str) -> Mapping[str, Any]:
    try:
        payload = access_token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
