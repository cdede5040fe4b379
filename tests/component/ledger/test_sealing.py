"""The sealer: whatever order rows are committed in, and wherever it is killed, each is sealed once."""

import asyncio
import contextlib
import multiprocessing
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY

from libs.chassis import ids
from libs.chassis.database import Database, open_pool
from libs.conveyor import crashpoints
from libs.conveyor.crashpoints import POINTS
from libs.ledger import heads, sealing
from libs.ledger.heads import Keys, Signer
from libs.ledger.sealing import LATE, Seal, Sealer, run_sealer
from libs.ledger.verification import Kind, Verifier
from tests.component.ledger.ledgers import (
    KEY,
    SERVICE,
    WRITE,
    LedgerOf,
    filled,
    ledger_of,
    row,
)

KILLED = 137
# Longer than a sealer of these tests rests, and one that waits for another.
HANGS = 1.5
_processes = multiprocessing.get_context("forkserver")


@pytest.fixture
async def ledger(servers, tmp_path):
    async with ledger_of(servers, tmp_path) as opened:
        opened.now = lambda: datetime.now(UTC)
        yield opened


def hurry(monkeypatch: pytest.MonkeyPatch | None = None) -> None:
    """A sealer that does in a second what takes minutes."""
    quick = {
        "SEAL_EVERY": 0.02, "HEAD_EVERY": 0.1, "RECENT": timedelta(seconds=0.3), "LATE_EVERY": 0.3,
    }  # fmt: skip
    for name, value in quick.items():
        if monkeypatch:
            monkeypatch.setattr(sealing, name, value)
        else:
            setattr(sealing, name, value)


async def is_sealed(ledger: LedgerOf) -> None:
    """Wait until no row is left."""
    async with asyncio.timeout(60):
        while await ledger.admin.fetchval(
            "SELECT count(*) FROM audit a WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.audit_id = a.id)"
        ):
            await asyncio.sleep(0.02)


def lateness() -> float:
    """What the process shows."""
    return REGISTRY.get_sample_value("carehub_audit_sealing_seconds", {"service": SERVICE}) or 0.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("mode", ["ACCESS EXCLUSIVE", "SHARE"], ids=["reading", "writing"])
async def test_a_sealer_that_hangs_is_later_from_moment_to_moment(ledger, monkeypatch, mode):
    """It waits for somebody's lock and says nothing; what it said last was that all is well."""
    hurry(monkeypatch)
    async with ledger.sealing():
        await ledger.write([row(datetime.now(UTC), random.Random())])
        await is_sealed(ledger)
        async with ledger.admin.transaction():
            await ledger.admin.execute(f"LOCK TABLE audit_chain IN {mode} MODE")
            await ledger.write([row(datetime.now(UTC), random.Random())])
            await until(lambda: lateness() > HANGS)
        await until(lambda: lateness() < HANGS)
    assert (await ledger.verify()).findings == []


async def test_who_does_not_lead_any_more_does_not_say_how_late_the_sealing_is(
    ledger, servers, monkeypatch
):
    """What it said last would call somebody for as long as its process lives."""
    hurry(monkeypatch)
    other = await asyncpg.connect(servers.admin_url(SERVICE))
    async with ledger.sealing():
        await ledger.write([row(datetime.now(UTC), random.Random())])
        await is_sealed(ledger)
        async with ledger.admin.transaction():
            await ledger.admin.execute("LOCK TABLE audit_chain IN ACCESS EXCLUSIVE MODE")
            await until(lambda: lateness() > HANGS)
            # Another is the next to lead, and the one that hangs loses its connection.
            lead = asyncio.create_task(
                other.execute("SELECT pg_advisory_lock($1)", sealing._LEADER)
            )
            await ledger.admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted",
                sealing._LEADER,
            )
            await lead
        await until(lambda: lateness() < HANGS)
    await other.close()


async def test_rows_that_are_committed_out_of_order_are_all_sealed_and_none_twice(
    ledger, monkeypatch
):
    hurry(monkeypatch)
    rng = random.Random()
    committed = set()

    async def one() -> None:
        """Written at once, committed after a while, or never."""
        await asyncio.sleep(rng.uniform(0, 2))
        written = [row(datetime.now(UTC), rng) for _ in range(rng.randint(1, 5))]
        slowness = rng.choice([0, 0, 0, 0.01, 0.5, 1.0])
        is_given_up = rng.random() < 0.1
        with contextlib.suppress(ZeroDivisionError):
            async with ledger.database.system() as tx:
                await tx.run_many(WRITE, written)
                await asyncio.sleep(slowness)
                _ = 1 / (0 if is_given_up else 1)
            committed.update(each.id for each in written)

    crowd = asyncio.Semaphore(5)  # as many as the pool has besides the sealer's

    async def in_turn() -> None:
        async with crowd:
            await one()

    async with ledger.sealing():
        await asyncio.gather(*(in_turn() for _ in range(40)))
        await is_sealed(ledger)
    sealed = await ledger.ids()
    assert len(sealed) == len(set(sealed))
    assert set(sealed) == committed
    assert (await ledger.verify()).findings == []


async def test_of_two_sealers_one_seals_and_the_other_goes_on_when_it_ends(ledger, monkeypatch):
    hurry(monkeypatch)
    rng = random.Random(1)
    async with ledger.sealing(), ledger.sealing():
        for n in range(40):
            await ledger.write([row(datetime.now(UTC), rng) for _ in range(5)])
            if n == 20:  # the connection with the lock is lost
                await ledger.admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1",
                    sealing._LEADER,
                )
            await asyncio.sleep(0.02)
        await is_sealed(ledger)
    report = await ledger.verify()
    assert (report.rows, report.findings) == (200, [])


async def test_a_sealer_that_stood_still_for_long_finds_what_was_written_meanwhile(ledger):
    """A process that was stopped, or a machine that slept: no row is out of its sight afterwards."""
    rng = random.Random(2)
    times = [datetime.now(UTC)]
    async with ledger.database.session() as connection:
        sealer = Sealer(SERVICE, connection, ledger.seal, lambda: times[-1])
        await ledger.write([row(times[-1], rng)])
        await sealer.begin()
        await ledger.write([row(times[0] + timedelta(minutes=n), rng) for n in range(1, 119)])
        times.append(times[0] + timedelta(hours=2))
        await sealer._seal_what_is_new()
        await sealer.tell()
    report = await ledger.verify()
    assert (report.rows, report.findings) == (119, [])


async def test_what_was_written_before_there_was_a_seal_is_sealed_and_far_too_late_is_not(ledger):
    rng = random.Random(3)
    at = datetime.now(UTC) - timedelta(days=3)
    await ledger.write([row(at + timedelta(hours=n), rng) for n in range(60)])
    await ledger.seal_all()
    assert (await ledger.verify()).rows == 60
    late = row(at + timedelta(hours=59) - LATE - timedelta(seconds=1), rng)
    await ledger.write([late])
    await ledger.seal_all()
    report = await ledger.verify()
    assert report.rows == 60
    assert [(one.kind, one.audit_id) for one in report.findings] == [(Kind.INSERTED, late.id)]


async def test_two_rows_with_one_id_do_not_stop_the_seal(ledger):
    rng = random.Random(7)
    at = datetime.now(UTC) - timedelta(hours=1)
    first = row(at, rng)
    forged = row(at + timedelta(seconds=1), rng, id=first.id)
    await ledger.write([first, forged, row(at + timedelta(minutes=20), rng)])
    await ledger.seal_all()
    report = await ledger.verify()
    assert report.rows == 2
    assert [(one.kind, one.at) for one in report.findings] == [(Kind.INSERTED, forged.at)]


async def test_a_crash_before_the_head_is_no_finding_and_a_long_end_without_one_is(ledger):
    rng = random.Random(8)
    at = datetime.now(UTC) - timedelta(hours=2)
    await ledger.write([row(at, rng)])
    await ledger.seal_all()
    ledger.seal = Seal()  # no key
    await ledger.write([row(at + timedelta(hours=1), rng)])
    await ledger.seal_all()
    assert (await ledger.verify()).findings == []
    await ledger.write([row(at + timedelta(hours=1, seconds=61), rng)])
    await ledger.seal_all()
    assert [one.kind for one in (await ledger.verify()).findings] == [Kind.WITHOUT_HEAD]


async def test_months_are_made_ahead_and_what_has_none_is_told(ledger, servers):
    def names(found: list[asyncpg.Record]) -> set[str]:
        return {one["relname"] for one in found}

    children = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit'::regclass"
    status = "SELECT * FROM audit_status()"
    before = names(await ledger.admin.fetch(children))
    assert {"audit_first", "audit_default"} < before
    in_a_year = datetime.now(UTC) + timedelta(days=366)
    ledger.now = lambda: in_a_year
    async with ledger.sealing():
        while len(names(await ledger.admin.fetch(children))) < len(before) + 3:
            await asyncio.sleep(0.02)
    month = in_a_year.replace(day=1) + timedelta(days=32)
    assert f"audit_{month:%Y_%m}" in names(await ledger.admin.fetch(children))
    assert not (await ledger.admin.fetchrow(status))["overflows"]
    rng = random.Random(4)
    await ledger.write([row(month.replace(day=2), rng)])
    assert not (await ledger.admin.fetchrow(status))["overflows"]
    # Where no month was made, nothing is refused or lost; somebody is told.
    await ledger.write([row(datetime.now(UTC) + timedelta(days=1000), rng)])
    assert (await ledger.admin.fetchrow(status))["overflows"]
    far = (datetime.now(UTC) + timedelta(days=1000)).date().replace(day=1)
    assert not await ledger.admin.fetchval("SELECT audit_partition($1)", far)
    await ledger.seal_all()
    assert (await ledger.verify()).findings == []


async def test_a_clock_that_is_moved_over_months_finds_room_in_each(ledger, monkeypatch):
    hurry(monkeypatch)
    rng, at = random.Random(5), datetime.now(UTC).replace(day=2)
    ledger.now = lambda: at
    async with ledger.sealing():
        for _ in range(4):
            at = (at + timedelta(days=62)).replace(day=2)
            await ledger.write([row(at, rng)])
            ahead = (at.replace(day=1) + timedelta(days=95)).replace(day=1)
            async with asyncio.timeout(30):
                while not await ledger.admin.fetchval(
                    "SELECT to_regclass($1) IS NOT NULL", f"audit_{ahead:%Y_%m}"
                ):
                    await asyncio.sleep(0.02)
    assert not (await ledger.admin.fetchrow("SELECT * FROM audit_status()"))["overflows"]


# Killed.


def live(plan: dict[str, Any]) -> None:
    asyncio.run(_live(plan))


async def _live(plan: dict[str, Any]) -> None:
    hurry()
    crashpoints.arm(plan["crashpoint"])
    database = Database(None, await open_pool(plan["url"], 4, "worker"), ids.now)
    rng = random.Random()
    seal = Seal(signer=Signer(plan["key"]), folder=Path(plan["folder"]))
    stopping = asyncio.Event()
    sealer = asyncio.create_task(run_sealer(SERVICE, database, lambda: seal, stopping, ids.now))
    while not sealer.done():  # until it dies, however long it takes to come to that point
        async with database.system() as tx:
            await tx.run_many(WRITE, [row(ids.now(), rng) for _ in range(10)])
        await asyncio.sleep(0.03)


@pytest.mark.timeout(600)
async def test_killed_at_each_of_its_points_it_loses_and_doubles_nothing(ledger, servers):
    points = sorted(point for point in POINTS if point.startswith("sealer."))
    assert len(points) == 4
    for passing in (1, 2):
        for point in points:
            plan = {
                "url": servers.url(SERVICE, "system"),
                "folder": str(ledger.folder),
                "key": KEY,
                "crashpoint": f"{point}:{passing}",
            }
            worker = _processes.Process(target=live, args=(plan,), daemon=True)
            worker.start()
            await asyncio.to_thread(worker.join, 90)
            code = worker.exitcode
            worker.kill()
            assert code == KILLED, point
    await ledger.seal_all()
    rows = await ledger.admin.fetchval("SELECT count(*) FROM audit")
    report = await ledger.verify()
    assert report.findings == []
    assert report.rows == rows > 8
    last = await ledger.admin.fetchval("SELECT max(sequence) FROM audit_chain")
    assert last == rows
    assert max(head.sequence for head in heads.read(ledger.folder, SERVICE)) == last


async def test_a_million_rows_would_be_told_of_while_they_are_read(ledger, monkeypatch):
    monkeypatch.setattr("libs.ledger.verification.STEP", 10)
    told = []
    await filled(ledger, random.Random(5), batches=1, rows=25)
    verifier = Verifier(SERVICE, ledger.database, Keys(KEY), {}, ledger.now)
    await verifier.run(lambda done, total: told.append((done, total)))
    assert told[-1] == (25, 25)


async def test_a_sealer_whose_key_cannot_be_read_does_not_begin_and_is_late(hub, tmp_path):
    async with hub("registry", env={"CAREHUB_AUDIT_KEY": str(tmp_path / "lost.pem")}) as running:

        async def is_late() -> bool:
            said = {"service": "registry"}
            late = REGISTRY.get_sample_value("carehub_audit_sealing_seconds", said) or 0.0
            return 1.0 < late < 60.0  # since it began, not since another hub of this process did

        await running.until(is_late, what="that it says how late it is")
