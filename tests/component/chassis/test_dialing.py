"""A password is changed while people work: connections that are open stay, new ones follow the file."""

import asyncio
import contextlib
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import literal_column, select

from libs.chassis.config import ConfigError
from libs.chassis.database import Database, open_pool, sql
from libs.chassis.errors import Unavailable
from services.interop.app import build

ROLE = "interop_system"
BACKEND = sql(select(literal_column("pg_backend_pid()")))


class Role:
    """A role whose password is changed, and a pod's file of its URL."""

    def __init__(self, servers, admin, file):
        self._servers = servers
        self._admin = admin
        self.file = file
        self.password = ROLE

    async def change_password(self, password):
        await self._admin.execute(f"ALTER ROLE {ROLE} PASSWORD '{password}'")
        self.password = password

    def url(self, password):
        return self._servers.url("interop", "system").replace(f":{ROLE}@", f":{password}@")

    def write(self, *passwords):
        """As a kubelet does it: another file takes the place of the old one."""
        new = self.file.with_suffix(".new")
        new.write_text("\n".join(map(self.url, passwords)))
        new.replace(self.file)


@pytest.fixture
async def role(servers, tmp_path):
    await servers.prepare("interop", build({}).migrations)
    admin = await asyncpg.connect(servers.admin_url("interop"))
    role = Role(servers, admin, tmp_path / "system-url")
    role.write(ROLE)
    yield role
    await role.change_password(ROLE)
    await admin.close()


@contextlib.asynccontextmanager
async def opened(role, size=2):
    database = Database(
        None, await open_pool(str(role.file), size, "test"), lambda: datetime.now(UTC)
    )
    try:
        yield database
    finally:
        await database.close()


async def backends(database, number=1):
    """The server's processes behind so many transactions at once: a pool opens one more where none is free."""
    async with contextlib.AsyncExitStack() as stack:
        begun = [await stack.enter_async_context(database.system()) for _ in range(number)]
        return [await tx.one(BACKEND) for tx in begun]


async def test_a_new_connection_uses_the_password_that_the_file_has_by_then(role):
    async with opened(role) as database:
        (open_one,) = await backends(database)
        await role.change_password("another")
        role.write("another")
        assert await backends(database) == [open_one]
        both = await backends(database, 2)
        assert open_one in both
        assert len(set(both)) == 2


async def test_until_the_file_has_come_it_is_away_and_not_broken(role):
    async with opened(role) as database:
        (open_one,) = await backends(database)
        await role.change_password("another")
        with pytest.raises(Unavailable):
            await backends(database, 2)
        assert await backends(database) == [open_one]
        role.write("another")
        assert len(set(await backends(database, 2))) == 2


async def test_with_both_passwords_in_the_file_nobody_is_refused_at_any_moment(role):
    """Both, then the role, then the new one alone; new connections are made all the time."""
    changed = asyncio.Event()

    async def use():
        rounds = 0
        while not changed.is_set() or rounds < 3:
            async with opened(role) as database:
                rounds += len(await backends(database, 2)) // 2
        return rounds

    using = asyncio.create_task(use())
    for passwords in ((ROLE, "another"), ("another",)):
        role.write(*passwords)
        async with opened(role) as database:
            await backends(database)
        await role.change_password("another")
    changed.set()
    assert await using >= 3


async def test_a_file_without_a_url_is_refused_in_words(role):
    role.file.write_text("\n")
    async with opened(role) as database:
        with pytest.raises(ConfigError, match="should have the URL of a database"):
            await backends(database)


async def test_what_is_no_file_is_the_url_itself(servers, role):
    pool = await open_pool(servers.url("interop", "system"), 1, "test")
    database = Database(None, pool, lambda: datetime.now(UTC))
    assert len(await backends(database)) == 1
    await database.close()
