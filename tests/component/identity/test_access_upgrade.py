"""A network that shared before access had agreements goes on sharing, and everybody is decided about anew."""

import shutil
from pathlib import Path
from uuid import uuid4

import asyncpg

from libs.chassis import migrate as migrating
from libs.chassis.migrate import ROLES, create_database, migrate, role
from services.identity import app
from services.identity.domain.access.facts import Agreement
from services.identity.domain.fact import NETWORK_AGREEMENT_ID, network_agreement
from services.identity.events import ANEW, FROM_THE_FIRST

SERVICE = "elder"
MIGRATIONS = Path(app.__file__).parent / "migrations"


def _older(folder, copy, kept):
    shutil.copytree(folder, copy)
    for later in copy.glob("0*.py"):
        if later.name[:4] > kept:
            later.unlink()
    return copy


async def test_what_was_known_before_is_kept_and_decided_anew(servers, tmp_path, monkeypatch):
    admin = await asyncpg.connect(servers.postgres.url)
    await admin.execute(f"DROP DATABASE IF EXISTS {SERVICE}")
    await admin.close()
    roles = {role(SERVICE, kind): role(SERVICE, kind) for kind in ROLES}
    await create_database(servers.postgres.url, SERVICE, roles)
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "CHASSIS", _older(migrating.CHASSIS, tmp_path / "c", "0004"))
        await migrate(
            servers.url(SERVICE, "owner"), SERVICE, _older(MIGRATIONS, tmp_path / "i", "0001")
        )
    connection = await asyncpg.connect(servers.admin_url(SERVICE))
    try:
        pat, here, there = uuid4(), uuid4(), uuid4()
        await connection.execute(
            "INSERT INTO organizations VALUES ($1, 'Mercy', 'PROVIDER', 1), ($2, 'Ridge', 'COMMUNITY', 1)",
            here,
            there,
        )
        await connection.execute(
            "INSERT INTO access_facts VALUES ('PATIENT', $1, 1, $1, $2, true), ('ENCOUNTER', $3, 1, $1, $4, true)",
            pat, [here, there], uuid4(), [here],
        )  # fmt: skip
        await migrate(servers.url(SERVICE, "owner"), SERVICE, MIGRATIONS)
        facts = await connection.fetch("SELECT kind, ended_at FROM access_facts ORDER BY kind DESC")
        assert [(row["kind"], row["ended_at"] is None) for row in facts] == [
            ("PATIENT", True),
            ("ENCOUNTER", False),
        ]
        covered = await connection.fetch("SELECT is_covered FROM organizations ORDER BY name")
        assert [row["is_covered"] for row in covered] == [True, False]
        signed = await connection.fetchrow("SELECT * FROM agreements")
        terms = network_agreement(signed["from_at"])
        assert (signed["id"], signed["parties"]) == (NETWORK_AGREEMENT_ID, None)
        assert set(signed["purposes"]) == set(terms.purposes)
        assert set(signed["classes"]) == set(terms.classes)
        assert isinstance(terms.among(frozenset({here})), Agreement)
        timers = await connection.fetch("SELECT kind, key FROM timers")
        assert (ANEW, str(FROM_THE_FIRST)) in [tuple(row) for row in timers]
    finally:
        await connection.close()
