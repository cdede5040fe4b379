"""The two issuers that the contract holds for, with the same hands: add people, disable them, rotate keys, sign in."""

import asyncio
import hmac
import os
import re
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import httpx
import pytest

from libs.keycloak.definition import Definition, read_definition
from libs.local.issuer import Account, IssuerSettings, KeyRing, issuer_app
from libs.local.process import free_port
from tests.issuer.browsing import Browser, Client, Tokens
from tests.issuer.house import SECRET, served

IS_REAL = os.environ.get("CAREHUB_TEST_ISSUER") == "keycloak"
# What a run measured; printed at its end.
FIGURES: list[str] = []
only_keycloak = pytest.mark.skipif(not IS_REAL, reason="about a real Keycloak: make test-keycloak")


@dataclass(kw_only=True)
class Person:
    """Somebody with an account at the issuer."""

    account: str
    id: UUID = field(default_factory=uuid4)
    password: str = "a long password of a test"
    totp: str = field(default="", repr=False)
    code_used: int = -1


class Issuer(Protocol):
    """What the suite needs of an issuer."""

    is_real: bool
    issuer: str
    definition: Definition

    async def add(self, person: Person) -> None: ...
    async def disable(self, person: Person) -> None: ...
    async def publish_next_key(self) -> None: ...
    async def rotate(self) -> None: ...
    async def enter(
        self, browser: Browser, page: httpx.Response, person: Person
    ) -> httpx.Response: ...
    async def confirm(
        self, browser: Browser, page: httpx.Response, person: Person
    ) -> httpx.Response: ...


async def tokens_of(issuer: Issuer, callback: str, person: Person, **asked: str) -> Tokens:
    """Sign in as a client would, and return what the issuer gives."""
    client = Client(issuer.issuer, callback)
    async with Browser() as browser:
        page = await client.ask(browser, **asked)
        back = await issuer.enter(browser, page, person)
        if "acr_values" in asked:
            back = await issuer.confirm(browser, back, person)
        answer = await client.redeem(back)
    assert answer.status_code == 200, answer.text
    return Tokens(answer=answer.json())


class Development:
    """The issuer of `carehub up`."""

    is_real = False

    def __init__(self, home: Path, url: str, public_url: str) -> None:
        self._home = home
        self._people: list[Account] = []
        self.issuer = f"{url}/realms/carehub"
        self.definition = read_definition(public_url=public_url)
        self.app = issuer_app(
            IssuerSettings(
                home=home,
                url=url,
                accounts=lambda: list(self._people),
                client_secret=SECRET,
                redirect_uris=[f"{public_url}/signin/callback"],
                post_logout_redirect_uris=[f"{public_url}/"],
            )
        )

    @property
    def ring(self) -> KeyRing:
        return KeyRing(self._home / "issuer")

    async def add(self, person: Person) -> None:
        self._people.append(
            Account(
                username=person.account,
                password=person.password,
                subject=person.id,
                name=person.account.title(),
                email=f"{person.account}@example.org",
            )
        )

    async def disable(self, person: Person) -> None:
        self._people = [one for one in self._people if one.subject != person.id]

    async def publish_next_key(self) -> None:
        """It always publishes the next one."""

    async def rotate(self) -> None:
        self.ring.rotate()

    async def enter(self, browser: Browser, page: httpx.Response, person: Person) -> httpx.Response:
        return await browser.fill(page, username=person.account, password=person.password)

    async def confirm(
        self, browser: Browser, page: httpx.Response, person: Person
    ) -> httpx.Response:
        """It has no second factor, and says 2 to whoever asks for it."""
        return page


@asynccontextmanager
async def development(home: Path, public_url: str) -> AsyncIterator[Development]:
    url = f"http://127.0.0.1:{free_port()}"
    issuer = Development(home, url, public_url)
    async with served(issuer.app, url):
        yield issuer


class RealKeycloak:
    """A Keycloak that `carehub keycloak provision` has made what it should be."""

    is_real = True

    def __init__(self, url: str, public_url: str, admin: "object", realm: str) -> None:
        self.url = url
        self.issuer = f"{url}/realms/{realm}"
        self.realm = realm
        self.admin = admin
        self.definition = read_definition(realm=realm, public_url=public_url)

    async def _ask(self, name: str, *arguments: object) -> object:
        return await asyncio.to_thread(getattr(self.admin, name), *arguments)

    async def add(self, person: Person) -> None:
        user = {
            "id": str(person.id),
            "username": person.account,
            "firstName": person.account.title(),
            "email": f"{person.account}@example.org",
            "enabled": True,
            "credentials": [{"type": "password", "value": person.password, "temporary": False}],
        }
        payload = {"ifResourceExists": "FAIL", "users": [user]}
        await self._ask("partial_import_realm", self.realm, payload)

    async def disable(self, person: Person) -> None:
        await self._ask("update_user", str(person.id), {"enabled": False})

    async def publish_next_key(self) -> None:
        """A key of low priority is published and signs nothing."""
        realm = await self._ask("get_realm", self.realm)
        self._next = {
            "name": f"next-{uuid4()}",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm["id"],  # type: ignore[index]
            "config": {
                "priority": ["1"],
                "enabled": ["true"],
                "active": ["true"],
                "keySize": ["2048"],
                "algorithm": ["RS256"],
            },
        }
        self._next["id"] = await self._ask("create_component", self._next)

    async def rotate(self) -> None:
        """It signs from now on; the last one stays published."""
        priority = str(1000 + int(time.time()) % 1_000_000_000)
        self._next["config"]["priority"] = [priority]  # type: ignore[index]
        await self._ask("update_component", self._next["id"], self._next)

    async def enter(self, browser: Browser, page: httpx.Response, person: Person) -> httpx.Response:
        return await browser.fill(page, username=person.account, password=person.password)

    async def confirm(
        self, browser: Browser, page: httpx.Response, person: Person
    ) -> httpx.Response:
        """The second factor: set up the first time, then a code that was not used before."""
        if found := re.search(r'name="totpSecret"[^>]*value="([^"]+)"', page.text):
            person.totp = found[1]
            return await browser.fill(page, totp=await _code(person), userLabel="a test")
        return await browser.fill(page, otp=await _code(person))


async def _code(person: Person) -> str:
    """A code works once: after it, the next one, which Keycloak takes a little ahead of time."""
    counter = max(int(time.time()) // 30, person.code_used + 1)
    while counter > int(time.time()) // 30 + 1:
        await asyncio.sleep(0.5)
    person.code_used = counter
    digest = hmac.new(person.totp.encode(), struct.pack(">Q", counter), "sha1").digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"
