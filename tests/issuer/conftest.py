"""The issuer of this run, and identity and a gateway in front of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from libs.local.process import free_port
from libs.testing.servers import Servers
from tests.issuer.browsing import Browser
from tests.issuer.house import SECRET, House, a_house
from tests.issuer.issuers import FIGURES, IS_REAL, Issuer, Person, RealKeycloak, development
from tests.issuer.keycloak_server import VERSION, CannotRun, Server, running_keycloak

REALM = "carehub"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("issuer")
        for line in FIGURES:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
async def keycloak(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server | None]:
    if not IS_REAL:
        yield None
        return
    home = tmp_path_factory.mktemp("keycloak")
    try:
        async with running_keycloak(home) as server:
            FIGURES.append(f"Keycloak {VERSION} answered after {server.seconds:.0f} s")
            yield server
    except CannotRun as reason:
        FIGURES.append(f"NOT RUN: {reason}")
        pytest.skip(f"no real Keycloak: {reason}")


@pytest.fixture(scope="session")
def public_url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
async def issuer(
    keycloak: Server | None, tmp_path_factory: pytest.TempPathFactory, public_url: str
) -> AsyncIterator[Issuer]:
    home = tmp_path_factory.mktemp("issuer")
    if keycloak is None:
        async with development(home, public_url) as issuer:
            yield issuer
        return
    yield await _provisioned(keycloak, public_url, home)


async def _provisioned(server: Server, public_url: str, home: Path) -> RealKeycloak:
    from libs.keycloak.definition import read_definition
    from libs.keycloak.provision import Administrator, Order, provision

    secret = home / "client-secret"
    secret.write_text(SECRET)
    administrator = Administrator(
        url=server.url, username=server.username, password=server.password
    )
    order = Order(
        definition=read_definition(realm=REALM, public_url=public_url), secret_file=secret
    )
    await asyncio.to_thread(provision, administrator, order, lambda _: None)
    return RealKeycloak(server.url, public_url, administrator.connect(REALM), REALM)


@pytest.fixture(scope="session")
async def house(
    servers: Servers, issuer: Issuer, public_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with a_house(servers, tmp_path_factory.mktemp("house"), issuer.issuer, public_url) as one:
        yield one


@pytest.fixture
def hire(issuer: Issuer, house: House) -> Callable[[], Awaitable[Person]]:
    """Somebody new, whom both the issuer and identity know."""

    async def hired() -> Person:
        person = Person(account=f"p{uuid4().hex[:12]}")
        await issuer.add(person)
        await house.hire(person.id, person.account)
        return person

    return hired


@pytest.fixture
async def person(hire: Callable[[], Awaitable[Person]]) -> Person:
    return await hire()


@pytest.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    async with Browser(house.url) as one:
        yield one
