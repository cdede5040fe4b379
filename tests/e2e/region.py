"""What a test does with a running hub: send messages as a hospital, and ask as a person."""

import asyncio
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from libs.local.client import FreshToken
from libs.local.environment import Machine, database_url
from libs.local.up import UpSettings, running

_control_ids = itertools.count(1)
START, END = b"\x0b", b"\x1c\r"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented patient of a hospital."""

    mrn: str
    family: str
    given: str
    birth: str = "19480312"
    visit: str = "V1"


def adt(
    event: str,
    person: Person,
    at: str,
    *,
    sender: str = "MERCY",
    admit: str = "",
    discharge: str = "",
    patient_class: str = "I",
    disposition: str = "01",
    ward: str = "3W^312^1",
    diagnosis: str = "",
    control_id: str = "",
) -> bytes:
    """An ADT message of a visit; times as YYYYMMDDHHMM at the hospital."""
    control_id = control_id or f"E2E{time.time_ns()}-{next(_control_ids)}"
    pv1 = {1: "1", 2: patient_class, 3: ward, 19: person.visit, 44: admit, 45: discharge}
    if discharge:
        pv1[36] = disposition
    segments = [
        f"MSH|^~\\&|EHR|{sender}|CAREHUB|HUB|{at}||ADT^{event}|{control_id}|P|2.5.1",
        f"EVN|{event}|{at}|||||",
        f"PID|1||{person.mrn}^^^{sender}^MR||{person.family}^{person.given}||{person.birth}|F|||12 Pine St^^Springfield^IL^62701||3125550142|||||||",
        "PV1|" + "|".join(pv1.get(i, "") for i in range(1, 46)),
    ]
    if diagnosis:
        segments.append(f"DG1|1||{diagnosis}^^I10||{at}|F")
    return "\r".join(segments).encode() + b"\r"


def days_ago(days: float, *, hour: int = 9) -> str:
    """An hour of a day in the past at Mercy, as messages write it."""
    day = datetime.now(ZoneInfo("America/Chicago")) - timedelta(days=days)
    return f"{day:%Y%m%d}{hour:02}00"


class Region:
    """A running hub and the hands of a test."""

    machine: Machine
    # How a hospital connects where the listener has a certificate.
    tls: ssl.SSLContext | None = None

    def __init__(
        self, settings: UpSettings, heard: Callable[[httpx.Response], Awaitable[None]] | None = None
    ) -> None:
        """`heard` is told of every response."""
        self.settings = settings
        self._hooks = {"response": [heard] if heard else []}
        self.said: list[str] = []
        self._life = AsyncExitStack()
        self._client = httpx.AsyncClient()
        self._tokens: dict[str, FreshToken] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def stop(self) -> None:
        await self._life.aclose()

    async def start(self) -> None:
        """Start the hub, for the first time or again on the same home."""
        self._tokens.clear()
        self.machine = await self._life.enter_async_context(self._hub())
        self._client = await self._life.enter_async_context(
            httpx.AsyncClient(base_url=self.machine.public_url, timeout=15, event_hooks=self._hooks)
        )

    def _hub(self) -> AbstractAsyncContextManager[Machine]:
        return running(self.settings, self.said.append)

    async def ask(self, account: str, method: str, path: str, **options: Any) -> httpx.Response:
        """A request of one of the demo's people."""
        auth = self._tokens.setdefault(account, FreshToken(self.machine.issuer, account))
        response = await self._client.request(method, path, auth=auth, **options)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await auth.renew()
            response = await self._client.request(method, path, auth=auth, **options)
        return response

    async def unsigned(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request of nobody."""
        return await self._client.request(method, path, **options)

    async def get(self, account: str, path: str, **params: str) -> Any:
        response = await self.ask(account, "GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, account: str, path: str, **body: Any) -> Any:
        response = await self.ask(account, "POST", path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def send(self, *messages: bytes) -> list[str]:
        """Send over MLLP on one connection; the acknowledgement code of each."""
        return [code_of(answer) for answer in await self.exchange(*messages)]

    async def exchange(self, *messages: bytes) -> list[bytes]:
        """Send over MLLP on one connection, one after the other; the acknowledgements."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.machine.mllp_port, ssl=self.tls
        )
        try:
            answers = []
            for message in messages:
                writer.write(START + message + END)
                await writer.drain()
                answer = await asyncio.wait_for(reader.readuntil(END), 15)
                answers.append(answer.removeprefix(START).removesuffix(END))
            return answers
        finally:
            writer.close()

    async def patient(self, account: str, text: str) -> Any:
        """The one patient that a search finds, or None."""
        found = (await self.post(account, "/v1/patients:search", text=text)).get("patients", [])
        return found[0] if len(found) == 1 else None

    async def loops(self, account: str, patient_id: str) -> list[Any]:
        listed: list[Any] = (await self.get(account, "/v1/loops", patientId=patient_id)).get(
            "loops", []
        )
        return listed

    async def tasks(self, account: str, loop_id: str, **params: str) -> dict[str, Any]:
        """The tasks of a loop by their step, in any state unless `state` says which."""
        listed = await self.get(account, "/v1/tasks", loopId=loop_id, pageSize="100", **params)
        return {task["step"]: task for task in listed.get("tasks", [])}

    async def feeds(self) -> dict[str, Any]:
        """The feeds by who sends them."""
        listed = (await self.get("integration", "/v1/feeds"))["feeds"]
        return {feed["sendingFacility"]: feed for feed in listed}

    async def settled_accounts(self, seconds: float = 60.0) -> dict[str, dict[str, int]]:
        """The accounts of every feed, once nothing is pending. They always add up."""

        async def settled() -> dict[str, dict[str, int]] | None:
            accounts = {
                sender: {what: int(count) for what, count in feed["accounts"].items()}
                for sender, feed in (await self.feeds()).items()
            }
            for each in accounts.values():
                parts = ("applied", "noOp", "quarantined", "ignored", "parked", "pending")
                assert each["received"] == sum(each[part] for part in parts), each
            return accounts if all(each["pending"] == 0 for each in accounts.values()) else None

        found: dict[str, dict[str, int]] = await self.until(
            settled, seconds, "that nothing is pending"
        )
        return found

    async def rows(self, service: str, query: str, *values: Any) -> list[asyncpg.Record]:
        """Look into a service's database, as its own consumers may."""
        connection = await asyncpg.connect(database_url(self.machine, service, "system"))
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def until(
        self,
        condition: Callable[[], Awaitable[Any]],
        seconds: float = 30.0,
        what: str | Callable[[], str] = "the condition",
    ) -> Any:
        """Wait until a condition gives something true; fail after a while."""
        ends = time.monotonic() + seconds
        while True:
            if found := await condition():
                return found
            if time.monotonic() > ends:
                told = what if isinstance(what, str) else what()
                raise AssertionError(f"{told}: did not come true in {seconds:.0f} seconds")
            await asyncio.sleep(0.1)


def code_of(acknowledgement: bytes) -> str:
    """MSA-1."""
    segments = acknowledgement.decode(errors="replace").split("\r")
    return next((s.split("|")[1] for s in segments if s.startswith("MSA|")), "")
