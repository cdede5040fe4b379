"""Every RPC of every contract, the callers of the matrix, and the ways in: over a wire with gRPC, and through the gateway."""

import asyncio
import importlib
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from carehub.access.v1 import access_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from gateway.api.app import GatewaySettings, build
from gateway.api.image import Image
from libs.chassis.channels import Channels
from libs.chassis.server import serve
from libs.chassis.services import ServiceSigner
from libs.chassis.wire import CallFailed
from libs.local.environment import service_key
from libs.local.process import free_port
from libs.testing.hub import caller_token
from services.identity.domain.role import PERMISSIONS, Role
from services.identity.domain.token import OWN_READ
from tests.component.gateway.exchanging import Exchanging
from tests.reference.callers import LEFT, NO_ROLE, NOBODY, PATIENT, ROLES, SERVICES
from tests.reference.facts import words

NO_ANSWER = frozenset({"TOOK_TOO_LONG"})
PLACE, LEAVER = UUID(int=0xA1), UUID(int=0xA2)
URL = "http://127.0.0.1:8080"
BYTES = Path("libs/contracts/contracts.binpb").read_bytes()
IMAGE = Image(BYTES)
# What the guard says before a line of the service has run.
REFUSALS = words(
    "CALLER_MISSING CALLER_TOKEN_INVALID CALLER_TOKEN_EXPIRED CALLER_DEACTIVATED PERMISSION_MISSING "
    "SERVICE_NOT_LISTED"
)


def methods() -> Iterator[MethodDescriptor]:
    """Those of every contract that there is: found in the folder, so that a new one cannot be forgotten."""
    for file in sorted(Path("protos/carehub").glob("*/v1/*_service.proto")):
        name = file.relative_to("protos").with_suffix("").as_posix().replace("/", ".")
        module = importlib.import_module(f"{name}_pb2")
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


async def until_answered(ask: Callable[[], Awaitable[str]]) -> str:
    """A machine that is too busy to answer in time has not answered: ask again."""
    for _ in range(5):
        outcome = await ask()
        if not outcome.endswith("TOOK_TOO_LONG"):
            break
    return outcome


class Calling:
    """A hub, with a token for every caller of the matrix."""

    def __init__(self, hub, keys: Path, channels: Channels, client: httpx.AsyncClient) -> None:
        self.hub, self.keys, self.channels, self.client = hub, keys, channels, client
        self.tokens: dict[str, str] = {}

    async def meet(self) -> None:
        for role in sorted(ROLES):
            self.tokens[role] = caller_token(
                permissions=PERMISSIONS[Role(role)], facilities=[PLACE], roles=[role]
            )
        self.tokens[NOBODY] = ""
        self.tokens[NO_ROLE] = caller_token(roles=[])
        self.tokens[PATIENT] = caller_token(
            roles=[], permissions=[OWN_READ], purpose="PATIENT_REQUEST"
        )
        everything = {permission for held in PERMISSIONS.values() for permission in held}
        told = {"permissions": everything, "facilities": [PLACE]}
        self.left = caller_token(**told, subject=LEAVER, exp=int(time.time()) + 30)
        self.ended = caller_token(**told, exp=int(time.time()) - 60, iat=int(time.time()) - 90)
        gone = access_pb2.ApplyAccessRequest(deactivated_ids=[str(LEAVER)])
        for method in methods():
            if method.name == "ApplyAccess":
                await self.channels.call(
                    method, gone, caller_token=self.token("service identity", ""), timeout=10
                )

    def token(self, caller: str, service: str) -> str:
        """Of who was deactivated: holders know it at once; elsewhere the token in hand ends, and there is no other."""
        if caller.startswith("service "):
            name = caller.removeprefix("service ")
            return ServiceSigner(name, service_key(self.keys, name)).token()
        if caller == LEFT:
            return (
                self.left
                if service
                in ("analytics", "careplans", "messaging", "referrals", "registry", "tasking")
                else self.ended
            )
        return self.tokens[caller]

    async def over_grpc(self, method: MethodDescriptor, caller: str) -> str:
        """What the guard refused with; empty: let through, whatever the service then said."""
        token = self.token(caller, method.full_name.split(".")[1])
        request = GetMessageClass(method.input_type)()
        for field in method.input_type.fields:
            if field.name.endswith("_id") and field.type == field.TYPE_STRING:
                setattr(request, field.name, str(uuid4()))
        try:
            await self.channels.call(method, request, caller_token=token or None, timeout=10)
        except CallFailed as failed:
            return failed.reason if failed.reason in REFUSALS | NO_ANSWER else ""
        return ""

    async def over_rest(self, endpoint, caller: str) -> str:
        token = self.token(caller, endpoint.method.full_name.split(".")[1])
        path = re.sub(r"\{[^}]*\}", str(uuid4()), endpoint.template.text)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = None if endpoint.is_safe else {}
        answer = await self.client.request(endpoint.http_method, path, json=body, headers=headers)
        reason = answer.json().get("reason", "") if answer.status_code >= 400 else ""
        return reason if reason in REFUSALS | NO_ANSWER or answer.status_code == 401 else ""


@asynccontextmanager
async def calling(hub, servers):
    """All services, one port of gRPC for all of them, and a gateway."""
    async with hub(*sorted(SERVICES)) as running:
        stopping = asyncio.Event()
        address = f"127.0.0.1:{free_port()}"
        server = await serve(running.host.guards, address, stopping)
        channels = Channels(dict.fromkeys(SERVICES, address))
        async with gateway(channels) as client:
            here = Calling(running, servers.home / "service-keys", channels, client)
            await here.meet()
            yield here
        await channels.close()
        stopping.set()
        await server


def gateway(channels: Channels) -> httpx.AsyncClient:
    """A client of a gateway whose access tokens are the caller tokens themselves."""
    settings = GatewaySettings(
        public_url=URL, issuer=f"{URL}/realms/carehub", client_secret="not-a-secret-here",
        caller_per_second=1e6, caller_burst=10**6, address_per_second=1e6, address_burst=10**6,
    )  # fmt: skip
    transport = httpx.ASGITransport(build(Itself(channels), settings, BYTES))
    return httpx.AsyncClient(transport=transport, base_url=URL)


class Itself(Exchanging):
    """In identity's place: an access token is worth itself."""

    def __init__(self, channels: Channels) -> None:
        super().__init__(channels)
        self._tokens = _Same()


class _Same:
    def __getitem__(self, token: str) -> str:
        return token
