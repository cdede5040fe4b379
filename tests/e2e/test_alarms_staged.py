"""What shows only in how a hub's counts grow, or while something hangs: a real one is made to, and its alerts fire."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from libs.local.environment import database_url
from libs.observability.slos import LEAST_BAD
from tests.contract.promql import RUNBOOKS, with_promtool
from tests.contract.test_runbooks import of_carehub
from tests.e2e.alarms import Scrape, firing, read_by, scraped
from tests.e2e.conftest import together
from tests.e2e.processes import children_of, pid_of
from tests.e2e.region import Person, Region, adt, days_ago
from tests.e2e.test_alarms import all_shown, carehub, look, stopped, until_firing

pytestmark = [together, with_promtool, pytest.mark.timeout(900)]
# Messages, and requests, that go wrong: enough for an objective to call.
SEVERAL = LEAST_BAD + 3
# More at once than a process has connections.
MANY = 24
# More than a consumer may have before it, besides what it has taken.
FLOOD = 1500


async def test_objectives_that_are_missed_call(region: Region, tmp_path: Path):
    """Requests and messages that come while the database stands still: failed, slow, and turned away."""
    await region.get("nurse", "/v1/tasks")
    before = await scraped(region)
    postgres = pid_of(region, "postgres")
    assert postgres is not None
    with stopped(postgres, *children_of(postgres)):
        sent = asyncio.gather(*[region.send(message) for message in discharges("LATE")])
        asked = [region.ask("nurse", "GET", "/v1/tasks") for _ in range(SEVERAL)]
        answers = await asyncio.gather(*asked)
    assert {answer.status_code // 100 for answer in answers} == {5}
    assert {code for codes in await sent for code in codes} <= {"AR", "AA"}
    wanted = {"ApiFails", "ApiSlow", "AcknowledgementsLate"}
    assert wanted <= await firing(region, tmp_path, before)
    await all_shown(region, tmp_path, wanted, before)
    await until_firing(region, tmp_path, set(), 120)


async def test_a_worklist_that_is_late_and_consumers_that_are_begun_anew_call(
    region: Region, tmp_path: Path
):
    """While the broker stands still: what is stored becomes tasks when it goes on."""
    before = await scraped(region)
    with stopped(pid_of(region, "nats")):
        sent = [region.send(message) for message in discharges("STALE")]
        assert await asyncio.gather(*sent) == [["AA"]] * SEVERAL
        await grown(region, "carehub_streams_watchdog_total", before, 1)
    await grown(region, "carehub_message_to_task_seconds_count", before, SEVERAL)
    wanted = {"WorklistLate", "ConsumerStuck"}
    assert wanted <= await firing(region, tmp_path, before)
    await all_shown(region, tmp_path, wanted, before)
    await until_firing(region, tmp_path, set(), 120)


async def test_what_hangs_at_a_lock_calls(region: Region, tmp_path: Path):
    """Held by somebody with psql: the tasks that people ask for, what a consumer remembers, and a chain that is sealed."""
    await region.send(*discharges("HANGS"))
    await region.settled_accounts()
    held = {
        "tasking": "tasks IN ACCESS EXCLUSIVE",
        "interop": "inbox IN ACCESS EXCLUSIVE",
        "registry": "audit_chain IN ACCESS EXCLUSIVE",
    }
    async with locked(region, held), asking(region):
        await region.rows(
            "registry",
            "INSERT INTO outbox (id, subject, key, version, payload, headers, created_at) "
            "SELECT gen_random_uuid(), subject, key, version, payload, headers, now() FROM generate_series(1, $1), "
            "(SELECT * FROM outbox WHERE subject LIKE '%.ReportHandled' ORDER BY position DESC LIMIT 1) told",
            FLOOD,
        )
        assert (await region.post("nurse", "/v1/patients:search", text="Okafor")) is not None
        wanted = {"PoolExhausted", "ConsumerLags", "SealingLate"}
        await until_firing(region, tmp_path, wanted, 150)
        await all_shown(region, tmp_path, wanted)
        holder, *_ = await look(region, "SealingLate", "pg_locks")
        assert (holder["mode"], holder["granted"]) == ("AccessExclusiveLock", True)
        log = (region.machine.home / "logs/work.log").read_bytes()
        [found] = read_by("SealingLate", "kubectl logs", log)
        assert '"registry"' in found
    await until_firing(region, tmp_path, set(), 120)
    for words in of_carehub(RUNBOOKS / "SealingLate.md"):
        assert "whole" in await carehub(region, *words)  # `audit verify`


async def test_identity_that_neither_publishes_nor_answers_calls(region: Region, tmp_path: Path):
    """Who has decided what cannot be read there: holders hear nothing, and ask in vain."""
    await until_firing(region, tmp_path, set(), 60)
    async with locked(region, {"identity": "access_versions IN ACCESS EXCLUSIVE"}):
        await until_firing(region, tmp_path, {"GrantsOld"}, 90)
        await all_shown(region, tmp_path, {"GrantsOld"})
        [beat] = await look(region, "GrantsOld")
        assert beat["age"] > timedelta(seconds=30)
        log = (region.machine.home / "logs/work.log").read_bytes()
        assert read_by("GrantsOld", "kubectl logs", log)
    await until_firing(region, tmp_path, set(), 60)


async def test_a_feed_whose_messages_cannot_be_used_calls(region: Region, tmp_path: Path):
    before = await scraped(region)
    broken = [message.replace(b"19480312", b"notaday!") for message in discharges("BROKEN")]
    assert await region.send(*broken) == ["AA"] * SEVERAL
    assert await firing(region, tmp_path, before) >= {"FeedQuarantined"}
    await all_shown(region, tmp_path, {"FeedQuarantined"}, before)
    await until_firing(region, tmp_path, set(), 60)


def discharges(prefix: str) -> list[bytes]:
    """Of as many people: each makes a task."""
    people = [
        Person(mrn=f"{prefix}{n}", family="Vukasinov", given=f"Z{prefix}{n}", visit=f"{prefix}V{n}")
        for n in range(SEVERAL)
    ]
    admit, left = days_ago(3), days_ago(1)
    return [adt("A03", person, left, admit=admit, discharge=left) for person in people]


async def grown(region: Region, metric: str, before: Scrape, by: float) -> None:
    """Wait until what is counted has grown by so much in all processes together."""

    async def has_grown() -> bool:
        return total(metric, await scraped(region)) - total(metric, before) >= by

    await region.until(has_grown, 90, f"{metric} grows by {by}")


def total(metric: str, scrape: Scrape) -> float:
    return sum(value for name, value in scrape.series.items() if name.partition("{")[0] == metric)


@asynccontextmanager
async def locked(region: Region, held_tables: Mapping[str, str]) -> AsyncIterator[None]:
    """Hold a table of each of these services, in a mode."""
    async with contextlib.AsyncExitStack() as held:
        for service, table in held_tables.items():
            connection = await asyncpg.connect(database_url(region.machine, service, "owner"))
            held.push_async_callback(connection.close)
            await connection.execute(f"BEGIN; LOCK TABLE {table} MODE")
        yield


@asynccontextmanager
async def asking(region: Region) -> AsyncIterator[None]:
    """Meanwhile people ask for their tasks, many at once, whatever they are answered."""

    async def ask() -> None:
        while True:
            await region.ask("nurse", "GET", "/v1/tasks")

    tasks = [asyncio.create_task(ask()) for _ in range(MANY)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
