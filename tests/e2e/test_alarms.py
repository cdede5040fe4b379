"""A hub that is well calls nobody; one that is broken calls, and what its runbook says finds and mends it."""

import asyncio
import os
import re
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.chassis.ids import new_id
from libs.local.environment import for_migrations, for_services
from tests.contract.promql import (
    OF_THE_CLUSTER,
    RUNBOOKS,
    blocks,
    everywhere,
    exported,
    metrics_in,
    with_promtool,
)
from tests.contract.test_runbooks import FILLED, of_carehub
from tests.e2e.alarms import Scrape, families, firing, shown
from tests.e2e.conftest import together
from tests.e2e.processes import children_of, pid_of
from tests.e2e.region import Person, Region, adt, days_ago

pytestmark = [together, with_promtool, pytest.mark.timeout(900)]
# Labels that a target of Prometheus has, and those that a rule writes itself.
GIVEN = {"job", "instance", "le", "slo", "service"}


async def test_every_metric_of_a_rule_a_panel_and_a_runbook_is_exported(region: Region):
    """By its name, and with the labels and the bounds of buckets that somebody asks for."""
    there: dict[str, set[str]] = {}
    bounds: dict[str, set[str]] = {}
    for _, family in await families(region):
        labels = there.setdefault(exported(family.name), set())
        labels.update(*(sample.labels for sample in family.samples))
        told = bounds.setdefault(exported(family.name), set())
        told.update(sample.labels.get("le", "") for sample in family.samples)
    missing, strange = [], []
    for where, expr in everywhere():
        ours = {m for m in metrics_in(expr) - {"up"} if not m.startswith(OF_THE_CLUSTER)}
        of_ours = {metric: there.get(exported(metric), set()) for metric in ours}
        missing += [f"{where}: {m}" for m in ours if ":" not in m and exported(m) not in there]
        for metric, labels in of_ours.items():
            strange += [
                f"{where}: {label} of {metric}"
                for label in asked(metric, expr) - GIVEN
                if labels and label not in labels
            ]
            strange += [
                f"{where}: no bucket of {metric} ends at {bound}"
                for bound in re.findall(rf'{metric}{{[^}}]*\ble="([^"]+)"', expr)
                if bound not in bounds[exported(metric)]
            ]
        # Of what has no series yet the labels are not known; test_metrics.py has them all.
        if of_ours and all(of_ours.values()):
            known = GIVEN.union(*of_ours.values())
            strange += [f"{where}: by {label}" for label in grouped_by(expr) - known]
    assert missing == []
    assert strange == []


def asked(metric: str, expr: str) -> set[str]:
    """The labels of a metric that an expression matches."""
    return {
        label
        for matchers in re.findall(rf"{metric}{{([^}}]*)}}", expr)
        for label in re.findall(r"(\w+)(?:=~|!~|!=|=)\"", matchers)
    }


def grouped_by(expr: str) -> set[str]:
    """The labels by which an expression adds up, or matches one side with the other."""
    lists = re.findall(r"\b(?:by|on|ignoring|without|group_left|group_right) ?\(([^)]*)\)", expr)
    return {label.strip() for text in lists for label in text.split(",") if label.strip()}


async def test_a_hub_that_is_well_calls_nobody(region: Region, tmp_path: Path):
    await region.settled_accounts()
    await until_firing(region, tmp_path, set(), 60)


async def test_what_is_broken_inside_calls_by_its_name_and_its_runbook_mends_it(
    region: Region, tmp_path: Path
):
    """At once, since each takes a minute to be noticed: a feed is silent, an event cannot be read, a timer does not fire."""
    mercy = (await region.feeds())["MERCY"]["id"]
    await set_silence(region, mercy, "60s")
    await region.rows(
        "registry",
        "INSERT INTO outbox (id, subject, key, version, payload, headers, created_at) "
        "VALUES ($1, 'carehub.registry.v1.ReportHandled', 'k', 1, $2, '{}', now())",
        new_id(),
        b"\xff",
    )
    await region.rows(
        "tasking",
        "INSERT INTO timers (kind, key, due_at, attempts) VALUES ('no-such-kind', 'k', now() - interval '5 minutes', 0)",
    )
    wanted = {"FeedSilent", "MessageParked", "TimersLate"}
    # A minute of silence, and interop looks once a minute.
    await until_firing(region, tmp_path, wanted, 180)
    await all_shown(region, tmp_path, wanted)
    (silent,) = await look(region, "FeedSilent")
    assert str(silent["feed_id"]) == mercy
    (late,) = await look(region, "TimersLate")
    assert (late["kind"], late["due"], late["attempts"]) == ("no-such-kind", 1, 0)
    assert (
        await look(region, "MessageParked") == []
    )  # it is about registry; the event is parked at interop
    listed = await carehub(region, *parked("list"))
    id, *_ = listed.split()
    assert "UNREADABLE" in listed
    assert id in await carehub(region, *parked("show", id))

    await set_silence(region, mercy, "7200s")
    sent = await carehub(region, *send(region))
    assert "AA" in sent
    assert "DISCARDED" in await carehub(region, *parked("discard", id))
    await mend(region, "TimersLate", KIND="no-such-kind")
    await until_firing(region, tmp_path, set(), 120)


async def test_a_broker_that_is_away_calls_and_all_goes_out_when_it_is_back(
    region: Region, tmp_path: Path
):
    nats = pid_of(region, "nats")
    with stopped(nats):
        person = Person(mrn="ALARM1", family="Rossi", given="Ada", visit="ALARM-V1")
        # Stored and acknowledged all the same: interop has something to tell, and registry.
        assert await region.send(adt("A01", person, days_ago(1), admit=days_ago(1))) == ["AA"]
        facilities = (await region.get("nurse", "/v1/facilities"))["facilities"]
        home = next(f["id"] for f in facilities if "Mercy" in f["name"])
        names = [{"family": "Rossi", "given": ["Bea"]}]
        await region.post(
            "nurse",
            "/v1/patients",
            facilityId=home,
            names=names,
            birthDate={"year": 1950, "month": 2, "day": 1},
            identifiers=[{"assigner": "MERCY", "value": "ALARM2", "type": "MR"}],
        )
        wanted = {"BrokerAway", "OutboxStuck"}
        found = await until_firing(region, tmp_path, wanted, 90)
        assert found <= wanted | {"GrantsOld", "ConsumerStuck"}
        await all_shown(region, tmp_path, wanted)
        (waiting,) = await look(region, "BrokerAway")
        assert waiting["waiting"] >= 1
    for alert in ("BrokerAway", "OutboxStuck", "ConsumerStuck"):
        for words in of_carehub(RUNBOOKS / f"{alert}.md"):
            await carehub(region, *words)  # `nats setup` finds all in place, `parked list` nothing
    await until_firing(region, tmp_path, set(), 120)
    assert (await look(region, "BrokerAway"))[0]["waiting"] == 0


async def test_a_database_that_is_away_calls_and_services_come_back_by_themselves(
    region: Region, tmp_path: Path
):
    postgres = pid_of(region, "postgres")
    assert postgres is not None
    with stopped(postgres, *children_of(postgres)):
        found = await until_firing(region, tmp_path, {"DatabaseAway"}, 90)
        assert found <= {"DatabaseAway", "GrantsOld", "SealingLate", "PoolExhausted", "OutboxStuck"}
        await all_shown(region, tmp_path, {"DatabaseAway"})
    await until_firing(region, tmp_path, set(), 120)
    for words in of_carehub(RUNBOOKS / "DatabaseAway.md"):
        assert await carehub(region, *words)  # `audit verify`


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
async def test_what_a_runbook_looks_for_in_a_database_is_there(region: Region, path: Path):
    await look(region, path.stem)


async def test_the_schema_of_a_hub_that_is_well_has_nothing_to_mend(region: Region):
    """What ProcessAway says to run, runs, and twice is once."""
    for words in of_carehub(RUNBOOKS / "ProcessAway.md"):
        await carehub(region, *words)


async def until_firing(
    region: Region, folder: Path, wanted: set[str], seconds: float, *, just: bool = False
) -> set[str]:
    """Wait until at least these fire, or just these, as nothing is always just nothing. What did in the end."""
    seen: set[str] = set()

    async def fires() -> bool:
        nonlocal seen
        seen = await firing(region, folder)
        await asyncio.sleep(2)
        return seen == wanted if just or not wanted else wanted <= seen

    await region.until(fires, seconds, lambda: f"{wanted or 'nothing'} fires, and not {seen}")
    return seen


async def all_shown(
    region: Region, folder: Path, alerts: set[str], since: Scrape | None = None
) -> None:
    """What their runbooks ask of Prometheus has an answer."""
    for alert in sorted(alerts):
        await shown(region, folder, alert, since)


@contextmanager
def stopped(*pids: int | None) -> Any:
    """Processes that neither answer nor end, as behind a wire that was cut; nobody starts them anew."""
    for pid in pids:
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            if pid is not None:
                os.kill(pid, signal.SIGCONT)


async def look(region: Region, alert: str, at: str = "") -> list[asyncpg.Record]:
    """What the SQL of a runbook shows, all of it or what looks `at` something; but what changes something is not run."""
    found = []
    for text in blocks(RUNBOOKS / f"{alert}.md", "sql"):
        first, _, statement = text.partition("\n")
        if statement.startswith("SELECT") and at in statement:
            found += await region.rows(first.removeprefix("-- database: "), statement)
    return found


async def mend(region: Region, alert: str, **filled: str) -> None:
    """Run what the runbook says to change, with what one fills in."""
    for text in blocks(RUNBOOKS / f"{alert}.md", "sql"):
        first, _, statement = text.partition("\n")
        for word, value in filled.items():
            statement = statement.replace(word, value)
        if not statement.startswith("SELECT"):
            await region.rows(first.removeprefix("-- database: "), statement)


async def set_silence(region: Region, feed_id: str, silence_after: str) -> None:
    answer = await region.ask(
        "integration",
        "PATCH",
        f"/v1/feeds/{feed_id}",
        params={"updateMask": "silenceAfter"},
        json={"silenceAfter": silence_after},
    )
    assert answer.status_code == 200, answer.text


async def carehub(region: Region, *words: str) -> str:
    """Run a command as an operator would; what it said."""
    env = {**os.environ, **for_services(region.machine), **for_migrations(region.machine)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services", *words, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(child.communicate(), 120)
    assert child.returncode == 0, err.decode()
    return out.decode()


def parked(action: str, id: str = "") -> list[str]:
    """The command of the runbook, at the service that it is about now."""
    (words,) = [w for w in of_carehub(RUNBOOKS / "MessageParked.md") if w[2] == action]
    filled = [id if word == FILLED["ID"] else word for word in words]
    return [filled[0], "interop", *filled[2:]]


def send(region: Region) -> list[str]:
    (words,) = of_carehub(RUNBOOKS / "FeedSilent.md")
    port = str(region.machine.mllp_port)
    return [port if word == "2575" else word for word in words]
