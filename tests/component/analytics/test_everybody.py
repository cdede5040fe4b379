"""How PostgreSQL finds the next patients, where everybody is counted anew: along the indexes, and no further than the page."""

import json
from uuid import UUID

import asyncpg
import pytest

from services.analytics.app import build
from services.analytics.store.record import PATIENTS_AFTER

PATIENTS, OF_EACH, PAGE = 4000, 5, 50
TABLES = ("visits", "discharges", "referrals", "critical_results")
A_VALUE = {
    "uuid": "gen_random_uuid()", "text": "''", "bool": "false", "int8": "1", "timestamptz": "now()",
    "_text": "'{NORMAL}'",
}  # fmt: skip


async def fill(admin, table):
    """Five rows of each of many patients; each table has some that no other one has."""
    columns = await admin.fetch(
        "SELECT column_name AS name, udt_name AS kind FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = $1 AND is_nullable = 'NO'",
        table,
    )
    values = {c["name"]: A_VALUE[c["kind"]] for c in columns}
    values["patient_id"] = f"md5((n % {PATIENTS} + {TABLES.index(table) * 100})::text)::uuid"
    await admin.execute(
        f"INSERT INTO {table} ({', '.join(values)}) "
        f"SELECT {', '.join(values.values())} FROM generate_series(1, {PATIENTS * OF_EACH}) n"
    )
    await admin.execute(f"VACUUM ANALYZE {table}")


@pytest.fixture
async def system(servers):
    await servers.prepare("analytics", build({}).migrations)
    admin = await asyncpg.connect(servers.admin_url("analytics"))
    for table in TABLES:
        await fill(admin, table)
    await admin.close()
    connection = await asyncpg.connect(servers.url("analytics", "system"))
    yield connection
    await connection.close()


async def scans(system, after):
    """How the tables are read for the page after somebody."""
    said = await system.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ('{after}', {PAGE})")

    def nodes(node):
        yield node
        for child in node.get("Plans", ()):
            yield from nodes(child)

    return [n for n in nodes(json.loads(said)[0]["Plan"]) if n.get("Relation Name") in TABLES]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_of_everybody_reads_no_further_than_the_page(system, mode):
    assert PATIENTS_AFTER.names == ("after", "limit")
    await system.execute(f"SET plan_cache_mode = {mode}")
    await system.execute(f"PREPARE page AS {PATIENTS_AFTER.text}")
    for after in (UUID(int=0), UUID("80" + 30 * "0")):
        found = await scans(system, after)
        assert {node["Relation Name"] for node in found} == set(TABLES)
        assert {node["Node Type"] for node in found} == {"Index Only Scan"}, found
        assert all(node["Index Name"] == f"{node['Relation Name']}_by_patient" for node in found)
        # A row more than the page tells that the last patient of it has no more.
        assert all(node["Actual Rows"] <= PAGE * OF_EACH + 1 for node in found), found


async def test_page_after_page_is_everybody_once(system):
    everybody = await system.fetch(
        " UNION ".join(f"SELECT patient_id FROM {table}" for table in TABLES) + " ORDER BY 1"
    )
    found, after = [], UUID(int=0)
    while page := await system.fetch(
        PATIENTS_AFTER.text, *PATIENTS_AFTER.arguments(None, {"after": after, "limit": PAGE * 7})
    ):
        found += page
        after = page[-1]["patient_id"]
    assert found == everybody
