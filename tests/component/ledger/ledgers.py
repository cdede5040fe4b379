"""A ledger to seal, to tamper with and to verify: rows over some months, in a database of its own."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import insert

from libs.chassis import audit
from libs.chassis.database import Database, every_field, open_pool, sql
from libs.ledger import heads
from libs.ledger.heads import Keys, Signer
from libs.ledger.sealing import Row, Seal, Sealer, run_sealer
from libs.ledger.verification import Report, Verifier
from libs.testing.servers import Servers

MIGRATIONS = Path(__file__).parents[1] / "conveyor/migrations"
SERVICE = "teller"
KEY = heads.new_key()
WRITE = sql(insert(audit.audit).values(every_field(audit.audit)))


def row(at: datetime, rng: random.Random, **fields: object) -> Row:
    patients = [uuid4() for _ in range(rng.choice([0, 1, 1, 3]))]
    told: dict[str, object] = {
        "id": uuid4(), "at": at, "subject": uuid4(), "method": "/carehub.tasking.v1.TaskingService/GetTask",
        "resource": str(uuid4()), "patients": patients, "outcome": rng.choice(["OK", "NOT_FOUND"]), "reason": "",
        "purpose": "TREATMENT", "facilities": [uuid4()], "request_id": str(uuid4()), "roles": ["nurse"],
        "address": "192.0.2.7",
    }  # fmt: skip
    return Row(**(told | fields))  # type: ignore[arg-type]


class LedgerOf:
    """The ledger of one service, and hands to write, seal and verify it. Heads are kept in a folder besides."""

    def __init__(self, database: Database, admin: asyncpg.Connection, folder: Path) -> None:
        self.database = database
        self.admin = admin
        self.folder = folder
        self.at = datetime.now(UTC)
        self.seal = Seal(signer=Signer(KEY), folder=folder)

    def now(self) -> datetime:
        return self.at

    async def write(self, rows: Sequence[Row]) -> None:
        async with self.database.system() as tx:
            await tx.run_many(WRITE, rows)

    async def seal_all(self) -> None:
        """Seal what there is, as a sealer does that starts and ends gracefully."""
        async with self.database.session() as connection:
            sealer = Sealer(SERVICE, connection, self.seal, self.now)
            await sealer.begin()
            await sealer.tell()

    @asynccontextmanager
    async def sealing(self) -> AsyncIterator[None]:
        """A sealer at work until the block ends."""
        stopping = asyncio.Event()
        task = asyncio.create_task(
            run_sealer(SERVICE, self.database, lambda: self.seal, stopping, self.now)
        )
        try:
            yield
        finally:
            stopping.set()
            async with asyncio.timeout(30):
                await task

    async def verify(self, elsewhere: Mapping[str, list[heads.Head]] | None = None) -> Report:
        found = {"a file": heads.read(self.folder, SERVICE)} if elsewhere is None else elsewhere
        verifier = Verifier(SERVICE, self.database, Keys(KEY), found, self.now)
        return await verifier.run(lambda _done, _total: None)

    async def chain(self) -> list[asyncpg.Record]:
        return await self.admin.fetch("SELECT * FROM audit_chain ORDER BY sequence")

    async def ids(self) -> list[UUID]:
        return [one["audit_id"] for one in await self.chain()]


@asynccontextmanager
async def ledger_of(servers: Servers, folder: Path) -> AsyncIterator[LedgerOf]:
    await servers.prepare(SERVICE, MIGRATIONS)
    pool = await open_pool(servers.url(SERVICE, "system"), 6, "test")
    admin = await asyncpg.connect(servers.admin_url(SERVICE))
    database = Database(None, pool, lambda: datetime.now(UTC))
    try:
        yield LedgerOf(database, admin, folder)
    finally:
        await admin.close()
        await database.close()


async def filled(ledger: LedgerOf, rng: random.Random, batches: int = 6, rows: int = 50) -> None:
    """Rows of a hundred days, sealed every now and then; the clock stands after the last of them."""
    at = datetime.now(UTC) - timedelta(days=20)
    for _ in range(batches):
        written = []
        for _ in range(rows):
            at += timedelta(seconds=rng.uniform(1, 2 * 100 * 86400 / batches / rows))
            written.append(row(at, rng))
        await ledger.write(written)
        ledger.at = at + timedelta(seconds=2)
        await ledger.seal_all()
