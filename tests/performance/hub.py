"""What the bench measures, started and ended: the engines, a hub on them (`up` or split), and the monolith."""

import asyncio
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from libs.local.accounts import read_accounts
from libs.local.client import FreshToken, password_token
from libs.local.environment import Machine, database_url
from libs.local.nats import start_nats
from libs.local.postgres import start_postgres
from libs.local.process import free_port
from libs.local.up import UpSettings, running
from tests.performance.machine import ROOT

MONOLITH_ISSUER = "http://127.0.0.1/bench"
# A load is one caller; the limits are there so that one caller is not a load.
_UNLIMITED = {
    "GATEWAY_CALLER_PER_SECOND": "1000000",
    "GATEWAY_CALLER_BURST": "1000000",
    "GATEWAY_ADDRESS_PER_SECOND": "1000000",
    "GATEWAY_ADDRESS_BURST": "1000000",
}


@dataclass(frozen=True, slots=True)
class Engines:
    """The PostgreSQL and the NATS that everything of a bench shares."""

    home: Path
    database_url: str
    nats_url: str
    pids: tuple[int, int]

    def database(self, name: str) -> str:
        """The administrator's URL of a database: past row-level security, for filling and looking only."""
        return f"{self.database_url.rpartition('/')[0]}/{name}"

    async def connect(self, name: str) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(self.database(name))


@asynccontextmanager
async def engines(home: Path) -> AsyncIterator[Engines]:
    postgres = await start_postgres(home, say=lambda _: None)
    try:
        nats = await start_nats(home, say=lambda _: None)
        try:
            yield Engines(home, postgres.url, nats.url, (postgres.pid, nats.pid))
        finally:
            await nats.stop()
    finally:
        await postgres.stop()


class Hub:
    """A running hub, and the hands of the bench."""

    def __init__(self, machine: Machine, engines: Engines, split: bool) -> None:
        self.machine = machine
        self.engines = engines
        self.split = split
        self.pids = [os.getpid(), *engines.pids]

    @property
    def port(self) -> int:
        return self.machine.http_port

    async def token(self, account: str) -> str:
        return await password_token(self.machine.issuer, account)

    async def get(self, account: str, path: str, **params: str) -> Any:
        auth = FreshToken(self.machine.issuer, account)
        async with httpx.AsyncClient(base_url=self.machine.public_url, timeout=60) as client:
            response = await client.get(path, params=params, auth=auth)
            response.raise_for_status()
            return response.json()

    async def facilities(self) -> dict[str, str]:
        """The demo's facilities: their ids by their names."""
        listed = await self.get("admin", "/v1/facilities")
        return {each["name"]: each["id"] for each in listed["facilities"]}

    async def facility_ids(self) -> list[str]:
        """The demo's facilities, those first where its coordinator works: what she may see lies there."""
        hers = (await self.get("coordinator", "/v1/me"))["facilityIds"]
        return sorted((await self.facilities()).values(), key=lambda each: (each not in hers, each))

    def subject(self, account: str) -> str:
        accounts = read_accounts(self.machine.home)
        return next(str(each.subject) for each in accounts if each.username == account)

    async def system(self, service: str) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(database_url(self.machine, service, "system"))


@asynccontextmanager
async def hub(
    engines: Engines, *, split: bool = False, sample: Path | None = None
) -> AsyncIterator[Hub]:
    """A hub with the demo network and no feeds. With `sample`, its processes write there where their CPU time went."""
    settings = UpSettings(
        home=engines.home,
        http_port=free_port(),
        mllp_port=free_port(),
        database_url=engines.database_url,
        nats_url=engines.nats_url,
        split=split,
    )
    os.environ.update(_UNLIMITED)
    os.environ["CAREHUB_LOG_LEVEL"] = os.environ.get("CAREHUB_LOG_LEVEL", "INFO")
    python = sys.executable
    if sample:
        sys.executable = str(_sampling_python(sample))
    try:
        async with running(settings, lambda _: None) as machine:
            await asyncio.sleep(1.0)  # projections of the network settle
            yield Hub(machine, engines, split)
    finally:
        sys.executable = python


def _sampling_python(folder: Path) -> Path:
    """A `python` that samples whatever it runs: what `up` starts, it starts with sys.executable."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "python"
    script.write_text(
        f'#!/bin/sh\nBENCH_SAMPLES="{folder}" exec "{sys.executable}" -m tests.performance.sampler "$@"\n'
    )
    script.chmod(0o755)
    return script


@dataclass(frozen=True, slots=True)
class Monolith:
    port: int
    token: str
    facility: str
    pids: list[int]


@asynccontextmanager
async def monolith_beside(engines: Engines, workers: int = 2) -> AsyncIterator[Monolith]:
    """The monolith on a database of its own in the same server."""
    if find_spec("greenlet") is None:
        raise RuntimeError("the monolith needs greenlet, which SQLAlchemy's asyncio stands on")
    await _create_monolith_database(engines)
    key = RSAKey.generate_key(2048, {"kid": "bench"})
    keys = engines.home / "secrets" / "monolith-keys.json"
    keys.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    url = engines.database("monolith").replace("postgresql://", "postgresql+asyncpg://")
    env = {
        **os.environ,
        "MONOLITH_DATABASE_URL": url,
        "MONOLITH_KEYS": str(keys),
    }
    port = free_port()
    argv = ["-m", "uvicorn", "tests.performance.monolith:app", "--port", str(port)]
    flags = [
        "--workers",
        str(workers),
        "--no-access-log",
        "--log-level",
        "warning",
        "--loop",
        "uvloop",
    ]
    child = await asyncio.create_subprocess_exec(sys.executable, *argv, *flags, env=env, cwd=ROOT)
    try:
        await _answers(f"http://127.0.0.1:{port}/healthz")
        facility = "0190a7c0-0000-7000-8000-000000000001"
        yield Monolith(port, _monolith_token(key, facility), facility, [child.pid, *engines.pids])
    finally:
        child.terminate()
        await child.wait()


async def _create_monolith_database(engines: Engines) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    from tests.performance.monolith import Base

    connection = await engines.connect("postgres")
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'monolith'"):
            await connection.execute("CREATE DATABASE monolith")
    finally:
        await connection.close()
    url = engines.database("monolith").replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.begin() as tx:
        await tx.run_sync(Base.metadata.create_all)
    await engine.dispose()


def _monolith_token(key: RSAKey, facility: str) -> str:
    claims = {
        "iss": MONOLITH_ISSUER,
        "sub": "0190a7c0-0000-7000-8000-000000000002",
        "exp": int(time.time()) + 3600,
        "jti": secrets.token_hex(8),
        "permissions": {"patients.write": [facility], "patients.read": [facility]},
    }
    return jwt.encode({"alg": "RS256", "kid": "bench"}, claims, key)


async def _answers(url: str) -> None:
    async with httpx.AsyncClient(timeout=2.0) as client:
        for _ in range(300):
            try:
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{urlsplit(url).netloc} does not answer")
