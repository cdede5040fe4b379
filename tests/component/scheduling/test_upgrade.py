"""Appointments from before: booked twice in the place of one that was refused; arrived, for nobody wrote which beginning."""

import shutil
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.chassis.migrate import ROLES, create_database, migrate, role
from services.scheduling import app

SERVICE = "booked_before"
MIGRATIONS = Path(app.__file__).parent / "migrations"
ADD = """INSERT INTO appointments (id, version, facility_id, patient_id, state, purpose, start_at, practitioner, external_number,
    booked_at, rebooked_from_id, arrived_at, told_version, done_reason, visit_labels, own_labels)
    VALUES ($1, 1, $1, $1, 'BOOKED', 'FOLLOW_UP', $2, '', '', $2, $3, $4, 0, '', '{}', '{NORMAL}')"""
FORCED = "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'appointments'"


@asynccontextmanager
async def before(servers, tmp_path, revision):
    """A database as it was before this revision."""
    admin = await asyncpg.connect(servers.postgres.url)
    await admin.execute(f"DROP DATABASE IF EXISTS {SERVICE}")
    await admin.close()
    roles = {role(SERVICE, kind): role(SERVICE, kind) for kind in ROLES}
    await create_database(servers.postgres.url, SERVICE, roles)
    older = shutil.copytree(MIGRATIONS, tmp_path / "older")
    for path in older.glob("0*.py"):
        if path.name >= revision:
            path.unlink()
    await migrate(servers.url(SERVICE, "owner"), SERVICE, older)
    connection = await asyncpg.connect(servers.admin_url(SERVICE))
    try:
        yield connection
    finally:
        await connection.close()


async def test_the_first_one_stays_in_the_place_and_the_others_stay(servers, tmp_path):
    async with before(servers, tmp_path, "0002") as connection:
        old, first, second, third = (UUID(int=n) for n in range(1, 5))
        for id, day, place in ((old, 1, None), (third, 4, old), (first, 2, old), (second, 3, old)):
            await connection.execute(ADD, id, datetime(2026, 9, day, tzinfo=UTC), place, None)
        await migrate(servers.url(SERVICE, "owner"), SERVICE, MIGRATIONS)
        kept = await connection.fetch("SELECT id, rebooked_from_id FROM appointments ORDER BY id")
        assert [row["rebooked_from_id"] for row in kept] == [None, old, None, None]
        assert await connection.fetchval(FORCED)


async def test_an_arrival_was_for_the_beginning_of_now_unless_that_is_days_later(servers, tmp_path):
    async with before(servers, tmp_path, "0003") as connection:
        start = datetime(2026, 9, 16, 14, tzinfo=UTC)
        early, days_before = start.replace(hour=13), start.replace(day=8)
        for number, arrived in enumerate((early, days_before, None), 1):
            await connection.execute(ADD, UUID(int=number), start, None, arrived)
        await migrate(servers.url(SERVICE, "owner"), SERVICE, MIGRATIONS)
        kept = await connection.fetch("SELECT arrived_start_at FROM appointments ORDER BY id")
        assert [row["arrived_start_at"] for row in kept] == [start, None, None]
        assert await connection.fetchval(FORCED)
