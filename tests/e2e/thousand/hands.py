"""The hands of everybody in the thousand: messages that are sent until they are acknowledged, requests that are repeated with their key."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

import httpx

from libs.simulator.stories import somebody as messages
from tests.e2e.region import Region

_AT_ONCE = 12
# Nobody's fault, or nobody knows whether it was done: the same again, with the same key.
_AGAIN = frozenset({409, 429, 500, 503, 504})
_TRIES = 400
_NO_CHANGE = ":search"


@dataclass(slots=True)
class Ledger:
    """Whose minutes are spoken for: nobody works twice at once, if they can help it."""

    _until: dict[str, datetime] = field(default_factory=dict)
    _told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, account: str, now: datetime, minutes: int) -> dict[str, Any] | None:
        """Minutes of somebody up to now, if they have so many left since the last ones."""
        now = now.replace(microsecond=0)
        begin = max(self._until.get(account, now - timedelta(hours=4)), now - timedelta(hours=4))
        end = begin + timedelta(minutes=minutes)
        if end > now:
            return None
        self._until[account] = end
        return {"startTime": begin.isoformat(), "endTime": end.isoformat()}

    def tell(self, account: str, spent: dict[str, Any]) -> None:
        self._told[account] = spent

    def told(self, account: str) -> dict[str, Any] | None:
        """Minutes of somebody that are in the hub's ledger."""
        return self._told.get(account)


class Hands:
    """What anybody does with the hub, whatever happens to it. `chance` decides what is done twice."""

    def __init__(self, region: Region, chance: random.Random, name: str) -> None:
        self._region, self._chance, self._name = region, chance, name
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._lines = asyncio.Semaphore(6)
        self.ledger = Ledger()
        self.counted: dict[str, int] = {}

    def count(self, what: str) -> None:
        self.counted[what] = self.counted.get(what, 0) + 1

    async def hear(self, *sent: bytes) -> None:
        """Send messages in this order, some of them twice, until each is acknowledged."""
        for message in sent:
            await self._hear(message)
            # By what it says, so that the same messages are repeated in every run of a seed.
            body = message.partition(b"\r")[2]
            draw = random.Random(f"{self._name}|{crc32(body)}").random()
            if draw < 0.08:
                await self._hear(message)
                self.count("messages repeated")
            elif draw < 0.13:
                await self._hear(messages.again(message))
                self.count("messages sent anew")

    async def _hear(self, message: bytes) -> None:
        for _ in range(_TRIES):
            try:
                async with self._lines:
                    if await self._region.send(message) == ["AA"]:
                        self.count("messages")
                        return
            except (OSError, EOFError, TimeoutError):
                pass
            self.count("messages tried in vain")
            await asyncio.sleep(0.1)  # as senders do before they dial again
        raise AssertionError("nobody acknowledges")

    async def get(self, account: str, path: str, **params: Any) -> Any:
        return (await self._ask(account, "GET", path, params=params)).json()

    async def post(self, account: str, path: str, **body: Any) -> Any:
        """Do something that has to be possible."""
        response = await self.tried(account, "POST", path, **body)
        assert response.status_code == 200, f"{path}: {response.text}"
        return response.json()

    async def tried(self, account: str, method: str, path: str, **body: Any) -> httpx.Response:
        """Do something that may be refused; now and then twice with one key, which has to be as good as once."""
        self.count("requests")
        headers = {"Idempotency-Key": f"{self._name}-{self.counted['requests']}"}
        response = await self._ask(account, method, path, json=body, headers=headers)
        is_kept = response.status_code == 200 and not path.endswith(_NO_CHANGE)
        if is_kept and self._chance.random() < 0.05:
            again = await self._ask(account, method, path, json=body, headers=headers)
            assert again.json() == response.json(), (
                f"{path} repeated with its key is another answer"
            )
            self.count("requests repeated")
        return response

    async def posted(self, client: httpx.AsyncClient, url: str, **form: str) -> None:
        """Send a form of the partner's page until it is taken."""
        for _ in range(_TRIES):
            try:
                async with self._places:
                    shown = await client.post(url, params={"lang": "en"}, data=form)
                if shown.is_success:
                    return
                assert shown.status_code in _AGAIN, shown.text
            except (httpx.TransportError, OSError):
                pass
            self.count("forms tried in vain")
            await asyncio.sleep(0.1)
        raise AssertionError("the partner's page takes no answer")

    async def _ask(self, account: str, method: str, path: str, **options: Any) -> httpx.Response:
        response: httpx.Response | None = None
        for _ in range(_TRIES):
            try:
                async with self._places:
                    response = await self._region.ask(account, method, path, **options)
                if response.status_code not in _AGAIN or _is_refusal(response):
                    return response
            except (httpx.TransportError, OSError):
                pass
            self.count("requests tried in vain")
            await asyncio.sleep(0.1)  # as clients do before they ask again
        raise AssertionError(f"{method} {path}: {response.text if response else 'no answer'}")


def _is_refusal(response: httpx.Response) -> bool:
    """A conflict that trying again does not end."""
    return response.status_code == 409 and response.json().get("reason") in {"SLOT_TAKEN"}
