"""What a story is played on: the running hub, its people's accounts, its clock, and the patience to wait for evidence."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from libs.chassis import ids
from libs.local.client import FreshToken
from libs.local.clock import VARIABLE, ClockNotMoved, ahead_of, move
from libs.local.send import NotAnswered, send

T = TypeVar("T")
Say = Callable[[str], None]
PATIENCE = 60.0
_AGAIN, _TRIES = 0.2, 4


async def _no_rest() -> None:
    """For whoever looks at everything afterwards."""


class StoryBroke(RuntimeError):
    """Something did not come true; the message says in which step, and what."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """The hub, as the story's people meet it. `env` is what its processes are told."""

    env: Mapping[str, str]
    client: httpx.AsyncClient
    say: Say
    # Until whoever looks at a step has seen enough.
    rest: Callable[[], Awaitable[None]] = _no_rest
    step: str = "before the first step"
    _ahead: Callable[[], timedelta] | None = None
    _tokens: dict[str, FreshToken] = field(default_factory=dict)

    def now(self) -> datetime:
        """What time it is in the hub."""
        if self._ahead is None:
            if VARIABLE not in self.env:
                raise ClockNotMoved("the hub here is no demo: nothing is played on people's care")
            self._ahead = ahead_of(Path(self.env[VARIABLE]))
        return ids.now() + self._ahead()

    def forward_to(self, at: datetime) -> None:
        """Let the hub's time pass until then; it never goes back."""
        if (by := at - self.now()) > timedelta():
            move(self.env, by)

    def forward(self, **by: float) -> None:
        move(self.env, timedelta(**by))

    async def ask(self, account: str, method: str, path: str, **options: Any) -> Any:
        """A request of one of the demo's people; what is refused breaks the story."""
        issuer = self.env["GATEWAY_ISSUER"]
        auth = self._tokens.setdefault(account, FreshToken(issuer, account))
        for _ in range(_TRIES):
            response = await self.client.request(method, path, auth=auth, **options)
            if response.status_code == httpx.codes.UNAUTHORIZED:
                await auth.renew()
            elif response.status_code != httpx.codes.CONFLICT:  # somebody, or a clock, was faster
                break
        self.check(
            response.status_code == httpx.codes.OK,
            f"{account} may {method} {path} (it answered {response.status_code} {_reason(response)})",
        )
        return response.json()

    async def get(self, account: str, path: str, **params: Any) -> Any:
        return await self.ask(account, "GET", path, params=params)

    async def post(self, account: str, path: str, **body: Any) -> Any:
        return await self.ask(account, "POST", path, json=body)

    async def patch(self, account: str, path: str, **body: Any) -> Any:
        return await self.ask(account, "PATCH", path, json=body)

    async def hear(self, *messages: bytes) -> None:
        """What facilities' systems send; everything has to be accepted."""
        host, port = self.env["INTEROP_MLLP_HOST"], int(self.env["INTEROP_MLLP_PORT"])
        try:
            answers = [answer async for answer in send(host, port, messages)]
        except (OSError, NotAnswered) as error:
            raise StoryBroke(f"{self.step}: no acknowledgement at {host}:{port}") from error
        for answer in answers:
            self.check(
                answer.code == "AA" and not answer.text, f"it is AA ({answer.code} {answer.text})"
            )

    async def until(self, what: str, found: Callable[[], Awaitable[T | None]]) -> T:
        """What is found at last. The evidence counts, not the time; but patience ends."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if (it := await found()) is not None:
                return it
            await asyncio.sleep(_AGAIN)
        raise StoryBroke(f"{self.step}: not within {PATIENCE:.0f} seconds: {what}")

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            raise StoryBroke(f"{self.step}: not so: {what}")

    async def begin(self, title: str, local: Callable[[datetime], datetime]) -> None:
        self.step = title
        self.say(f"\n{title}   [{local(self.now()):%A, %B %-d, %H:%M}]")

    def tell(self, *lines: str) -> None:
        for line in lines:
            self.say(f"   {line}")

    async def look(self, path: str, account: str, what: str) -> None:
        """Say where in the console it can be seen, and leave time to look."""
        self.say(f"   → {self.env['GATEWAY_PUBLIC_URL']}{path}   as {account}: {what}")
        await self.rest()


def _reason(response: httpx.Response) -> str:
    if "json" not in response.headers.get("content-type", ""):
        return ""
    problem = response.json()
    return f"{problem.get('reason', '')}: {problem.get('detail', '')}"
