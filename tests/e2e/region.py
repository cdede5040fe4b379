"""What a test does with a running hub: send messages as a hospital, and ask as a person."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx

from libs.local.client import FreshToken
from libs.local.environment import Machine

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
) -> bytes:
    """An ADT message of an inpatient visit; times as YYYYMMDDHHMM at the hospital."""
    segments = [
        f"MSH|^~\\&|EHR|{sender}|CAREHUB|HUB|{at}||ADT^{event}|E2E{time.time_ns()}-{next(_control_ids)}|P|2.5.1",
        f"EVN|{event}|{at}|||||",
        f"PID|1||{person.mrn}^^^{sender}^MR||{person.family}^{person.given}||{person.birth}|F|||12 Pine St^^Springfield^IL^62701||3125550142|||||||",
        _pv1(person, admit, discharge),
    ]
    return "\r".join(segments).encode() + b"\r"


def _pv1(person: Person, admit: str, discharge: str) -> str:
    fields = {1: "1", 2: "I", 3: "3W^312^1", 19: person.visit, 44: admit, 45: discharge}
    if discharge:
        fields[36] = "01"
    return "PV1|" + "|".join(fields.get(i, "") for i in range(1, 46))


class Region:
    """A running hub and the hands of a test."""

    def __init__(self, machine: Machine, client: httpx.AsyncClient) -> None:
        self.machine = machine
        self._client = client

    @classmethod
    @asynccontextmanager
    async def of(cls, machine: Machine) -> AsyncIterator[Self]:
        async with httpx.AsyncClient(base_url=machine.public_url, timeout=15) as client:
            yield cls(machine, client)

    async def ask(self, account: str, method: str, path: str, **options: Any) -> httpx.Response:
        """A request of one of the demo's people."""
        auth = FreshToken(self.machine.issuer, account)
        return await self._client.request(method, path, auth=auth, **options)

    async def get(self, account: str, path: str, **params: str) -> Any:
        response = await self.ask(account, "GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def send(self, *messages: bytes) -> list[str]:
        """Send over MLLP on one connection; the acknowledgement code of each."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.machine.mllp_port)
        try:
            codes = []
            for message in messages:
                writer.write(START + message + END)
                await writer.drain()
                answer = await asyncio.wait_for(reader.readuntil(END), 15)
                msa = next(
                    s for s in answer.decode().split("\r") if s.lstrip("\x0b").startswith("MSA")
                )
                codes.append(msa.split("|")[1])
            return codes
        finally:
            writer.close()

    async def patient(self, account: str, text: str) -> Any:
        """The one patient that a search finds, or None."""
        response = await self.ask(account, "POST", "/v1/patients:search", json={"text": text})
        assert response.status_code == 200, response.text
        found = response.json().get("patients", [])
        return found[0] if len(found) == 1 else None

    async def loops(self, account: str, patient_id: str) -> list[Any]:
        listed: list[Any] = (await self.get(account, "/v1/loops", patientId=patient_id)).get(
            "loops", []
        )
        return listed

    async def until(self, condition: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> Any:
        """Wait until a condition gives something true; fail after a while."""
        ends = time.monotonic() + seconds
        while True:
            if found := await condition():
                return found
            assert time.monotonic() < ends, "it did not come true in time"
            await asyncio.sleep(0.1)
