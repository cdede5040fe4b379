"""The gateway on the network: its settings from the environment, uvicorn, and a graceful end."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from gateway.api.app import GatewaySettings, build
from gateway.api.heads import BoundedProtocol
from libs.chassis.channels import Channels
from libs.chassis.config import read

_LOOK_SECONDS = 0.05
IMAGE = Path(__file__).parents[2] / "libs" / "contracts" / "contracts.binpb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """GATEWAY_HOST and so on. The limits are requests per second; bursts may be larger for a moment.

    `leave_seconds`: longer than clients keep a connection that rests. Whoever asks meanwhile is told to dial anew, and so reaches
    another gateway; none, where there is no other.
    """

    public_url: str
    issuer: str
    client_secret: str
    client_id: str = "carehub-web"
    host: str = "127.0.0.1"
    port: int = 8080
    caller_per_second: float = 100.0
    caller_burst: int = 200
    address_per_second: float = 20.0
    address_burst: int = 100
    step_up: str = ""
    leave_seconds: float = 5.0


async def serve(channels: Channels, env: Mapping[str, str], stopping: asyncio.Event) -> None:
    """Listen until `stopping` is set and nobody is connected any more; requests in work are finished."""
    settings = read(Settings, env, "GATEWAY")
    gateway = GatewaySettings(
        public_url=settings.public_url,
        issuer=settings.issuer,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        caller_per_second=settings.caller_per_second,
        caller_burst=settings.caller_burst,
        address_per_second=settings.address_per_second,
        address_burst=settings.address_burst,
        step_up=settings.step_up,
        nats_url=env.get("CAREHUB_NATS_URL", ""),
    )
    config = uvicorn.Config(
        build(channels, gateway, IMAGE.read_bytes(), stopping=stopping),
        host=settings.host,
        port=settings.port,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )
    server = uvicorn.Server(config)

    async def end() -> None:
        await stopping.wait()
        await _leave(server, settings.leave_seconds)
        server.should_exit = True

    ending = asyncio.create_task(end(), name="gateway-end")
    await server._serve()  # serve() would take the process's signals from the host
    ending.cancel()
    stopping.set()


async def _leave(server: uvicorn.Server, within: float) -> None:
    """Answer as ever, and close each connection with its answer: one that is closed while a request is on its way loses it."""
    close = (b"connection", b"close")
    server.config.encoded_headers.append(close)  # from the next second on
    server.server_state.default_headers.append(close)  # until then
    ends = time.monotonic() + within
    while server.server_state.connections and time.monotonic() < ends:  # noqa: ASYNC110 uvicorn tells nobody
        await asyncio.sleep(_LOOK_SECONDS)
