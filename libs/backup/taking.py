"""Take a set: one snapshot of each database, all of them in the same moment as far as anybody could tell."""

import asyncio
import importlib.metadata
import os
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from libs.backup import tables
from libs.backup.archive import BackupFailed, Seal, Writer
from libs.backup.manifest import FORM, DatabaseSet, Manifest, StoredFile, TableSet
from libs.backup.tables import Connection, StoredTable
from libs.chassis.ids import new_id
from libs.conveyor.restores import ORIGINAL, Standing

Say = Callable[[str], None]
DECIDER = "identity"
BY_A_RELAY = 7  # the version of its ids
_ATTEMPTS = 20
_SAY_EVERY = 1.0
# Heads of ledgers are published without an outbox.
_HEARD = """
    SELECT DISTINCT message_id FROM inbox WHERE consumer NOT LIKE '%-audit-heads' AND handled_at >=
        (SELECT max(handled_at) - interval '2 minutes' FROM inbox WHERE consumer NOT LIKE '%-audit-heads')
"""
_TOLD = (
    "SELECT id FROM unnest($1::uuid[]) id WHERE EXISTS (SELECT FROM outbox o WHERE o.id = id.id)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be backed up, and to where. `urls` are the maintenance roles'."""

    folder: Path
    urls: Mapping[str, str]
    passphrase: str
    audit_keys: str
    home_files: Mapping[str, Path]
    now: Callable[[], datetime]


async def take(order: Order, say: Say) -> Manifest:
    """Write a set into a new folder. What ends before its end leaves a folder that no restore takes for whole."""
    _make(order.folder)
    began = time.monotonic()
    seal = Seal.new(order.passphrase) if order.passphrase else None
    async with AsyncExitStack() as stack:
        connections = {}
        for service, url in order.urls.items():
            connections[service] = await tables.connect(service, url)
            stack.push_async_callback(connections[service].close)
        taken_at, ahead = await _snapshots(connections, order.now)
        progress = _Progress(say)
        services = {
            service: await _Taking(order.folder, service, connection, seal, progress).all(taken_at)
            for service, connection in connections.items()
        }
    manifest = Manifest(
        form=FORM,
        id=new_id(),
        taken_at=taken_at,
        seconds=round(time.monotonic() - began, 3),
        heard_ahead=ahead,
        services=services,
        audit_keys=order.audit_keys,
        home={n: await _copied(order.folder, n, p, seal) for n, p in order.home_files.items()},
        salt=seal.salt.hex() if seal else "",
    )
    manifest.write(order.folder, seal)
    return manifest


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupFailed(f"{folder} is not empty. Each set has a folder of its own.")
        folder.chmod(0o700)
    except OSError as error:
        raise BackupFailed(f"{folder} cannot be written: {error.strerror}.") from error


async def _snapshots(
    connections: Mapping[str, Connection], now: Callable[[], datetime]
) -> tuple[datetime, int]:
    """Snapshots such that nobody has heard what its teller has not told; else in how many cases somebody has.

    The decider's is the last: what it had others apply at once, it knows itself.
    """
    for attempt in range(_ATTEMPTS):
        taken_at = now()
        others = [c for service, c in connections.items() if service != DECIDER]
        await asyncio.gather(*(_begin(connection) for connection in others))
        if DECIDER in connections:
            await _begin(connections[DECIDER])
        ahead = await _heard_ahead(connections)
        if not ahead or attempt == _ATTEMPTS - 1:
            break
        await asyncio.gather(*(c.execute("ROLLBACK") for c in connections.values()))
        await asyncio.sleep(random.uniform(0.01, 0.05 * (attempt + 1)))  # noqa: S311 to meet a gap
    return taken_at, len(ahead)


async def _begin(connection: Connection) -> None:
    """The snapshot is of the first statement inside."""
    await connection.execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()"
    )


async def _heard_ahead(connections: Mapping[str, Connection]) -> set[UUID]:
    heard = set[UUID]()
    for connection in connections.values():
        heard |= {row["message_id"] for row in await connection.fetch(_HEARD)}
    heard = {id for id in heard if id.version == BY_A_RELAY}
    for connection in connections.values():
        heard -= await ever_told(connection, heard)
    return heard


async def ever_told(connection: Connection, ids: set[UUID]) -> set[UUID]:
    """Of messages those that this database remembers to have told, before it was lifted or since."""
    epoch, lift = await tables.standing(connection)
    told = set[UUID]()
    for standing in (ORIGINAL, Standing(epoch=epoch, lift=lift)):
        found = await connection.fetch(_TOLD, [standing.told_as(id) for id in ids])
        told |= {standing.told_as(UUID(int=row["id"].int)) for row in found}
    return told


class _Progress:
    """Says how far it is, once a second."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._said = time.monotonic()

    def tell(self, text: Callable[[], str]) -> None:
        if time.monotonic() - self._said > _SAY_EVERY:
            self._said = time.monotonic()
            self._say(text())


class _Taking:
    """Takes one database, in its snapshot."""

    def __init__(
        self,
        folder: Path,
        service: str,
        connection: Connection,
        seal: Seal | None,
        progress: _Progress,
    ) -> None:
        self._folder = folder
        self._service = service
        self._connection = connection
        self._seal = seal
        self._progress = progress

    async def all(self, taken_at: datetime) -> DatabaseSet:
        connection = self._connection
        epoch, lift = await tables.standing(connection)
        stored = await tables.tables_of(self._service, connection)
        taken = DatabaseSet(
            taken_at=taken_at,
            carehub=importlib.metadata.version("carehub"),
            server=str(await connection.fetchval("SHOW server_version")),
            revisions=await tables.revisions(connection),
            epoch=epoch,
            lift=lift,
            ledger=await tables.ledger_of(self._service, connection),
            tables={table.name: await self._table(table) for table in stored},
        )
        await connection.execute("COMMIT")
        return taken

    async def _table(self, table: StoredTable) -> TableSet:
        name = f"{self._service}/{table.name}.copy.gz"
        writer = Writer(self._folder, name, self._seal)

        async def write(data: bytes) -> None:
            await writer.write(data)
            self._progress.tell(
                lambda: f"{self._service}: {table.name}, {writer.size / 1e6:,.0f} MB written"
            )

        try:
            await self._connection.copy_from_query(table.everything, output=write)
            writer.close()
        except OSError as error:
            raise BackupFailed(f"{name} cannot be written: {error.strerror}.") from error
        rows, digest = await tables.digest(self._connection, table)
        self._progress.tell(lambda: f"{self._service}: {table.name}, {rows:,} rows")
        file = StoredFile(name=name, sha256=writer.sha256, size=writer.size)
        return TableSet(file=file, columns=table.columns, rows=rows, digest=digest)


async def _copied(folder: Path, name: str, path: Path, seal: Seal | None) -> StoredFile:
    stored = f"home/{name}.gz"
    writer = Writer(folder, stored, seal)
    await writer.write(await asyncio.to_thread(path.read_bytes))
    writer.close()
    return StoredFile(name=stored, sha256=writer.sha256, size=writer.size)


def passphrase_in(path: Path | None) -> str:
    """The first line of a file that nobody else reads."""
    if path is None:
        return ""
    try:
        if os.name == "posix" and _is_read_by_others(path.stat()):
            raise BackupFailed(f"Others may read {path}. Try: chmod 600 {path}")
        found = path.read_text().partition("\n")[0].strip()
    except OSError as error:
        raise BackupFailed(f"{path} cannot be read: {error.strerror}.") from error
    if not found:
        raise BackupFailed(f"{path} is empty: its first line should be the passphrase.")
    return found


def _is_read_by_others(file: os.stat_result) -> bool:
    """A Secret of Kubernetes is root's, and the pod reads it as its group; whoever owns a file can do without that."""
    by_group = file.st_uid != os.geteuid() and file.st_gid in {os.getegid(), *os.getgroups()}
    return bool(file.st_mode & (0o007 if by_group else 0o077))
