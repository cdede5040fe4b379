"""What a service's database holds, asked of its own catalog: tables, sequences, revisions, the end of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from libs.backup.archive import BackupFailed
from libs.backup.manifest import DatabaseSet, LedgerSet
from libs.chassis.database import CONNECTION_LOST

Connection: TypeAlias = "asyncpg.Connection[Any]"
# How values are written depends on these, and digests on how values are written.
_WRITTEN_ALIKE = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lock_timeout": "10s",
    "statement_timeout": "0",
}
VERSIONS = ("chassis_version", "service_version")
_TABLES = """
    SELECT c.relname AS name, has_table_privilege(c.oid, 'SELECT') AS is_readable, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> ALL ($1)
    GROUP BY c.oid, c.relname ORDER BY c.relname
"""
# Those that a column owns, and those that a default asks.
_SEQUENCES = """
    SELECT s.relname::text AS seq, t.relname::text AS tab, a.attname::text AS col
    FROM pg_class s JOIN pg_depend d ON s.oid = d.objid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S' AND d.classid = 'pg_class'::regclass
    UNION SELECT s.relname, t.relname, a.attname
    FROM pg_class s JOIN pg_depend d ON s.oid = d.refobjid AND d.classid = 'pg_attrdef'::regclass
        JOIN pg_attrdef e ON e.oid = d.objid JOIN pg_class t ON t.oid = e.adrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = e.adnum
    WHERE s.relkind = 'S' AND d.refclassid = 'pg_class'::regclass
"""


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table with the columns that are written: generated ones follow."""

    name: str
    columns: tuple[str, ...]

    @property
    def listed(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)

    @property
    def everything(self) -> str:
        return f'SELECT {self.listed} FROM "{self.name}"'  # noqa: S608 names from the catalog


async def connect(service: str, url: str) -> Connection:
    """A connection of one's own, for long work."""
    try:
        return await asyncpg.connect(
            url,
            server_settings={**_WRITTEN_ALIKE, "application_name": "carehub-backup"},
            timeout=15,
        )
    except (*CONNECTION_LOST, asyncpg.PostgresError, TimeoutError) as error:
        raise BackupFailed(
            f"{service}: its database does not answer ({type(error).__name__}). Start it and try again."
        ) from error


async def tables_of(service: str, connection: Connection) -> list[StoredTable]:
    """All of them but the revisions. BackupFailed where one may not be read: it would be missing without a word."""
    found = await connection.fetch(_TABLES, list(VERSIONS))
    if hidden := [row["name"] for row in found if not row["is_readable"]]:
        raise BackupFailed(
            f"{service}: the role of the URL may not read {', '.join(hidden)}. Use the maintenance role's."
        )
    return [StoredTable(row["name"], tuple(row["columns"])) for row in found]


async def digest(connection: Connection, table: StoredTable) -> tuple[int, str]:
    """How many rows, and a sum over the digests of all: the same in whatever order they lie."""
    row = await connection.fetchrow(f"""
        SELECT count(*) AS rows, coalesce(sum(
            ('x' || encode(substring(sha256(convert_to(t::text, 'UTF8')) FOR 8), 'hex'))::bit(64)::bigint::numeric
        ), 0)::text AS digest FROM ({table.everything}) t""")  # noqa: S608 names from the catalog
    return (row["rows"], row["digest"]) if row else (0, "0")


async def revisions(connection: Connection) -> dict[str, str]:
    """How far the schema has come; empty where there is none."""
    found = {}
    for table in VERSIONS:
        if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
            version = await connection.fetchval(f"SELECT version_num FROM {table}")  # noqa: S608 a constant
            found[table] = str(version)
    return found


async def sequences(connection: Connection) -> list[tuple[str, int]]:
    """Each sequence with the first number that nobody has. Of a sequence itself only its owner may ask."""
    found = dict[str, int]()
    for row in await connection.fetch(_SEQUENCES):
        most = await connection.fetchval(f'SELECT max("{row["col"]}") FROM "{row["tab"]}"')  # noqa: S608
        found[row["seq"]] = max(found.get(row["seq"], 1), (most or 0) + 1)
    return sorted(found.items())


async def ledger_of(service: str, connection: Connection) -> LedgerSet:
    end = await connection.fetchrow(
        "SELECT sequence, chained FROM audit_chain ORDER BY sequence DESC LIMIT 1"
    )
    head = await connection.fetchval(
        "SELECT max(sequence) FROM audit_heads WHERE service = $1", service
    )
    sealed, chained = (end["sequence"], end["chained"].hex()) if end else (0, "")
    until = await connection.fetchval("SELECT max(at) FROM audit")
    return LedgerSet(sealed=sealed, chained=chained, head=head or 0, until=until)


async def standing(connection: Connection) -> tuple[int, int]:
    """The epoch and the lift."""
    row = await connection.fetchrow(
        "SELECT coalesce(max(epoch), 0) AS epoch, coalesce(max(lift), 0) AS lift FROM restores"
    )
    return (row["epoch"], row["lift"]) if row else (0, 0)


async def is_as_restored(
    service: str, connection: Connection, told: DatabaseSet, set_id: UUID
) -> bool:
    """Whether a restore of this set made it, and nobody has asked or told anything since: nothing is lost with it."""
    if not await connection.fetchval("SELECT to_regclass('restores') IS NOT NULL"):
        return False
    last = await connection.fetchrow(
        "SELECT set_id, sequence, EXISTS (SELECT FROM outbox WHERE published_at IS NOT NULL) AS has_told "
        "FROM restores ORDER BY epoch DESC LIMIT 1"
    )
    if last is None or last["set_id"] != set_id or last["sequence"] is None or last["has_told"]:
        return False
    return await ledger_of(service, connection) == told.ledger


async def is_used(connection: Connection, tables: Sequence[StoredTable]) -> str:
    """Which table says that the hub was used with this database; empty if none does."""
    signs = {"audit", "outbox", "inbox", "messages", "patients", "staff"}
    for table in tables:
        if table.name in signs and await connection.fetchval(
            f'SELECT EXISTS (SELECT FROM "{table.name}")'  # noqa: S608 names from the catalog
        ):
            return table.name
    return ""
