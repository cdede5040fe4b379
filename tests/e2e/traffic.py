"""What people and hospitals do all the while: reads, writes and messages, each counted, none tried twice by us.

A request is asked once: whatever is not its answer is a failure. A sender of HL7 v2 does what MLLP asks of one: where a
connection ends before the acknowledgement, it dials again and sends the message again.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from libs.local.client import FreshToken
from tests.e2e.load import Load, hospital_load
from tests.e2e.region import END, START, Region, code_of

_TOKEN_SECONDS = 60.0
_BETWEEN = {"read": 0.05, "write": 0.15, "message": 0.1}
_READS = ("/v1/loops", "/v1/tasks", "/v1/facilities", "/v1/me")


class Renewed(FreshToken):
    """A token that is renewed in time, as the pages of the console do it."""

    _at = float("-inf")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncIterator[httpx.Request]:  # type: ignore[override]
        if time.monotonic() - self._at > _TOKEN_SECONDS:
            await self.renew()
            self._at = time.monotonic()
        request.headers["authorization"] = f"Bearer {self._token}"
        yield request


@dataclass
class Traffic:
    """All that was asked and sent until it is over, and what became of it."""

    region: Region
    name: str
    seed: int
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    made: list[str] = field(default_factory=list)
    acknowledged: int = 0
    sent_again: int = 0
    load: Load = field(default_factory=lambda: Load([], []))

    async def run(self, over: asyncio.Event) -> None:
        facilities = (await self.region.get("nurse", "/v1/facilities"))["facilities"]
        mercy = next(f["id"] for f in facilities if "Mercy" in f["name"])
        async with asyncio.TaskGroup() as busy:
            busy.create_task(self._read(over))
            busy.create_task(self._search(over))
            busy.create_task(self._write(over, mercy))
            busy.create_task(self._feed(over))

    def told(self) -> str:
        return (
            f"{self.asked} requests, {len(self.failed)} failed, the slowest took {self.slowest:.1f} s; {len(self.made)} patients registered; "
            f"{self.acknowledged} messages acknowledged, {self.sent_again} of them sent again after a connection ended"
        )

    async def _read(self, over: asyncio.Event) -> None:
        async with self._person("nurse") as person:
            while not over.is_set():
                for path in _READS:
                    await self._ask(person, "GET", path)
                    await asyncio.sleep(_BETWEEN["read"])

    async def _search(self, over: asyncio.Event) -> None:
        async with self._person("coordinator") as person:
            while not over.is_set():
                await self._ask(person, "POST", "/v1/patients:search", json={"text": "Okonkwo"})
                await asyncio.sleep(_BETWEEN["read"])

    async def _write(self, over: asyncio.Event, facility: str) -> None:
        async with self._person("nurse") as person:
            number = 0
            while not over.is_set():
                number += 1
                body = {
                    "facilityId": facility,
                    "names": [{"family": f"Roll{number}", "given": ["Ruth"]}],
                    "birthDate": {"year": 1950, "month": 1 + number % 12, "day": 1 + number % 28},
                    "identifiers": [
                        {"assigner": "MERCY", "value": f"{self.name}REST{number}", "type": "MR"}
                    ],
                }
                key = {"Idempotency-Key": f"{self.name}-{number}"}
                made = await self._ask(person, "POST", "/v1/patients", json=body, headers=key)
                if made:
                    self.made.append(made["id"])
                await asyncio.sleep(_BETWEEN["write"])

    def _person(self, account: str) -> httpx.AsyncClient:
        auth = Renewed(self.region.machine.issuer, account)
        return httpx.AsyncClient(base_url=self.region.machine.public_url, timeout=15, auth=auth)

    async def _ask(self, person: httpx.AsyncClient, method: str, path: str, **more: Any) -> Any:
        began = time.monotonic()
        self.asked += 1
        try:
            answer = await person.request(method, path, **more)
        except httpx.HTTPError as error:
            self.failed.append(f"{time.strftime('%T')} {method} {path}: {error!r}")
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status_code != 200:
            self.failed.append(f"{time.strftime('%T')} {method} {path}: {answer.text}")
            return None
        return answer.json()

    async def _feed(self, over: asyncio.Event) -> None:
        """One patient's messages after the other's, on one connection for as long as it lasts."""
        number, waiting = 0, list[bytes]()
        while waiting or not over.is_set():
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.region.machine.mllp_port
            )
            try:
                while waiting or not over.is_set():
                    if not waiting:
                        number += 1
                        life = hospital_load(
                            self.seed + number, patients=1, name=f"{self.name}N{number}X"
                        )
                        waiting.extend(life.streams[0])
                        self.load.streams.extend(life.streams)
                        self.load.stays.extend(life.stays)
                    writer.write(START + waiting[0] + END)
                    answer = await asyncio.wait_for(reader.readuntil(END), 15)
                    if code_of(answer) != "AA":
                        self.failed.append(f"{time.strftime('%T')} a message: {answer!r}")
                    self.acknowledged += 1
                    waiting.pop(0)
                    await asyncio.sleep(_BETWEEN["message"])
            except (OSError, EOFError):
                self.sent_again += 1
            finally:
                writer.close()
