"""The door to a database: who sees which rows, and that nobody sees any by accident."""

import asyncio
import importlib
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import insert, select

from libs.chassis.database import Database, Mode, every_field, open_pool, sql
from libs.chassis.grants import Grant, grants, project_grants
from libs.chassis.migrate import is_at_head

SERVICES = ("identity", "interop", "registry", "tasking")
ALL = sql(select(grants), row=Grant)
ADD = sql(insert(grants).values(every_field(grants)))
# Tables that hold nothing about patients. Anything else is forced under row-level security.
OPEN = {
    "identity": {"organizations", "facilities", "staff", "teams"},
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
    "registry": set(),
    "tasking": {"staff", "teams", "facilities", "protocols", "notifications"},
}
CHASSIS_OPEN = {
    "audit_chain",
    "audit_heads",
    "heartbeats",
    "inbox",
    "timers",
    "stream_marks",
    "chassis_version",
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


def _grant(facility_id):
    return Grant(
        id=uuid4(),
        version=1,
        facility_id=facility_id,
        patient_id=uuid4(),
        reason="TREATED",
        expires_at=None,
        is_active=True,
    )


async def test_a_person_sees_the_rows_of_their_facilities_only(database):
    mine, other = uuid4(), uuid4()
    async with database.system() as tx:
        await project_grants(tx, [_grant(mine), _grant(other)])
    async with database.person(uuid4(), [mine], Mode.READ, 5) as tx:
        assert [g.facility_id for g in await tx.fetch(ALL)] == [mine]
    async with database.person(uuid4(), [], Mode.READ, 5) as tx:
        assert await tx.fetch(ALL) == []


async def test_no_caller_is_an_error_and_never_an_empty_list(servers, database):
    async with database.system() as tx:
        await project_grants(tx, [_grant(uuid4())])
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
        await project_grants(tx, [_grant(uuid4())])
    async with one.person(uuid4(), [uuid4()], Mode.READ, 5) as tx:
        await tx.fetch(ALL)
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM grants")
    await one.close()


async def test_a_person_cannot_write_where_only_the_system_may(database):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.person(uuid4(), [uuid4()], Mode.WRITE, 5) as tx:
            await tx.run(ADD, _grant(uuid4()))


async def test_an_older_version_of_a_grant_changes_nothing(database):
    grant = _grant(uuid4())
    ended = Grant(
        **{f: getattr(grant, f) for f in grant.__slots__} | {"version": 2, "is_active": False}
    )
    async with database.system() as tx:
        await project_grants(tx, [ended])
        await project_grants(tx, [grant])
        assert [g.is_active for g in await tx.fetch(ALL)] == [False]


async def test_an_error_rolls_back_and_a_cancelled_transaction_leaves_nothing_behind(database):
    grant = _grant(uuid4())
    with pytest.raises(ZeroDivisionError):
        async with database.system() as tx:
            await project_grants(tx, [grant])
            raise ZeroDivisionError

    entered = asyncio.Event()

    async def stuck():
        async with database.system() as tx:
            await project_grants(tx, [grant])
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


async def test_a_pod_is_not_ready_until_its_schema_is_at_head(servers, tmp_path):
    connection = await asyncpg.connect(servers.postgres.url)
    try:
        assert not await is_at_head(connection, tmp_path)
    finally:
        await connection.close()
