"""A hub that has audited before its ledger had months and a seal keeps every row."""

import random
import shutil
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from libs.chassis import migrate as migrating
from libs.chassis.database import Database, open_pool
from libs.chassis.migrate import ROLES, create_database, migrate, role
from tests.component.ledger.ledgers import MIGRATIONS, LedgerOf, row

SERVICE = "teller"
OLD = ("id", "at", "subject", "method", "resource", "patients", "outcome", "reason", "purpose", "facilities", "request_id")  # fmt: skip


@pytest.mark.parametrize("reaches", [timedelta(minutes=1), timedelta(days=-40)])
async def test_rows_from_before_are_kept_and_sealed(servers, tmp_path, monkeypatch, reaches):
    """Also where some clock was ahead by more than a month."""
    before = tmp_path / "migrations"
    shutil.copytree(migrating.CHASSIS, before)
    for later in before.glob("000[4-9]_*.py"):
        later.unlink()
    admin = await asyncpg.connect(servers.postgres.url)
    try:
        await admin.execute(f"DROP DATABASE IF EXISTS {SERVICE}")
    finally:
        await admin.close()
    await create_database(
        servers.postgres.url, SERVICE, {role(SERVICE, k): role(SERVICE, k) for k in ROLES}
    )
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "CHASSIS", before)
        await migrate(servers.url(SERVICE, "owner"), SERVICE, MIGRATIONS)
    rng = random.Random(6)
    last = datetime.now(UTC) - reaches
    rows = [row(last - timedelta(hours=n), rng) for n in range(200)]
    people = await asyncpg.connect(servers.admin_url(SERVICE))
    try:
        await people.executemany(
            f"INSERT INTO audit ({', '.join(OLD)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            [[getattr(one, name) for name in OLD] for one in rows],
        )
        applied = await migrate(servers.url(SERVICE, "owner"), SERVICE, MIGRATIONS)
        assert applied[0].startswith("chassis_version 0003 -> 00")
        database = Database(
            None,
            await open_pool(servers.url(SERVICE, "system"), 4, "test"),
            lambda: datetime.now(UTC),
        )
        ledger = LedgerOf(database, people, tmp_path / "heads")
        ledger.at = max(last, datetime.now(UTC)) + timedelta(seconds=1)
        await ledger.write([row(ledger.at, rng)])
        await ledger.seal_all()
        report = await ledger.verify()
        assert (report.rows, report.findings) == (201, [])
        assert not (await people.fetchrow("SELECT * FROM audit_status()"))["overflows"]
        kept = {one["id"] for one in await people.fetch("SELECT id FROM audit_first")}
        assert kept >= {one.id for one in rows}
        await database.close()
    finally:
        await people.close()
