"""Databases, roles and migrations: what a service's database needs before the service starts.

Alembic orders the revisions and writes the script; the script runs in one transaction under an advisory lock, so that
two that start at once do it once, and one that is killed has done nothing.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

CHASSIS = Path(__file__).parent / "migrations"
ROLES = ("owner", "", "system", "maintenance")
_LOCK = 7303014
# Whoever restores a backup holds it in every database until the end, also in those that stay as they are.
RESTORING = 7303017


@dataclass(frozen=True, slots=True)
class Chain:
    """A folder of migrations and the table that remembers how far a database has come."""

    folder: Path
    version_table: str

    def head(self) -> str:
        return _script(self).get_current_head() or ""


def reaches(current: str | None, head: str) -> bool:
    """Whether code of `head` runs on a schema: on that one or a newer one, as after a rollback; on none half restored."""
    return current is not None and current.isdecimal() and int(current) >= int(head)


def role(service: str, kind: str) -> str:
    """The name of one of the four roles: `tasking_owner`, `tasking`, `tasking_system`, `tasking_maintenance`."""
    return f"{service}_{kind}" if kind else service


def chains(service_migrations: Path) -> tuple[Chain, ...]:
    return (Chain(CHASSIS, "chassis_version"), Chain(service_migrations, "service_version"))


def _script(chain: Chain) -> ScriptDirectory:
    return ScriptDirectory(str(chain.folder), version_locations=[str(chain.folder)])


async def create_database(admin_url: str, service: str, passwords: Mapping[str, str]) -> None:
    """Create the service's roles and database where they are missing. `passwords` is by role name.

    Needs a server administrator; on Kubernetes the database operator does this instead.
    """
    connection = await asyncpg.connect(admin_url)
    try:
        for kind in ROLES:
            name = role(service, kind)
            if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
                await connection.execute(f'CREATE ROLE "{name}" LOGIN NOINHERIT')
            quoted = await connection.fetchval("SELECT quote_literal($1::text)", passwords[name])
            bypass = "BYPASSRLS" if kind == "maintenance" else "NOBYPASSRLS"
            await connection.execute(f'ALTER ROLE "{name}" PASSWORD {quoted} {bypass}')
        if not await connection.fetchval(
            "SELECT true FROM pg_database WHERE datname = $1", service
        ):
            await connection.execute(
                f'CREATE DATABASE "{service}" OWNER "{role(service, "owner")}"'
            )
        await connection.execute(f'REVOKE ALL ON DATABASE "{service}" FROM PUBLIC')
        others = ", ".join(f'"{role(service, kind)}"' for kind in ROLES)
        await connection.execute(f'GRANT CONNECT ON DATABASE "{service}" TO {others}')
    finally:
        await connection.close()


async def migrate(owner_url: str, service: str, service_migrations: Path) -> list[str]:
    """Bring a database to head; one that is newer stays. Returns the revisions that were applied."""
    applied: list[str] = []
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            await connection.execute(
                f"SET LOCAL lock_timeout = '10s'; SELECT pg_advisory_xact_lock({_LOCK})"
            )
            for chain in chains(service_migrations):
                current = await _current(connection, chain)
                if reaches(current, chain.head()):
                    continue
                await connection.execute(_upgrade_script(chain, service, current))
                applied.append(f"{chain.version_table} {current or 'empty'} -> {chain.head()}")
            if applied:
                for kind in ROLES[1:]:
                    await connection.execute(
                        f'GRANT USAGE ON SCHEMA public TO "{role(service, kind)}"'
                    )
                    for table in ("chassis_version", "service_version"):
                        await connection.execute(
                            f'GRANT SELECT ON {table} TO "{role(service, kind)}"'
                        )
    finally:
        await connection.close()
    return applied


async def _current(connection: Any, chain: Chain) -> str | None:
    if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", chain.version_table):
        return None
    found: str | None = await connection.fetchval(f"SELECT version_num FROM {chain.version_table}")  # noqa: S608 a constant of ours
    return found


def _upgrade_script(chain: Chain, service: str, current: str | None) -> str:
    script = _script(chain)
    out = io.StringIO()

    def revisions(_rev: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", current)  # type: ignore[arg-type]

    with EnvironmentContext(
        Config(), script, fn=revisions, as_sql=True, starting_rev=current
    ) as environment:
        environment.configure(
            dialect_name="postgresql",
            dialect_opts={"paramstyle": "named"},  # otherwise every % in a script is doubled
            output_buffer=out,
            version_table=chain.version_table,
            transactional_ddl=False,  # the transaction is ours
            service=service,
        )
        environment.run_migrations()
    return out.getvalue()


async def is_at_head(connection: Any, service_migrations: Path) -> bool:
    """Whether this code runs on the schema, and nobody restores a backup. A pod is not ready until it does."""
    if not await connection.fetchval(f"SELECT pg_try_advisory_xact_lock_shared({RESTORING})"):
        return False
    for chain in chains(service_migrations):
        if not reaches(await _current(connection, chain), chain.head()):
            return False
    return True
