"""A hub as the charts run it, on loopback: every role of every service in a process and at an address of its own, and rolled like a Deployment.

What a cluster gives is given here: a DNS server knows the addresses of what is ready, so that gRPC finds them as in a
headless Service, and doors lead new connections of the gateway and of MLLP to what is ready, as a Service with one address.
"""

import asyncio
import itertools
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from libs.chassis.migrate import create_database
from libs.local import environment
from libs.local.client import wait_until_ready
from libs.local.environment import SERVICES, Machine
from libs.local.process import Child, free_port, make_home, spawn
from libs.local.process import wait_until_ready as wait_for
from libs.local.up import ROOT, UpSettings, _apply_demo, _inherited, _machine, _migrate

ROLES = (*(f"{s}-{role}" for s in SERVICES for role in ("serve", "work")), "gateway-serve")
READY_WITHIN = 120.0
# Instead of the ten seconds of the charts, in which every kube-proxy and every cache of DNS hears of it: here all do at once.
PRE_STOP = 0.5
GRACE = 50.0  # terminationGracePeriodSeconds, less the pause before
_A = 1


class Names(asyncio.DatagramProtocol):
    """A DNS server: each name has the addresses that it has at the moment."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        labels, at = [], 12
        while size := data[at]:
            labels.append(data[at + 1 : at + 1 + size].decode())
            at += 1 + size
        (kind,) = struct.unpack_from(">H", data, at + 1)
        found = self.addresses.get(".".join(labels), []) if kind == _A else []
        head = data[:2] + struct.pack(">5H", 0x8580, 1, len(found), 0, 0)
        answers = (struct.pack(">3HIH", 0xC00C, _A, 1, 0, 4) + socket.inet_aton(a) for a in found)
        self._transport.sendto(head + data[12 : at + 5] + b"".join(answers), addr)


class Door:
    """One address for all that are ready: who is connected stays where they are, who comes anew is led to a ready one."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.addresses: list[str] = []
        self._turn = itertools.count()

    async def open(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = self.addresses[next(self._turn) % len(self.addresses)]
        there = await asyncio.open_connection(address, self.port)
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@dataclass(frozen=True, slots=True)
class Release:
    """A tree of sources that processes are started from."""

    folder: Path

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{self.folder}:{self.folder / 'libs/contracts'}"}


THIS = Release(ROOT)


@dataclass(frozen=True, slots=True)
class Pod:
    """One process of a role."""

    address: str
    child: Child
    release: Release


@dataclass
class Cluster:
    """The processes of a hub, one of each role but while one is replaced."""

    machine: Machine
    names: Names
    names_port: int
    doors: Mapping[str, Door]
    pods: dict[str, Pod] = field(default_factory=dict)
    rolled: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _grpc_port: int = field(default_factory=free_port)
    _metrics_port: int = field(default_factory=free_port)
    _started: list[Child] = field(default_factory=list)

    async def start(self) -> None:
        async with asyncio.TaskGroup() as starting:
            for role in ROLES:
                starting.create_task(self._first(role))
        await wait_until_ready(self.machine.public_url, READY_WITHIN)

    async def _first(self, role: str) -> None:
        pod = await self._begin(role, THIS)
        self._lead(role, pod)

    async def roll(self, role: str, release: Release = THIS) -> None:
        """As a Deployment with maxSurge 1 and maxUnavailable 0: the new one is ready, then the old one is told to end."""
        old, new = self.pods[role], await self._begin(role, release)
        self._lead(role, new)
        await asyncio.sleep(PRE_STOP)
        await old.child.stop(grace=GRACE)
        assert old.child.exit_code == 0, f"{role} did not end by itself: {old.child.last_words()}"
        self.rolled += 1

    async def stop(self) -> None:
        await asyncio.gather(*(child.stop(grace=GRACE) for child in self._started))

    async def _begin(self, role: str, release: Release) -> Pod:
        service, _, kind = role.rpartition("-")
        number = next(self._numbers)
        address = f"127.77.{number // 250}.{number % 250 + 1}"
        env = {**self._shared(), **self._own(service, kind, address), **release.environment()}
        argv = [sys.executable, "-m", "services", "serve", service, "--role", kind]
        child = spawn(f"{role}-{number}", argv, home=self.machine.home, env=env, cwd=release.folder)
        self._started.append(child)
        await wait_for(child, lambda: self._is_ready(service, address), within=READY_WITHIN)
        return Pod(address, child, release)

    def _shared(self) -> dict[str, str]:
        targets = {
            f"{s.upper()}_TARGET": f"dns://127.0.0.1:{self.names_port}/{s}:{self._grpc_port}"
            for s in SERVICES
        }
        parent = {"CAREHUB_PARENT_PID": str(os.getpid())}
        return {**_inherited(), **environment.for_services(self.machine), **targets, **parent}

    def _own(self, service: str, kind: str, address: str) -> dict[str, str]:
        listens = {"CAREHUB_GRPC_ADDRESS": f"{address}:{self._grpc_port}"}
        return {
            "CAREHUB_METRICS_HOST": address,
            "CAREHUB_METRICS_PORT": str(self._metrics_port),
            "GATEWAY_HOST": address,
            "GATEWAY_LEAVE_SECONDS": "5",
            "INTEROP_MLLP_HOST": address,
            "CAREHUB_POOL_SIZE": "3",  # two of each role at a time, of one server
            **(listens if kind == "serve" and service in SERVICES else {}),
        }

    async def _is_ready(self, service: str, address: str) -> bool:
        """What the readiness probes of the charts ask."""
        port, path = self._metrics_port, "/metrics"
        if service == "gateway":
            port, path = self.machine.http_port, "/readyz"
        async with httpx.AsyncClient(timeout=3) as client:
            try:
                return (await client.get(f"http://{address}:{port}{path}")).status_code == 200
            except httpx.HTTPError:
                return False

    def _lead(self, role: str, pod: Pod) -> None:
        """Whoever asks from now on is led to this one."""
        self.pods[role] = pod
        service, _, kind = role.rpartition("-")
        if role in self.doors:
            self.doors[role].addresses = [pod.address]
        if kind == "serve":
            self.names.addresses[service] = [pod.address]


@asynccontextmanager
async def clustered(settings: UpSettings) -> AsyncIterator[Cluster]:
    """The demo network, every role a process of its own, for as long as the block runs."""
    make_home(settings.home)
    async with AsyncExitStack() as stack:
        machine = await _machine(settings, stack, print)
        for service in SERVICES:
            secrets = environment.passwords(machine.home, service)
            await create_database(machine.database_url, service, secrets)
        environment.remember(machine)
        await _migrate(machine, print)
        loop = asyncio.get_running_loop()
        port = free_port()
        transport, names = await loop.create_datagram_endpoint(
            Names, local_addr=("127.0.0.1", port)
        )
        stack.callback(transport.close)
        doors = {
            "gateway-serve": Door(machine.http_port),
            "interop-serve": Door(machine.mllp_port),
        }
        for door in doors.values():
            stack.callback((await door.open()).close)
        cluster = Cluster(machine, names, port, doors)
        stack.push_async_callback(cluster.stop)
        await cluster.start()
        await _apply_demo(machine, print)
        yield cluster
