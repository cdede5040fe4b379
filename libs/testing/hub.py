"""Services running for a test: their guarded methods, relays, consumers and timers, over real servers."""

import asyncio
import contextlib
import importlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import orjson
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from libs.chassis.channels import Channels
from libs.chassis.database import Transaction
from libs.chassis.tokens import AUDIENCE, ISSUER, TYPE
from libs.conveyor.headers import FACILITY, KEY, MESSAGE_ID, VERSION
from libs.conveyor.streams import connect, ensure_stream, stream_of
from libs.ledger.keeping import with_ledger
from libs.local.environment import SERVICES, service_keys
from libs.process.app import Host, HostSettings
from libs.process.status import Role
from libs.testing.clock import Clock
from libs.testing.servers import Servers

M = TypeVar("M", bound=Message)
_KEY = OKPKey.generate_key("Ed25519", {"kid": "test", "use": "sig"}, private=True)


def caller_token(
    *,
    permissions: Iterable[str] = (),
    facilities: Iterable[UUID] = (),
    subject: UUID | None = None,
    roles: Iterable[str] = ("coordinator",),
    key: OKPKey = _KEY,
    elsewhere: Mapping[str, UUID] | None = None,
    **claims: Any,
) -> str:
    """A caller token as identity signs them, for any permissions at any facilities; `elsewhere` are held at one other."""
    places = sorted({str(f) for f in facilities})
    everywhere = list(range(len(places)))
    others = {name: [len(everywhere) + n] for n, name in enumerate(elsewhere or {})}
    places += map(str, (elsewhere or {}).values())
    body = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(subject or uuid4()), "kind": "PERSON", "name": "Test Person",
        "purpose": "TREATMENT", "iat": int(time.time()), "exp": int(time.time()) + 3600, "jti": str(uuid4()),
        "facilities": places, "roles": dict.fromkeys(roles, everywhere),
        "permissions": dict.fromkeys(permissions, everywhere) | others,
    }  # fmt: skip
    header = {"alg": "Ed25519", "typ": TYPE, "kid": key.kid}
    return jwt.encode(header, body | claims, key, algorithms=["Ed25519"])


async def caller_keys(_channels: Channels) -> str:
    """The keys that `caller_token` signs with."""
    return orjson.dumps(KeySet([_KEY]).as_dict(private=False)).decode()


class Hub:
    """The services of one test, and hands to reach them with."""

    def __init__(self, servers: Servers, host: Host, clock: Clock, nats: Client) -> None:
        self.servers = servers
        self.host = host
        self.clock = clock
        self._nats = nats

    @property
    def channels(self) -> Channels:
        return self.host.channels

    async def call(
        self,
        service: ServiceDescriptor,
        method: str,
        request: Message,
        kind: type[M],
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> M:
        """Call a guarded method. Raises CallFailed as over the wire."""
        descriptor: MethodDescriptor = service.methods_by_name[method]
        answer = await self.channels.call(
            descriptor, request, caller_token=token or None, timeout=30, metadata=headers
        )
        if not isinstance(answer, kind):
            raise TypeError(f"{method} answers {type(answer).__name__}")
        return answer

    async def publish(
        self,
        event: Message,
        *,
        key: UUID | str,
        version: int = 1,
        facility_id: UUID | None = None,
        id: UUID | None = None,
    ) -> UUID:
        """Put an event of a neighbor on its stream, as the neighbor's relay would. Returns the message's id."""
        message_id = id or uuid4()
        headers = event_headers(message_id, key, version, facility_id)
        subject = event.DESCRIPTOR.full_name
        await self._nats.jetstream().publish(
            subject, event.SerializeToString(), headers=headers, stream=stream_of(subject)
        )
        return message_id

    def system(self, service: str) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that sees every row of a service, for looking."""
        return self.host.runtimes[service].database.system()

    async def until(
        self,
        condition: Callable[[], Awaitable[object]],
        *,
        seconds: float = 60.0,
        what: str = "the condition",
    ) -> Any:
        """Wait until a condition gives something true, and return it; fail after `seconds`: several times as long as the
        broker takes to bring a message again.
        """
        ends = time.monotonic() + seconds
        while True:
            if found := await condition():
                return found
            if time.monotonic() > ends:
                raise AssertionError(f"{what} did not come true within {seconds} seconds")
            await asyncio.sleep(0.02)


def event_headers(
    message_id: UUID, key: UUID | str, version: int, facility_id: UUID | None
) -> dict[str, str]:
    """The headers that a relay gives an event."""
    headers = {
        MESSAGE_ID: str(message_id),
        KEY: str(key),
        VERSION: str(version),
    }
    return headers | ({FACILITY: str(facility_id)} if facility_id else {})


def _path(settings: Mapping[str, str], name: str) -> Path | None:
    return Path(settings[name]) if name in settings else None


@asynccontextmanager
async def running_hub(
    servers: Servers,
    services: Collection[str],
    *,
    env: Mapping[str, str] | None = None,
    neighbors: Collection[str] = SERVICES,  # whose streams there are, whether they run or not
    goes_on: bool = False,
    now: datetime | None = None,
) -> AsyncIterator[Hub]:
    """Run services on fresh databases and fresh streams until the block ends; with `goes_on`, on what is there. With
    `now` it is that instant from the first row on: a ledger does not forgive a clock that is set back later.
    """
    settings = {
        "IDENTITY_ISSUER": "http://127.0.0.1:9/realms/carehub",
        "IDENTITY_SIGNING_KEYS": str(servers.home / "caller-keys.json"),
        "IDENTITY_CREATE_KEYS": "1",
        "INTEROP_MLLP_PORT": "0",
        "REFERRALS_PUBLIC_URL": "http://127.0.0.1:8080",
        "TASKING_SMTP_HOST": "127.0.0.1",
        "TASKING_SMTP_PORT": "9",
        "TASKING_PUBLIC_URL": "http://127.0.0.1:8080",
        **service_keys(servers.home / "service-keys"),
        **(env or {}),
    }
    apps = [importlib.import_module(f"services.{name}.app").build(settings) for name in services]
    for app in () if goes_on else apps:
        await servers.prepare(app.name, app.migrations)
    conveyor = await connect(servers.nats.url, "test", max_bytes=64 * 1024**2)
    for name in () if goes_on else (*neighbors, "audit"):
        with contextlib.suppress(NotFoundError):
            await conveyor.js.delete_stream(name)
        await ensure_stream(conveyor, name)
    clock = Clock()
    if now:
        clock.set(now)

    key, heads = (_path(settings, name) for name in ("CAREHUB_AUDIT_KEY", "CAREHUB_AUDIT_HEADS"))
    host = Host(
        [with_ledger(app, key, heads) for app in apps],
        HostSettings(
            role=Role.ALL,
            database_urls={a.name: servers.url(a.name, "") for a in apps},
            system_urls={a.name: servers.url(a.name, "system") for a in apps},
            nats_url=servers.nats.url,
            service_keys=_path(settings, "CAREHUB_SERVICE_KEYS"),
            private_keys={a.name: Path(settings[f"{a.name.upper()}_SERVICE_KEY"]) for a in apps},
        ),
        caller_keys,
        clock,
    )
    try:
        await host.start()
        yield Hub(servers, host, clock, conveyor.client)
    finally:
        await host.stop(grace=5.0)
        await conveyor.close()
