"""What dashboards and alerts read is there: every metric of CareHub, by its name and its labels, of a hub that works."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.__main__ import SERVICES
from tests.e2e import outputs
from tests.e2e.region import Person, Region, adt, days_ago

HOLDERS = {"analytics", "careplans", "messaging", "referrals", "registry", "scheduling", "tasking"}
# A name that Prometheus knows, and the labels of its series.
EXPORTED = {
    "carehub_rpc_requests_total": {"method", "code"},
    "carehub_rpc_seconds_bucket": {"method", "le"},
    "carehub_http_requests_total": {"method", "route", "status"},
    "carehub_http_seconds_bucket": {"route", "le"},
    "carehub_outbox_published_total": {"service"},
    "carehub_outbox_oldest_seconds": {"service"},
    "carehub_outbox_waiting": {"service"},
    "carehub_inbox_handled_total": {"consumer", "outcome"},
    "carehub_inbox_pending": {"consumer"},
    "carehub_parked": {"service", "consumer"},
    "carehub_streams_watchdog_total": {"consumer"},
    "carehub_timers_fired_total": {"kind", "outcome"},
    "carehub_timer_lateness_seconds_bucket": {"kind", "le"},
    "carehub_timers_overdue": {"service"},
    "carehub_timers_overdue_seconds": {"service"},
    "carehub_audit_sealed_total": {"service"},
    "carehub_audit_sealing_seconds": {"service"},
    "carehub_feed_silent": {"feed_id"},
    "carehub_feeds_silent": set(),
    "carehub_feed_last_seconds": {"feed_id"},
    "carehub_feed_messages_total": {"feed_id", "outcome"},
    "carehub_mllp_messages_total": {"code", "reason"},
    "carehub_mllp_ack_seconds_bucket": {"le"},
    "carehub_mllp_store_seconds_bucket": {"le"},
    "carehub_mllp_batch_messages_bucket": {"le"},
    "carehub_mllp_connections": set(),
    "carehub_mllp_discarded_bytes_total": set(),
    "carehub_message_to_task_seconds_bucket": {"le"},
    "carehub_loops": {"state"},
    "carehub_tasking_broken_promises": {"rule"},
    "carehub_notifications_total": {"channel", "outcome"},
    "carehub_letters_total": {"service", "outcome"},
    "carehub_messages_waiting": {"state"},
    "carehub_reminder_lateness_seconds_bucket": {"le"},
    "carehub_refusals_total": {"method", "reason"},
    "carehub_grants_heartbeat_seconds": {"service"},
    "carehub_database_pool": {"service", "pool", "state"},
}
# Of these there are series only once something went wrong that does not go wrong here; the names are known all the same.
ANNOUNCED = {"carehub_inbox_parked": "counter", "carehub_mllp_closed": "counter"}


@pytest.mark.timeout(400)
async def test_every_metric_is_exported_by_a_hub_that_works(region: Region):
    await _do_a_little_of_everything(region)

    async def complete() -> Any:
        return not await _missing(region)

    try:
        await region.until(complete, 60)
    finally:
        assert await _missing(region) == {}
    series, types = await _scraped(region)
    assert {name: types.get(name) for name in ANNOUNCED} == ANNOUNCED
    for name in ("outbox_waiting", "timers_overdue", "audit_sealed_total"):
        assert {each["service"] for each, _ in series[f"carehub_{name}"]} == set(SERVICES), name
    assert {each["service"] for each, _ in series["carehub_grants_heartbeat_seconds"]} >= HOLDERS


@pytest.mark.timeout(400)
async def test_the_metrics_say_what_the_hub_shows(region: Region):
    await _do_a_little_of_everything(region)
    mercy = (await region.feeds())["MERCY"]["id"]
    before = await _of_feed(region, mercy)
    person = Person(mrn="METRIC9", family="Okonjo", given="Ada", visit="METRIC9")
    admit = days_ago(2)
    once = adt("A01", person, admit, admit=admit)
    broken = once.replace(b"19480312", b"notaday!").replace(b"|E2E", b"|F2E")
    assert await region.send(once, once, broken) == ["AA", "AA", "AA"]
    after = await _of_feed(region, mercy)
    assert {what: after[what] - before[what] for what in after if after[what] != before[what]} == {
        "accepted": 1,
        "duplicate": 1,
        "quarantined": 1,
    }

    async def told() -> Any:
        [(count,)] = await region.rows("tasking", "SELECT count(*) FROM loops WHERE state = 'OPEN'")
        series, _ = await _scraped(region)
        loops = {each["state"]: value for each, value in series["carehub_loops"]}
        assert loops["open"] >= loops["overdue"] >= loops["escalated"]
        return loops["open"] == count

    await region.until(told, 40, "that the loops are counted")
    series, _ = await _scraped(region)
    last = {each["feed_id"]: value for each, value in series["carehub_feed_last_seconds"]}
    assert 0 <= last[mercy] < 120


async def _do_a_little_of_everything(region: Region) -> None:
    """Messages good and bad, a request that is answered and one that is refused, something that is left to do and told."""
    way = "S" if region.settings.split else "T"
    person = Person(mrn=f"METRIC{way}", family="Ferreira", given="Ada", visit=f"METRIC{way}")
    admit, left = days_ago(5), days_ago(1)
    stay = [
        adt("A01", person, admit, admit=admit),
        adt("A03", person, left, admit=admit, discharge=left),
    ]
    await region.send(*stay, adt("A08", person, left, sender="NOWHERE"))

    async def is_planned() -> Any:
        known = await region.patient("nurse", person.mrn)
        return known and await region.rows(
            "messaging", "SELECT FROM messages WHERE patient_id = $1", UUID(known["id"])
        )

    await region.until(is_planned, what="a message to the patient")
    # They died: a message is withdrawn at any time of the day, when none is sent.
    died = adt("A08", person, days_ago(0, hour=0), admit=admit, discharge=left, disposition="20")
    await region.send(died)
    refused = await region.ask("nurse", "GET", "/v1/tasks/00000000-0000-7000-8000-000000000000")
    assert refused.status_code == 404


async def _missing(region: Region) -> dict[str, Any]:
    """What was expected and is not there, with the labels that there are instead."""
    series, _ = await _scraped(region)
    found = {name: {frozenset(labels) for labels, _ in series[name]} for name in EXPORTED}
    return {
        name: [sorted(each) for each in found[name]] or "no series"
        for name, labels in EXPORTED.items()
        if found[name] != {frozenset(labels)}
    }


async def _scraped(
    region: Region,
) -> tuple[dict[str, list[tuple[dict[str, str], float]]], dict[str, str]]:
    """The series of every process by name, and the type of each family."""
    series, types = defaultdict(list), {}
    for _, text in await outputs.metrics(region):
        for family in text_string_to_metric_families(text.decode()):
            types[family.name] = family.type
            for sample in family.samples:
                series[sample.name].append((sample.labels, sample.value))
    return series, types


async def _of_feed(region: Region, feed_id: str) -> dict[str, float]:
    series, _ = await _scraped(region)
    counts: dict[str, float] = defaultdict(float)
    for labels, value in series["carehub_feed_messages_total"]:
        if labels["feed_id"] == feed_id:
            counts[labels["outcome"]] += value
    return counts
