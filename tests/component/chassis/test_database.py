"""The door to a database: who sees which rows, and that nobody sees any by accident."""

import asyncio
import importlib
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Uuid, any_, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.access import GrantRow, PatientAccess, grants, project_access
from libs.chassis.database import Database, Mode, every_field, open_pool, param, sql
from libs.chassis.migrate import chains, is_at_head, migrate
from libs.local.environment import SERVICES

ALL = sql(select(grants), row=GrantRow)
ADD = sql(insert(grants).values(every_field(grants)))
# Tables that hold nothing about patients. Anything else is forced under row-level security.
OPEN = {
    "identity": {"organizations", "facilities", "staff", "teams", "agreements"},
    "interop": {
        "facilities",
        "people",
        "senders",
        "silences",
        "silence_notices",
        "arrivals",
        "arrivals_by_hour",
        "accounts",
        "account_changes",
    },
    "registry": {"feeds", "labeling"},
    "analytics": {"facilities", "merges", "risk_tombstones"},
    "careplans": {"facilities", "organizations", "owners", "feeds", "merges"},
    "tasking": {"staff", "teams", "facilities", "protocols", "notifications"},
    "messaging": {"staff", "teams", "facilities", "feeds"},
    # Of a letter to a partner, the referral and where it went; of a link, only its hash.
    "referrals": {"facilities", "feeds", "merges", "organizations", "services", "seats"}
    | {"links", "letters"},
    "scheduling": {"facilities", "feeds", "merges", "schedules"},
}
CHASSIS_OPEN = {
    "audit_chain",
    "audit_heads",
    "heartbeats",
    "inbox",
    "timers",
    "stream_marks",
    "access_versions",
    "access_heartbeat",
    "deactivated",
    "ended_bases",
    "chassis_version",
    "restores",
    "service_version",
}


@pytest.fixture
async def database(servers):
    await servers.prepare(
        "identity",
        importlib.import_module("services.identity.app")
        .build({"IDENTITY_ISSUER": "http://127.0.0.1:9", "IDENTITY_SIGNING_KEYS": "x"})
        .migrations,
    )
    people = await open_pool(servers.url("identity", ""), 4, "test")
    system = await open_pool(servers.url("identity", "system"), 4, "test")
    database = Database(people, system, lambda: datetime.now(UTC))
    yield database
    await database.close()


def _access(*grantees):
    patient_id = uuid4()
    granted = (
        GrantRow(
            patient_id=patient_id,
            number=number,
            grantee_id=grantee_id,
            names=(grantee_id,),
            sources=None,
            purposes=("TREATMENT",),
            classes=("VISITS",),
            labels=("NORMAL",),
            expires_at=None,
            standing=0,
            reason="TREATED",
            basis_id=None,
            consent_id=None,
        )
        for number, grantee_id in enumerate(grantees)
    )
    return PatientAccess(patient_id=patient_id, version=1, grants=tuple(granted))


async def test_a_person_sees_the_rows_of_their_facilities_only(database):
    mine, other = uuid4(), uuid4()
    async with database.system() as tx:
        await project_access(tx, [_access(mine, other)])
    async with database.person(uuid4(), [mine], Mode.READ, 5) as tx:
        assert [g.grantee_id for g in await tx.fetch(ALL)] == [mine]
    async with database.person(uuid4(), [], Mode.READ, 5) as tx:
        assert await tx.fetch(ALL) == []


async def test_no_caller_is_an_error_and_never_an_empty_list(servers, database):
    async with database.system() as tx:
        await project_access(tx, [_access(uuid4())])
    connection = await asyncpg.connect(servers.url("identity", ""))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no caller"):
            await connection.fetch("SELECT * FROM grants")
    finally:
        await connection.close()


async def test_the_caller_of_one_transaction_is_forgotten_by_the_next(servers, database):
    """On the same connection, which a pool hands on without a reset."""
    pool = await open_pool(servers.url("identity", ""), 1, "test")
    one = Database(pool, None, lambda: datetime.now(UTC))
    async with database.system() as tx:
        await project_access(tx, [_access(uuid4())])
    async with one.person(uuid4(), [uuid4()], Mode.READ, 5) as tx:
        await tx.fetch(ALL)
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM grants")
    await one.close()


async def test_what_is_read_under_policies_is_planned_once(servers, database):
    """By itself PostgreSQL plans it anew each time, since the array is short; that takes longer than to run it."""
    people = await open_pool(servers.url("identity", ""), 1, "test")
    one = Database(people, None, lambda: datetime.now(UTC))
    some = sql(select(grants).where(grants.c.patient_id == any_(param("ids", type_=ARRAY(Uuid)))))
    for _ in range(8):
        async with one.person(uuid4(), [], Mode.READ, 5) as tx:
            await tx.fetch(some, ids=[uuid4()])
            plans = await tx._connection.fetchrow(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1",
                some.text,
            )
    await one.close()
    assert tuple(plans) == (8, 0)


async def test_a_person_cannot_write_where_only_the_system_may(database):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.person(uuid4(), [uuid4()], Mode.WRITE, 5) as tx:
            await tx.run(ADD, _access(uuid4()).grants[0])


async def test_an_error_rolls_back_and_a_cancelled_transaction_leaves_nothing_behind(database):
    access = _access(uuid4())
    with pytest.raises(ZeroDivisionError):
        async with database.system() as tx:
            await project_access(tx, [access])
            raise ZeroDivisionError

    entered = asyncio.Event()

    async def stuck():
        async with database.system() as tx:
            await project_access(tx, [access])
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await entered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with database.system() as tx:
        assert await tx.fetch(ALL) == []


async def test_the_ledger_cannot_be_changed_by_the_service(servers, database):
    for kind in ("", "system"):
        connection = await asyncpg.connect(servers.url("identity", kind))
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("DELETE FROM audit")
        finally:
            await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_with_patient_data_is_forced_under_row_level_security(
    servers, hub, service
):
    async with hub(service):
        connection = await asyncpg.connect(servers.admin_url(service))
        try:
            tables = await connection.fetch(
                "SELECT relname, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class "
                "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
            )
            views = await connection.fetchval(
                "SELECT count(*) FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace "
                "AND NOT coalesce(reloptions::text LIKE '%security_invoker=true%', false) "
                "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_class.oid AND d.deptype = 'e')"
            )
        finally:
            await connection.close()
        unforced = {t["relname"] for t in tables if not t["forced"]}
        assert unforced <= OPEN[service] | CHASSIS_OPEN, unforced - OPEN[service] - CHASSIS_OPEN
        assert views == 0


# Where people's policy asks no grant, and why.
WITHOUT_GRANTS = {
    "access_facts": "the decider's alone",
    "agreement_patients": "the decider's alone",
    "audit": "written by every request, read by none",
    "audit_chain": "the sealer's",
    "audit_heads": "the sealer's",
    "break_glass": "one's own, and those that a privacy officer reviews",
    "care_team": "what one's own facility recorded",
    "consents": "what one's own facility recorded",
    "denials": "a denial that its policy hid would not stop what it forbids",
    "descriptions": "matching's, of a patient whom the policy on patients shows",
    "disclosures": "what one's own facilities wrote, for its privacy officer",
    "feeds": "of a facility, not of a patient",
    "grants": "those to the caller",
    "holds": "what one's own facility recorded",
    "idempotency": "one's own answers",
    "joins": "matching's",
    "links": "of a patient whom the policy on patients shows",
    "messages": "raw messages stay with their facility",
    "outbox": "written by every change, read by none",
    "parked": "payloads are nobody's",
    "patient_accounts": "what one's own facility recorded",
    "patient_search": "asked by a function, confirmed by the policy on patients",
    "posts": "of a thread whom the policy on threads shows",
    "proxies": "what one's own facility recorded",
    "referral_facts": "what one's own facility recorded",
    "refusals": "raw messages stay with their facility",
    "reports": "the registry's own",
    "taken": "when one's own facilities are not free",
    "thread_reads": "of a thread whom the policy on threads shows",
    "visit_messages": "the registry's own",
}
NOT_TO_PEOPLE = {
    ("analytics", "critical_results"): "computing's own",
    ("analytics", "visits"): "computing's own",
    ("analytics", "discharges"): "computing's own",
    ("analytics", "referrals"): "computing's own",
    ("careplans", "seen"): "what plans follow",
    ("careplans", "tasks"): "what plans follow",
    ("registry", "appointments"): "the registry's own",
    ("scheduling", "visits"): "how sensitive appointments are",
    ("tasking", "encounters"): "planning's own",
    ("tasking", "appointments"): "planning's own",
    ("tasking", "replies"): "planning's own",
    ("tasking", "referrals"): "planning's own",
    ("tasking", "reconciliations"): "planning's own",
    ("tasking", "results"): "planning's own",
    ("tasking", "risks"): "planning's own",
    ("identity", "pushes"): "what holders are to be told",
    ("tasking", "glasses"): "planning's own",
    ("messaging", "appointments"): "planning's own",
    ("messaging", "transitions"): "planning's own",
}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_table_has_one_policy_for_people_and_it_asks_for_grants_or_says_why_not(
    servers, hub, service
):
    """A second permissive policy would widen the first, and nobody would see it."""
    async with hub(service):
        connection = await asyncpg.connect(servers.admin_url(service))
        try:
            policies = await connection.fetch(
                "SELECT tablename, qual FROM pg_policies "
                "WHERE schemaname = 'public' AND permissive = 'PERMISSIVE' "
                "AND ($1 = ANY (roles) OR 'public' = ANY (roles))",
                service,
            )
        finally:
            await connection.close()
    tables = [policy["tablename"] for policy in policies]
    assert len(tables) == len(set(tables))
    without = {p["tablename"] for p in policies if " grants g" not in (p["qual"] or "")}
    allowed = WITHOUT_GRANTS.keys() | {t for s, t in NOT_TO_PEOPLE if s == service}
    assert without <= allowed, without - allowed


async def test_a_pod_is_not_ready_until_its_schema_is_at_head(servers, tmp_path):
    connection = await asyncpg.connect(servers.postgres.url)
    try:
        assert not await is_at_head(connection, tmp_path)
    finally:
        await connection.close()


async def test_code_of_the_release_before_works_with_a_schema_that_is_newer(servers, hub):
    """`helm rollback`: its pods start, and its Job finds nothing to do."""
    folder = Path("services/interop/migrations")
    owner_url = servers.url("interop", "owner")
    async with hub("interop"):
        pass
    connection = await asyncpg.connect(owner_url)
    try:
        for table in ("chassis_version", "service_version"):
            await connection.execute(
                f"UPDATE {table} SET version_num = lpad((version_num::int + 1)::text, 4, '0')"
            )
        assert await is_at_head(connection, folder)
        assert await migrate(owner_url, "interop", folder) == []
        await connection.execute("UPDATE service_version SET version_num = '0001'")
        assert not await is_at_head(connection, folder)
        await connection.execute("UPDATE service_version SET version_num = 'restoring'")
        assert not await is_at_head(connection, folder)
    finally:  # the next test finds the database as it was
        for chain in chains(folder):
            await connection.execute(
                f"UPDATE {chain.version_table} SET version_num = '{chain.head()}'"
            )
        await connection.close()


async def test_nobody_holds_locks_for_longer_than_a_moment_without_doing_anything(hub):
    """Also where a process hangs in the middle of a transaction: the server ends it."""
    shown = "SHOW idle_in_transaction_session_timeout"
    async with hub("interop") as h:
        database = h.host.runtimes["interop"].database
        for _ in range(2):  # what is given back to a pool is not reset
            async with database.person(None, (), Mode.READ, 5.0) as tx:
                assert await tx._connection.fetchval(shown) == "10s"
            async with database.system() as tx:
                assert await tx._connection.fetchval(shown) == "10s"
