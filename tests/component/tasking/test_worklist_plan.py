"""How PostgreSQL goes about the worklist under the policies: along its indexes, and without asking grants about own rows."""

import json
from datetime import UTC, datetime

import asyncpg
import pytest

from libs.chassis.caller import Capacity
from libs.chassis.database import Database, Mode, open_pool
from services.tasking.app import build
from services.tasking.store import TaskFilter
from services.tasking.store.counts import COUNTS, CountFilter
from services.tasking.store.tasks import BY_FACILITIES, OF_LOOP, OF_PATIENT
from tests.component.chassis.test_access import NURSE, SOMETHING

ROWS, FACILITIES = 20_000, 20
FILTER = TaskFilter(states=("OPEN",), limit=51)


@pytest.fixture
async def filled(servers):
    """Open tasks of twenty facilities, in both ways of being sensitive."""
    app = build({"TASKING_SMTP_HOST": "", "TASKING_PUBLIC_URL": "http://127.0.0.1"})
    await servers.prepare("tasking", app.migrations)
    admin = await asyncpg.connect(servers.admin_url("tasking"))
    columns = await admin.fetch(
        "SELECT column_name AS name, udt_name AS kind FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = 'tasks' AND is_nullable = 'NO'"
    )
    values = {c["name"]: SOMETHING[c["kind"]] for c in columns} | {
        "facility_id": f"md5((n % {FACILITIES})::text)::uuid",
        "state": "'OPEN'",
        "due_at": "now() + n * interval '1 second'",
        "labels": "CASE WHEN n % 2 = 0 THEN '{NORMAL}'::text[] ELSE '{HIV,PART2}' END",
    }
    await admin.execute("SET session_replication_role = replica")
    await admin.execute(
        f"INSERT INTO tasks ({', '.join(values)}) "
        f"SELECT {', '.join(values.values())} FROM generate_series(1, {ROWS}) n"
    )
    await admin.execute("ANALYZE tasks")
    yield await admin.fetch("SELECT DISTINCT facility_id FROM tasks")
    await admin.close()


@pytest.fixture
async def database(servers, filled):
    people = await open_pool(servers.url("tasking", ""), 2, "test")
    database = Database(people, None, lambda: datetime.now(UTC))
    yield database
    await database.close()


async def plan_of(database, facilities, statement, source, **values):
    """Every node of the plan, as it was executed."""
    capacity = Capacity(purposes=frozenset({"TREATMENT"}))
    async with database.person(NURSE, facilities, Mode.READ, 20, capacity) as tx:
        text = await tx._connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}",
            *statement.arguments(source, values),
        )

    def nodes(node):
        yield node
        for child in node.get("Plans", ()):
            yield from nodes(child)

    return list(nodes(json.loads(text)[0]["Plan"]))


def check(plan):
    scans = [node for node in plan if node.get("Relation Name") == "tasks"]
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}, scans
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) < ROWS / 4
    asked = [node for node in plan if node.get("Relation Name") == "grants"]
    assert asked
    assert all(node["Actual Loops"] == 0 for node in asked), asked


async def test_a_page_of_own_tasks_reads_little_more_than_the_page(database, filled):
    own = [row["facility_id"] for row in filled[:3]]
    check(await plan_of(database, own, BY_FACILITIES, FILTER, ids=own, state="OPEN"))


async def test_own_tasks_are_counted_along_their_index(database, filled):
    own = [row["facility_id"] for row in filled[:3]]
    wanted = CountFilter(
        staff_ids=(NURSE,),
        team_ids=(),
        facility_ids=tuple(own),
        facility_id=None,
        now=datetime.now(UTC),
    )
    plan = await plan_of(database, own, COUNTS, wanted)
    scans = [node for node in plan if node.get("Relation Name") == "tasks"]
    assert "Seq Scan" not in {node["Node Type"] for node in scans}, scans
    asked = [node for node in plan if node.get("Relation Name") == "grants"]
    assert asked
    assert all(node["Actual Loops"] == 0 for node in asked), asked


@pytest.mark.parametrize(
    ("statement", "by"), [(OF_PATIENT, "patient_id"), (OF_LOOP, "loop_id")], ids=["patient", "loop"]
)
async def test_what_is_about_somebody_is_found_along_its_index(database, filled, statement, by):
    own = [row["facility_id"] for row in filled[:3]]
    plan = await plan_of(database, own, statement, FILTER, subject_id=NURSE)
    scans = [node for node in plan if node.get("Relation Name") == "tasks"]
    assert [by in node["Index Cond"] for node in scans] == [True], scans
