"""Every hostile token at every entry: none is taken, none breaks anything, none is written down."""

import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
from carehub.identity.v1 import identity_service_pb2 as rpc
from joserfc.jwk import KeySet, RSAKey

from gateway.api.app import GatewaySettings, build
from libs.chassis.wire import CallFailed, from_rpc_error
from tests.issuer.browsing import claims_of, header_of
from tests.issuer.hostile import MAKERS, Forge, KeyKeptElsewhere
from tests.issuer.house import IMAGE, SECRET, House
from tests.issuer.issuers import FIGURES, Development, Issuer, Person, tokens_of

AT_LEAST = 120


@pytest.fixture(scope="module")
async def gateway(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway without a wire, so that bytes reach it which no client would send."""
    settings = GatewaySettings(
        public_url=house.url,
        issuer=house.issuer,
        client_secret=SECRET,
        web=Path("/none"),
        address_per_second=10_000.0,
        address_burst=100_000,
    )
    app = build(house.host.channels, settings, IMAGE.read_bytes())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=True), base_url=house.url
    ) as client:
        yield client


class Workshop:
    """A good access token and a good caller token of the same person, taken apart; new ones before they end."""

    def __init__(self, issuer: Issuer, house: House, person: Person) -> None:
        self._issuer, self._house, self._person = issuer, house, person
        self._forges: dict[str, Forge] = {}

    async def forges(self) -> dict[str, Forge]:
        if not self._forges or self._forges["access"].claims["exp"] < time.time() + 25:
            self._forges = await self._opened()
        return self._forges

    async def _opened(self) -> dict[str, Forge]:
        given = await tokens_of(self._issuer, self._house.callback, self._person)
        caller = await self._house.exchange(given.access)
        others = {"the ID token": given.id, "the refresh token": given.refresh}
        signing = KeySet.import_key_set(json.loads(self._house.signing_keys.read_text()))
        access = Forge(
            key=await self._key_of(header_of(given.access)["kid"]),
            algorithm="RS256",
            header=header_of(given.access),
            claims=claims_of(given.access),
            others=others | {"the token of the other kind": caller},
            token=given.access,
        )
        ours = Forge(
            key=next(k for k in signing.keys if k.kid == header_of(caller)["kid"]),
            algorithm="Ed25519",
            header=header_of(caller),
            claims=claims_of(caller) | {"exp": int(time.time()) + 600},
            others=others | {"the token of the other kind": given.access},
        )
        return {"access": access, "caller": ours}

    async def _key_of(self, kid: str) -> RSAKey:
        """The issuer's key; of a Keycloak the public half, which is what everybody can have."""
        if isinstance(self._issuer, Development):
            return next(key for key in self._issuer.ring._current() if key.kid == kid)
        async with httpx.AsyncClient(trust_env=False) as http:
            certs = await http.get(f"{self._issuer.issuer}/protocol/openid-connect/certs")
        return RSAKey.import_key(next(key for key in certs.json()["keys"] if key["kid"] == kid))


@pytest.fixture(scope="module")
async def workshop(issuer, house: House) -> Workshop:
    person = Person(account=f"h{uuid4().hex[:12]}")
    await issuer.add(person)
    await house.hire(person.id, person.account)
    return Workshop(issuer, house, person)


@pytest.fixture
async def forges(workshop: Workshop) -> dict[str, Forge]:
    return await workshop.forges()


def answer_of(response: httpx.Response) -> str:
    return f"{response.status_code} {response.json().get('reason', '')}"


class Entries:
    """The four ways in. Each returns "taken", or how the token was refused."""

    def __init__(self, house: House, gateway: httpx.AsyncClient) -> None:
        self._house = house
        self._gateway = gateway
        self._channel = grpc.aio.insecure_channel(house.grpc)

    async def bearer(self, token: bytes) -> str:
        response = await self._gateway.get(
            "/v1/me", headers=[(b"authorization", b"Bearer " + token)]
        )
        return "taken" if response.status_code == 200 else answer_of(response)

    async def cookie(self, token: bytes) -> str:
        response = await self._gateway.get(
            "/v1/me", headers=[(b"cookie", b"carehub=" + token + b"; __Host-carehub=" + token)]
        )
        return "taken" if response.status_code == 200 else answer_of(response)

    async def exchange(self, token: bytes) -> str:
        text = token.decode(errors="replace")
        try:
            await self._house.call("ExchangeToken", rpc.ExchangeTokenRequest(access_token=text))
        except CallFailed as failed:
            return f"{failed.code} {failed.reason}"
        return "taken"

    async def caller(self, token: bytes) -> str:
        """Over the wire where a gRPC client would send it, and always as the guard sees it."""
        text = token.decode("latin-1")
        method = "/carehub.identity.v1.IdentityService/GetMe"
        if text.isprintable() and text.isascii() and len(text) < 60_000:
            call = self._channel.unary_unary(method)
            try:
                await call(b"", metadata=(("x-caller-token", text),), timeout=10)
            except grpc.aio.AioRpcError as error:
                failed = from_rpc_error(error)
                if failed.code != "UNAUTHENTICATED":
                    return f"{failed.code} {failed.reason} over the wire"
            else:
                return "taken over the wire"
        contract = rpc.DESCRIPTOR.services_by_name["IdentityService"]
        try:
            await self._house.host.channels.call(
                contract.methods_by_name["GetMe"], rpc.GetMeRequest(), caller_token=text, timeout=10
            )
        except CallFailed as failed:
            return f"{failed.code} {failed.reason}"
        return "taken"


Entry = Callable[[bytes], Awaitable[str]]


@pytest.fixture(scope="module")
async def entries(house: House, gateway: httpx.AsyncClient) -> Entries:
    return Entries(house, gateway)  # in a loop, which its channel needs


def test_there_are_enough_of_them():
    FIGURES.append(f"{len(MAKERS)} hostile tokens, at 4 entries")
    assert len(MAKERS) >= AT_LEAST


async def test_the_good_ones_are_taken(forges, entries: Entries):
    """Otherwise a refusal would prove nothing."""
    assert await entries.bearer(forges["access"].good()) == "taken"
    assert await entries.exchange(forges["access"].good()) == "taken"
    assert await entries.caller(forges["caller"].good()) == "taken over the wire"


@pytest.mark.parametrize("name", MAKERS)
async def test_a_hostile_token_is_refused_everywhere(name, forges, entries: Entries, caplog):
    caplog.set_level(logging.DEBUG)
    as_caller = MAKERS[name](forges["caller"])
    try:
        as_access = MAKERS[name](forges["access"])
    except KeyKeptElsewhere:
        # Nobody but the issuer could bring this one to us.
        as_access = b"kept elsewhere"
    if name == "the token of the other kind":
        # Each is good where it belongs.
        assert await entries.bearer(as_access) == "401 TOKEN_ALGORITHM"
        assert await entries.exchange(as_access) == "UNAUTHENTICATED TOKEN_ALGORITHM"
        assert await entries.caller(as_caller) == "UNAUTHENTICATED CALLER_TOKEN_INVALID"
        return
    found = {
        "bearer": await entries.bearer(as_access),
        "bearer, a caller token": await entries.bearer(as_caller),
        "cookie": await entries.cookie(as_access),
        "exchange": await entries.exchange(as_access),
        "exchange, a caller token": await entries.exchange(as_caller),
        "caller": await entries.caller(as_caller),
        "caller, an access token": await entries.caller(as_access),
    }
    wrong = {
        entry: how
        for entry, how in found.items()
        if not how.startswith(
            "401 " if entry.startswith(("bearer", "cookie")) else "UNAUTHENTICATED "
        )
    }
    assert wrong == {}
    for token in (as_access, as_caller):
        assert not written_down(token, caplog.records)


def written_down(token: bytes, records: list[logging.LogRecord]) -> list[str]:
    """The records that hold a token, or a part of it long enough to be worth something."""
    text = token.decode("latin-1")
    parts = [part for part in (text, *text.split(".")) if len(part) >= 24]
    return [
        record.getMessage()
        for record in records
        if any(part in f"{record.getMessage()} {record.__dict__}" for part in parts)
    ]
