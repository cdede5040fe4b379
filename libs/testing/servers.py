"""One PostgreSQL and one NATS for a whole test run, on loopback, in a folder of their own."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from libs.chassis.migrate import ROLES, create_database, migrate, role
from libs.local.nats import RunningNats, start_nats
from libs.local.postgres import RunningPostgres, start_postgres

# Tests look at results, never at power cuts: the kill tests, which do, start servers of their own.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, and the databases made so far."""

    home: Path
    postgres: RunningPostgres
    nats: RunningNats

    def url(self, service: str, kind: str) -> str:
        """The URL of a service's database as one of its four roles. Passwords mean nothing on this server."""
        name = role(service, kind)
        server = urlsplit(self.postgres.url)
        return f"postgresql://{name}:{name}@{server.hostname}:{server.port}/{service}"

    async def prepare(self, service: str, migrations: Path) -> None:
        """A migrated and empty database."""
        passwords: Mapping[str, str] = {role(service, k): role(service, k) for k in ROLES}
        await create_database(self.postgres.url, service, passwords)
        await migrate(self.url(service, "owner"), service, migrations)
        connection = await asyncpg.connect(self.admin_url(service))
        try:
            tables = await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%\\_version'"
            )
            names = ", ".join(f'"{row["tablename"]}"' for row in tables)
            # As a replica, whose triggers rest: those of the ledger refuse it.
            await connection.execute(
                f"SET session_replication_role = replica; TRUNCATE {names} RESTART IDENTITY CASCADE"
            )
        finally:
            await connection.close()

    def admin_url(self, service: str) -> str:
        return self.postgres.url.rpartition("/")[0] + f"/{service}"


@asynccontextmanager
async def running_servers() -> AsyncIterator[Servers]:
    home = Path(tempfile.mkdtemp(prefix="carehub-test-"))
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    try:
        postgres = await start_postgres(home, say=lambda _line: None, settings=_FAST)
        try:
            nats = await start_nats(home, say=lambda _line: None)
            try:
                yield Servers(home, postgres, nats)
            finally:
                await nats.stop()
        finally:
            await postgres.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
