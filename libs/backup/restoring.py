"""Restore a set: all databases, or one beside neighbors that are newer; and what has to be done so that they agree again.

Every outbox is published again in a new epoch, so that everybody hears what they have missed, and every holder is given what
identity decided, whole; until identity is heard, grants show nothing.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from libs.backup import tables
from libs.backup.archive import BackupFailed, Seal
from libs.backup.loading import UNFINISHED, Target, check_empty, check_schema, load, release
from libs.backup.manifest import DatabaseSet, Manifest, check_files, read_manifest
from libs.backup.tables import Connection
from libs.backup.taking import BY_A_RELAY, DECIDER, ever_told
from libs.chassis.migrate import RESTORING, role
from libs.conveyor.forgetting import KEEP_EVENTS
from libs.conveyor.relay import LEADER
from libs.conveyor.restores import STEP, Restore
from libs.ledger.heads import Signer

Say = Callable[[str], None]
_IN_MEMORY = 16 * 1024 * 1024
# What identity decided, as every holder keeps it.
_DECIDED = {
    "access_versions": "patient_id, version",
    "grants": "patient_id, number, grantee_id, names, sources, purposes, classes, labels, expires_at, standing, reason, basis_id, consent_id",
    "denials": "patient_id, number, grantee_id, sources, purposes, classes, labels, expires_at, weight",
    "ended_bases": "basis_id, ended_at",
}
_LOCK = "SELECT pg_try_advisory_lock($1)"
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY ($1)"
_LOOKS, _LOOK_EVERY = 20, 0.25
_TELL_AGAIN = """
    UPDATE outbox SET published_at = NULL, incarnation = NULL, sequence = NULL WHERE published_at IS NOT NULL;
    DELETE FROM stream_marks
"""
_HEARD_SINCE = "SELECT DISTINCT message_id FROM inbox WHERE message_id >= $1 AND consumer NOT LIKE '%-audit-heads'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be restored. `targets` are all services, `only` those to restore; without any, all of them.

    `complete` does what else belongs to it, before anybody may start: what is interrupted is begun anew, so twice is once.
    """

    folder: Path
    passphrase: str
    targets: Mapping[str, Target]
    only: frozenset[str]
    replaces: bool
    although_heard: bool
    signer: Signer | None
    now: Callable[[], datetime]
    complete: Callable[[Manifest, Seal | None], None] = lambda _manifest, _seal: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done. `lost`: of events that others have heard and that are not remembered any more."""

    manifest: Manifest
    services: tuple[str, ...]
    epoch: int
    lost: int


async def restore(order: Order, say: Say) -> Restored:
    """Refuse before anything is changed, or do all of it. What is interrupted is begun anew with the same command: until all
    of it is there nobody can start on any part.
    """
    manifest, seal = read_manifest(order.folder, order.passphrase)
    say(
        f"A set of {manifest.taken_at:%Y-%m-%d %H:%M:%S}Z: {len(manifest.services)} databases, {manifest.rows:,} rows, "
        f"{manifest.size / 1e6:,.1f} MB. Checking its files."
    )
    _check(order, manifest)
    check_files(order.folder, manifest)
    restored = sorted(order.only or order.targets, key=lambda s: (s != DECIDER, s))
    if not order.replaces:
        for service in restored:
            await check_empty(order.targets[service], manifest.services[service], manifest.id)
    async with AsyncExitStack() as stack:
        held = {s: await _hold(t, stack) for s, t in order.targets.items()}
        epoch = 1 + max([await _epoch_of(c) for c in held.values()] + [
            database.epoch for database in manifest.services.values()
        ])  # fmt: skip
        for service in held.keys() - set(restored):
            await _check_whole(service, held[service])
        if order.only and not order.although_heard:
            await _check_unheard(order.only, manifest.taken_at, held)
        restoring = _Restoring(order, manifest, seal, held, epoch, say)
        for service in restored:
            await restoring.load(service)
        await _check_alone({s: c for s, c in held.items() if s not in restored})
        for service in held.keys() - set(restored):
            await restoring.tell_again(service)
        lost = await _nobodys(manifest.taken_at, held.values(), held.values())
        order.complete(manifest, seal)
        for service in restored:
            await release(order.targets[service], manifest.services[service])
    return Restored(manifest=manifest, services=tuple(sorted(restored)), epoch=epoch, lost=lost)


def _check(order: Order, manifest: Manifest) -> None:
    if missing := (order.only or order.targets.keys()) - manifest.services.keys():
        raise BackupFailed(f"The set has no database of {', '.join(sorted(missing))}.")
    for service in order.only or order.targets:
        check_schema(order.targets[service], manifest.services[service])
    if not order.only:
        return
    if DECIDER in order.only:
        raise BackupFailed(
            "identity decides who may see whom: a copy that is older than what the others were told would bring back "
            "what was forbidden since. Restore all databases of the set."
        )
    if order.now() - manifest.taken_at > KEEP_EVENTS:
        raise BackupFailed(
            f"The set is older than {KEEP_EVENTS.days} days: the others have forgotten what it has missed. Restore all "
            "databases of a set, or one of a younger one."
        )


async def _check_whole(service: str, neighbor: Connection) -> None:
    revisions = await tables.revisions(neighbor)
    if not revisions or UNFINISHED in revisions.values():
        raise BackupFailed(
            f"{service}: there is no whole database, so nothing can be restored beside it. Restore all databases of the "
            "set: leave --only away."
        )


async def _check_unheard(
    only: frozenset[str], since: datetime, held: Mapping[str, Connection]
) -> None:
    """Nobody has heard anything from it that it will have forgotten."""
    others = [connection for service, connection in held.items() if service not in only]
    if count := await _nobodys(since, others, others):
        name = ", ".join(only)
        raise BackupFailed(
            f"{name} has told {count:,} things since {since:%Y-%m-%d %H:%M:%S}Z that others have heard. Restored alone "
            "it does not know them any more, and what it makes again may get other ids: they would have both. Restore "
            "all databases of the set, or say --although-heard."
        )


async def _nobodys(
    since: datetime, hearers: Iterable[Connection], tellers: Iterable[Connection]
) -> int:
    """How many events were heard that none of the tellers remembers."""
    first = UUID(int=int(since.timestamp() * 1000) << 80)
    heard = set[UUID]()
    for connection in hearers:
        heard |= {row["message_id"] for row in await connection.fetch(_HEARD_SINCE, first)}
    heard = {id for id in heard if id.version == BY_A_RELAY}
    for connection in tellers:
        heard -= await ever_told(connection, heard)
    return len(heard)


async def _hold(target: Target, stack: AsyncExitStack) -> Connection:
    """Take the place of the relay's leader, and see that nobody else is there: whoever serves would change what is read.

    Whoever starts from now on waits until this connection ends.
    """
    connection = await tables.connect(target.service, target.maintenance_url)
    stack.push_async_callback(connection.close)
    held = dict.fromkeys((RESTORING, LEADER), False)
    for _ in range(_LOOKS):  # whoever was just stopped may not have let go
        for lock, is_held in held.items():
            held[lock] = is_held or await connection.fetchval(_LOCK, lock)
        count = await _others(target.service, connection)
        if all(held.values()) and not count:
            return connection
        await asyncio.sleep(_LOOK_EVERY)
    raise BackupFailed(
        f"{target.service}: a process is using its database ({count} connections). Stop the services first: Ctrl-C ends "
        "`carehub up`; on Kubernetes scale every Deployment to 0."
    )


async def _others(service: str, connection: Connection) -> int:
    """How many connections there are of processes, and of migrations."""
    roles = [role(service, kind) for kind in ("", "system", "owner")]
    count: int = await connection.fetchval(_OTHERS, roles)
    return count


async def _check_alone(neighbors: Mapping[str, Connection]) -> None:
    """Whoever had looked just before all was held may have come since; whoever waits only looks, and is gone again."""
    for service, neighbor in neighbors.items():
        for _ in range(_LOOKS):
            if not (count := await _others(service, neighbor)):
                break
            await asyncio.sleep(_LOOK_EVERY)
        else:
            raise BackupFailed(
                f"{service}: a process began to use its database ({count} connections) while another was restored beside "
                "it. Stop it, then the same command again; until then nobody can start on what is half restored."
            )


async def _epoch_of(connection: Connection) -> int:
    if not await connection.fetchval("SELECT to_regclass('restores') IS NOT NULL"):
        return 0
    return (await tables.standing(connection))[0]


class _Restoring:
    """One restore, with a connection to every database."""

    def __init__(
        self,
        order: Order,
        manifest: Manifest,
        seal: Seal | None,
        held: Mapping[str, Connection],
        epoch: int,
        say: Say,
    ) -> None:
        self._order = order
        self._manifest = manifest
        self._seal = seal
        self._held = held
        self._say = say
        self._is_part = bool(order.only)
        self._at = order.now()
        self._mark = Restore(
            epoch=epoch, set_id=manifest.id, taken_at=manifest.taken_at, restored_at=self._at
        )
        self._decided: _Decided | None = None

    async def load(self, service: str) -> None:
        told = self._manifest.services[service]

        async def adjust(connection: Connection) -> None:
            await self._count_from_now(service, told, connection)
            if service != DECIDER:
                self._decided = self._decided or await _decided_by(self._held[DECIDER])
                await _give_access(connection, self._decided)

        source = (self._order.folder, self._seal)
        await load(self._order.targets[service], told, source, adjust, self._say)

    async def _count_from_now(
        self, service: str, told: DatabaseSet, connection: Connection
    ) -> None:
        """A new epoch; nothing is forgotten as too old that would be needed; processes of then are gone."""
        if await tables.ledger_of(service, connection) != told.ledger:
            raise BackupFailed(f"{service}: the end of its ledger is not what the manifest says.")
        await connection.execute(_TELL_AGAIN)
        await connection.execute("DELETE FROM heartbeats")
        passed = self._at - told.taken_at
        await connection.execute("UPDATE inbox SET handled_at = handled_at + $1", passed)
        must_lift = self._is_part or self._manifest.heard_ahead
        lift = self._mark.epoch * STEP if must_lift else told.lift
        cut = replace(
            self._mark,
            lift=lift,
            sequence=told.ledger.sealed,
            chained=bytes.fromhex(told.ledger.chained),
        )
        if signer := self._order.signer:
            signature = signer.sign_statement(cut.statement(service))
            cut = replace(cut, key_id=signer.key_id, signature=signature)
        await _record(connection, cut)

    async def tell_again(self, service: str) -> None:
        """Have a neighbor that stays as it is publish all that it remembers."""
        connection = self._held[service]
        lift = (await tables.standing(connection))[1]
        async with connection.transaction():
            await connection.execute(_TELL_AGAIN)
            await _record(connection, replace(self._mark, lift=lift))


@dataclass(frozen=True, slots=True)
class _Decided:
    """What identity has decided up to a position."""

    tables: Mapping[str, BinaryIO]
    position: int


async def _decided_by(identity: Connection) -> _Decided:
    """All of one moment: a position with less than was decided up to it would hide the rest for ever."""
    found: dict[str, BinaryIO] = {}
    async with identity.transaction(isolation="repeatable_read", readonly=True):
        for table, columns in _DECIDED.items():
            file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 read by each holder
            found[table] = file
            query = f"SELECT {columns} FROM {table}"  # noqa: S608 constants
            await identity.copy_from_query(query, output=file)
        position = await identity.fetchval("SELECT max(position) FROM access_versions")
    return _Decided(found, position or 0)


async def _give_access(connection: Connection, decided: _Decided) -> None:
    """All that identity decided and nothing else; by a grant nothing is seen before identity is heard."""
    for table, columns in _DECIDED.items():
        file = decided.tables[table]
        file.seek(0)
        await connection.execute(f"DELETE FROM {table}")  # noqa: S608 a constant
        await connection.copy_to_table(table, source=file, columns=columns.split(", "))
    await connection.execute("DELETE FROM access_heartbeat")
    await connection.execute(
        "INSERT INTO access_heartbeat (beat_at, position) VALUES ('epoch', $1)", decided.position
    )


async def _record(connection: Connection, mark: Restore) -> None:
    await connection.execute(
        "INSERT INTO restores (epoch, set_id, taken_at, restored_at, lift, sequence, chained, key_id, signature) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        mark.epoch, mark.set_id, mark.taken_at, mark.restored_at, mark.lift,
        mark.sequence, mark.chained, mark.key_id, mark.signature,
    )  # fmt: skip
