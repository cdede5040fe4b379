"""Appointments that were booked twice in the place of one before that was refused."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from libs.chassis.migrate import ROLES, create_database, migrate, role
from services.scheduling import app

SERVICE = "booked_before"
MIGRATIONS = Path(app.__file__).parent / "migrations"
ADD = """INSERT INTO appointments (id, version, facility_id, patient_id, state, purpose, start_at, practitioner, external_number,
    booked_at, rebooked_from_id, told_version, done_reason, visit_labels, own_labels)
    VALUES ($1, 1, $1, $1, 'BOOKED', 'FOLLOW_UP', $2, '', '', $2, $3, 0, '', '{}', '{NORMAL}')"""


async def test_the_first_one_stays_in_the_place_and_the_others_stay(servers, tmp_path):
    admin = await asyncpg.connect(servers.postgres.url)
    await admin.execute(f"DROP DATABASE IF EXISTS {SERVICE}")
    await admin.close()
    roles = {role(SERVICE, kind): role(SERVICE, kind) for kind in ROLES}
    await create_database(servers.postgres.url, SERVICE, roles)
    older = shutil.copytree(MIGRATIONS, tmp_path / "older")
    (older / "0002_booked_again_once.py").unlink()
    await migrate(servers.url(SERVICE, "owner"), SERVICE, older)
    connection = await asyncpg.connect(servers.admin_url(SERVICE))
    try:
        old, first, second, third = (UUID(int=n) for n in range(1, 5))
        for id, day, place in ((old, 1, None), (third, 4, old), (first, 2, old), (second, 3, old)):
            await connection.execute(ADD, id, datetime(2026, 9, day, tzinfo=UTC), place)
        await migrate(servers.url(SERVICE, "owner"), SERVICE, MIGRATIONS)
        kept = await connection.fetch("SELECT id, rebooked_from_id FROM appointments ORDER BY id")
        assert [row["rebooked_from_id"] for row in kept] == [None, old, None, None]
        forced = "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'appointments'"
        assert await connection.fetchval(forced)
    finally:
        await connection.close()
