"""Load one database of a set. Until the whole restore is done the schema has no revision, and no process starts on it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.backup import tables
from libs.backup.archive import BackupFailed, Seal, damaged, read
from libs.backup.manifest import DatabaseSet
from libs.backup.tables import Connection, StoredTable
from libs.chassis.faults import whereabouts
from libs.chassis.migrate import chains, migrate

UNFINISHED = "restoring"
_KEYS = """
    SELECT conrelid::regclass::text AS name, conname, pg_get_constraintdef(oid) AS text FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
"""
_MONTHS = """
    SELECT audit_partition(month::date) FROM generate_series(date_trunc('month', now() AT TIME ZONE 'UTC'),
        date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC'), interval '1 month') month
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A service's database, empty or to be emptied, by its owner's URL and the maintenance role's."""

    service: str
    owner_url: str
    maintenance_url: str
    migrations: Path


def check_schema(target: Target, told: DatabaseSet) -> None:
    """BackupFailed where this CareHub would make another schema than the set's."""
    ours = {chain.version_table: chain.head() for chain in chains(target.migrations)}
    if ours != dict(told.revisions):
        raise BackupFailed(
            f"{target.service}: the set has the schema {_words(told.revisions)}, this CareHub makes {_words(ours)}. "
            f"Restore with CareHub {told.carehub}, which made the set, then upgrade."
        )


def _words(revisions: Mapping[str, str]) -> str:
    return ", ".join(
        f"{name.removesuffix('_version')} {at}" for name, at in sorted(revisions.items())
    )


async def check_empty(target: Target, told: DatabaseSet, set_id: UUID) -> None:
    """BackupFailed where the database was used, other than by a restore of this set that was interrupted at its end."""
    connection = await tables.connect(target.service, target.maintenance_url)
    try:
        schema = await tables.revisions(connection)
        if not schema or schema.get("service_version") == UNFINISHED:
            return  # nothing, or what an earlier restore left half done
        if await tables.is_as_restored(target.service, connection, told, set_id):
            return
        used = await tables.is_used(connection, await tables.tables_of(target.service, connection))
    finally:
        await connection.close()
    if used:
        raise BackupFailed(
            f"{target.service}: its database is not empty: there are rows in {used}. Restore into empty databases, or "
            "say --replace: then what is there now is lost."
        )


async def load(
    target: Target,
    told: DatabaseSet,
    source: tuple[Path, Seal | None],
    adjust: Callable[[Connection], Awaitable[None]],
    say: Callable[[str], None],
) -> None:
    """Make the schema anew and fill it. `adjust` does the rest in the same transaction, once every digest is right.

    Nobody starts on it before `release`.
    """
    owner = await tables.connect(target.service, target.owner_url)
    try:
        await _make_anew(owner, target, told)
        keys = await _unfinish(owner, told)
        filling = await tables.connect(target.service, target.maintenance_url)
        try:
            async with filling.transaction():
                await _fill(filling, target.service, told, source, say)
                await adjust(filling)
            numbers = await tables.sequences(filling)
        finally:
            await filling.close()
        await _mend(owner, told, keys, numbers)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BackupFailed(
            f"{target.service}: the database refused it ({whereabouts(error)})."
        ) from error
    finally:
        await owner.close()


async def release(target: Target, told: DatabaseSet) -> None:
    """Whoever waits for the schema may start; twice is once."""
    owner = await tables.connect(target.service, target.owner_url)
    try:
        await owner.execute(
            "UPDATE service_version SET version_num = $1", told.revisions["service_version"]
        )
    finally:
        await owner.close()


async def _make_anew(owner: Connection, target: Target, told: DatabaseSet) -> None:
    """An empty schema of the set's revisions."""
    if await tables.revisions(owner):
        await owner.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await migrate(target.owner_url, target.service, target.migrations)
    if told.ledger.until:  # room for each of its months, before its rows come
        await owner.fetch(_MONTHS, told.ledger.until)


async def _unfinish(owner: Connection, told: DatabaseSet) -> list[asyncpg.Record]:
    """No trigger that counts, no key that wants an order; the keys that were there."""
    async with owner.transaction():
        await owner.execute("UPDATE service_version SET version_num = $1", UNFINISHED)
        for name in told.tables:
            await owner.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        keys = await owner.fetch(_KEYS)
        for key in keys:
            await owner.execute(f'ALTER TABLE {key["name"]} DROP CONSTRAINT "{key["conname"]}"')
    return keys


async def _fill(
    filling: Connection,
    service: str,
    told: DatabaseSet,
    source: tuple[Path, Seal | None],
    say: Callable[[str], None],
) -> None:
    there = {table.name: table for table in await tables.tables_of(service, filling)}
    for name, each in told.tables.items():
        table = StoredTable(name, each.columns)
        if name not in there or set(there[name].columns) != set(each.columns):
            raise BackupFailed(f"{service}: {name} has other columns than in the set.")
        say(f"{service}: {name}, {each.rows:,} rows")
        if await filling.fetchval(f'SELECT EXISTS (SELECT FROM "{name}")'):  # noqa: S608
            await filling.execute(f'DELETE FROM "{name}"')  # noqa: S608 what a migration put in
        pieces = read(source[0], each.file.name, source[1])
        await filling.copy_to_table(name, source=_awaited(pieces), columns=list(each.columns))
        if await tables.digest(filling, table) != (each.rows, each.digest):
            raise damaged(each.file.name)


async def _awaited(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _mend(
    owner: Connection,
    told: DatabaseSet,
    keys: list[asyncpg.Record],
    numbers: list[tuple[str, int]],
) -> None:
    """Keys are checked, triggers count again, sequences go on."""
    async with owner.transaction():
        for key in keys:
            await owner.execute(
                f'ALTER TABLE {key["name"]} ADD CONSTRAINT "{key["conname"]}" {key["text"]}'
            )
        for name in told.tables:
            await owner.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')
        for name, first in numbers:
            await owner.execute(
                "SELECT setval(format('public.%I', $1::text)::regclass, $2, false)", name, first
            )
