"""Access tokens of the identity provider become caller tokens of identity, remembered while they last."""

import asyncio
import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_service_pb2

from gateway.api.problems import Problem, from_call, unauthenticated
from libs.chassis.channels import Channels
from libs.chassis.guard import CLIENT_ADDRESS
from libs.chassis.wire import CallFailed

LONGEST_TOKEN = 8 * 1024
MOST_TOKENS = 10_000
REFUSED_FOR = 1.0
REFRESH_AFTER = 0.8
# A call that starts with a token should not see its end.
MARGIN = 1.0

Wanted = identity_service_pb2.ExchangeTokenRequest

_EXCHANGE = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"].methods_by_name[
    "ExchangeToken"
]


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """A caller token, when it ends, and whose it is: a subject to count by, not to decide by."""

    token: str
    subject: str
    refresh_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Refusal:
    problem: Problem
    until: float


class Callers:
    """Exchanges each access token once for as long as the answer lasts, however many requests carry it."""

    def __init__(self, channels: Channels, now: Callable[[], float] = time.time) -> None:
        self._channels = channels
        self._now = now
        self._known: OrderedDict[bytes, KnownCaller] = OrderedDict()
        self._refused: OrderedDict[bytes, _Refusal] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Task[KnownCaller]] = {}

    async def caller(
        self,
        access_token: str,
        admit: Callable[[], None],
        address: str = "",
        purpose: "access_pb2.Purpose.ValueType" = access_pb2.PURPOSE_TREATMENT,
    ) -> KnownCaller:
        """Return the caller of an access token, or raise a Problem.

        `admit` is asked before a token that was never good is brought to identity; `address` is for its ledger.
        """
        if len(access_token) > LONGEST_TOKEN:
            raise unauthenticated("The access token is too long.", reason="TOKEN_TOO_LONG")
        # One person asks for one thing with one token and for another with another: each is remembered by itself.
        digest = hashlib.sha256(f"{purpose} {access_token}".encode()).digest()
        wanted = Wanted(access_token=access_token, purpose=purpose)
        known = self._known.get(digest)
        now = self._now()
        if known and now < known.ends_at:
            self._known.move_to_end(digest)
            if now >= known.refresh_at:
                _ = self._exchange_once(digest, wanted, address)  # the next one has it
            return known
        if known is None:
            admit()
            self._raise_if_refused(digest, now)
        # Shielded: one request that gives up must not take the others' answer away.
        return await asyncio.shield(self._exchange_once(digest, wanted, address))

    def _raise_if_refused(self, digest: bytes, now: float) -> None:
        refused = self._refused.get(digest)
        if refused and now < refused.until:
            raise refused.problem

    def _exchange_once(
        self, digest: bytes, wanted: Wanted, address: str
    ) -> asyncio.Task[KnownCaller]:
        task = self._under_way.get(digest)
        if task is None:
            task = asyncio.create_task(self._exchange(digest, wanted, address))
            self._under_way[digest] = task
            task.add_done_callback(lambda done: self._finish(digest, done))
        return task

    def _finish(self, digest: bytes, done: "asyncio.Task[KnownCaller]") -> None:
        self._under_way.pop(digest, None)
        if not done.cancelled():
            done.exception()  # a refresh that nobody waits for may fail unheard

    async def _exchange(self, digest: bytes, wanted: Wanted, address: str) -> KnownCaller:
        try:
            metadata = {CLIENT_ADDRESS: address} if address else None
            answer = await self._channels.call(_EXCHANGE, wanted, metadata=metadata)
        except CallFailed as failed:
            problem = from_call(failed)
            if problem.status == 401:
                self._known.pop(digest, None)
                self._refused[digest] = _Refusal(problem, self._now() + REFUSED_FOR)
                _trim(self._refused)
            raise problem from None
        if not isinstance(answer, identity_service_pb2.ExchangeTokenResponse):
            raise TypeError("identity answered with another message")
        known = self._remember(answer)
        self._known[digest] = known
        self._known.move_to_end(digest)
        _trim(self._known)
        return known

    def _remember(self, answer: identity_service_pb2.ExchangeTokenResponse) -> KnownCaller:
        now = self._now()
        ends_at = answer.expire_time.seconds + answer.expire_time.nanos / 1e9 - MARGIN
        refresh_at = now + (ends_at - now) * REFRESH_AFTER
        return KnownCaller(
            answer.caller_token, subject_of(answer.caller_token), refresh_at, ends_at
        )


def _trim(remembered: "OrderedDict[bytes, KnownCaller] | OrderedDict[bytes, _Refusal]") -> None:
    while len(remembered) > MOST_TOKENS:
        remembered.popitem(last=False)


def subject_of(caller_token: str) -> str:
    """Return the subject of a token that identity has just made; the services verify it, not the gateway."""
    try:
        payload = caller_token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, TypeError, ValueError):
        return hashlib.sha256(caller_token.encode()).hexdigest()
