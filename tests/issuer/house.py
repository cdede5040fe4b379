"""Identity and a gateway on this machine, in front of whichever issuer: what has to work with both."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import uvicorn
from carehub.identity.v1 import identity_service_pb2 as rpc
from google.protobuf.message_factory import GetMessageClass
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.types import ASGIApp

from gateway.api.app import GatewaySettings, build
from libs.chassis import ids
from libs.chassis.channels import Channels
from libs.ledger.keeping import with_ledger
from libs.local.process import free_port
from libs.process.app import Host, HostSettings
from libs.process.status import Role
from libs.testing.servers import Servers
from services.__main__ import caller_keys
from services.identity.app import bootstrap
from services.identity.app import build as build_identity

CONTRACT = rpc.DESCRIPTOR.services_by_name["IdentityService"]
IMAGE = Path(__file__).parents[2] / "libs/contracts/contracts.binpb"
SECRET = "a-secret-of-this-test-run-and-of-nothing-else"
CLIENT = "carehub-web"


@dataclass(kw_only=True)
class House:
    """A gateway at `url` and identity at `grpc`, which trust the issuer `issuer`."""

    url: str
    issuer: str
    grpc: str
    host: Host
    signing_keys: Path

    @property
    def callback(self) -> str:
        return f"{self.url}/signin/callback"

    async def hire(self, id: UUID, account: str) -> None:
        """Somebody whom identity knows: a network administrator."""
        async with self.host.runtimes["identity"].database.system() as tx:
            await bootstrap(tx, id=id, account=account, name=account.title(), email="")

    async def exchange(self, access_token: str) -> str:
        """The caller token that identity gives for an access token."""
        answer = await self.call(
            "ExchangeToken", rpc.ExchangeTokenRequest(access_token=access_token)
        )
        return answer.caller_token

    async def call(self, method: str, request, token: str = ""):
        return await Channels({"identity": self.grpc}).call(
            CONTRACT.methods_by_name[method], request, caller_token=token or None, timeout=10
        )

    def signed_by_identity(self, claims: dict, **header) -> str:
        """A caller token of identity's own key, whatever it says."""
        keys = KeySet.import_key_set(json.loads(self.signing_keys.read_text()))
        key = keys.keys[0]
        head = {"alg": "Ed25519", "typ": "caller+jwt", "kid": key.kid} | header
        return jwt.encode(head, claims, key, algorithms=["Ed25519"])


@asynccontextmanager
async def a_house(servers: Servers, home: Path, issuer: str, url: str) -> AsyncIterator[House]:
    """Run identity and a gateway at `url` until the block ends."""
    keys = home / "caller-keys.json"
    app = build_identity(
        {
            "IDENTITY_ISSUER": issuer,
            "IDENTITY_SIGNING_KEYS": str(keys),
            "IDENTITY_CREATE_KEYS": "1",
        }
    )
    await servers.prepare("identity", app.migrations)
    grpc = f"127.0.0.1:{free_port()}"
    settings = HostSettings(
        role=Role.SERVE,
        database_urls={"identity": servers.url("identity", "")},
        system_urls={"identity": servers.url("identity", "system")},
        nats_url=servers.nats.url,
        grpc_address=grpc,
    )
    host = Host([with_ledger(app)], settings, caller_keys, ids.now)
    await host.start()
    gateway = GatewaySettings(
        public_url=url,
        issuer=issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        web=Path("/none"),
        address_per_second=1000.0,
        address_burst=10_000,
    )
    try:
        async with served(build(host.channels, gateway, IMAGE.read_bytes()), url):
            yield House(url=url, issuer=issuer, grpc=grpc, host=host, signing_keys=keys)
    finally:
        await host.stop(grace=5.0)


@asynccontextmanager
async def served(app: ASGIApp, url: str) -> AsyncIterator[None]:
    """Serve an app at a loopback URL."""
    port = httpx.URL(url).port
    assert port
    listening = socket.create_server(("127.0.0.1", port), reuse_port=False)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(task, 10)
        listening.close()


def message_of(method: str):
    return GetMessageClass(CONTRACT.methods_by_name[method].input_type)
