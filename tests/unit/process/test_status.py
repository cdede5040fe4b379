"""What a service's figures mean: whom to believe, and what somebody should look at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from carehub.operations.v1 import status_pb2
from prometheus_client import CollectorRegistry, Counter, Gauge

from libs.process.operations import concerns, figures, to_proto
from libs.process.status import (
    About,
    Heartbeat,
    Lag,
    LedgerCounts,
    OutboxCounts,
    ParkedCounts,
    Role,
    Status,
    TimerCounts,
)
from libs.telemetry.figures import Shown

LEDGER = LedgerCounts(sealed=7, oldest_at=None, head_sequence=7, head_at=None, overflows=False)
NOW = datetime(2026, 9, 4, 12, tzinfo=UTC)
Concern = status_pb2.ServiceStatus


def beat(process="a", role=Role.WORK, ago=1, figures=None, **lag: int) -> Heartbeat:
    return Heartbeat(
        process=process,
        role=role,
        started_at=NOW - timedelta(hours=2),
        seen_at=NOW - timedelta(seconds=ago),
        consumer_lag={name: Lag(waiting=count, in_work=0) for name, count in lag.items()},
        figures=figures or {},
    )


def status(**fields) -> Status:
    well = {
        "at": NOW,
        "about": About(chassis="0002", service="0001", bytes=1),
        "outbox": OutboxCounts(waiting=0, oldest_at=None, published=0),
        "timers": TimerCounts(waiting=0, late=0, oldest_at=None),
        "handled": {},
        "parked": {},
        "heartbeats": [beat()],
        "ledger": LEDGER,
    }
    return Status(**(well | fields))


def ago(seconds: int) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_all_is_well():
    assert concerns(status()) == []


def test_nobody_works_if_only_those_who_serve_are_there_or_the_others_are_silent():
    for heartbeats in ([], [beat(role=Role.SERVE)], [beat(ago=31)]):
        assert concerns(status(heartbeats=heartbeats)) == [Concern.CONCERN_NOBODY_WORKS]
    assert concerns(status(heartbeats=[beat(role=Role.ALL)])) == []


def test_a_minute_is_too_long():
    for seconds, expected in ((59, []), (60, [Concern.CONCERN_OUTBOX_WAITS])):
        outbox = OutboxCounts(waiting=1, oldest_at=ago(seconds), published=0)
        assert concerns(status(outbox=outbox)) == expected
    timers = TimerCounts(waiting=3, late=1, oldest_at=ago(61))
    assert concerns(status(timers=timers)) == [Concern.CONCERN_TIMERS_LATE]


def test_the_newest_living_process_is_believed():
    heartbeats = [beat("a", ago=2, c=5000), beat("b", ago=1, c=3), beat("dead", ago=600, d=9999)]
    found = status(heartbeats=heartbeats)
    assert {name: lag.waiting for name, lag in found.lag.items()} == {"c": 3}
    assert concerns(found) == []
    assert concerns(status(heartbeats=[beat(c=1001)])) == [Concern.CONCERN_CONSUMER_BEHIND]


def test_a_clock_that_runs_ahead_makes_nothing_younger_than_new():
    outbox = OutboxCounts(waiting=1, oldest_at=NOW + timedelta(seconds=5), published=0)
    assert to_proto("tasking", [], status(outbox=outbox)).outbox.oldest_seconds == 0


def test_a_consumer_of_whom_nobody_tells_has_no_lag_rather_than_none():
    counts = ParkedCounts(consumer="c", reason="UNREADABLE", waiting=2, newest_at=NOW)
    told = to_proto("tasking", ["c", "d"], status(parked={"c": [counts]}, heartbeats=[beat(d=0)]))
    c, d = told.consumers
    assert not c.HasField("waiting_count")
    assert d.HasField("waiting_count")
    assert [(p.reason, p.count) for p in c.parked] == [("UNREADABLE", 2)]
    assert list(told.concerns) == [Concern.CONCERN_EVENTS_PARKED]


def test_a_ledger_that_nobody_seals_or_makes_room_for_is_a_concern():
    for seconds, expected in ((59, []), (60, [Concern.CONCERN_AUDIT_UNSEALED])):
        assert concerns(status(ledger=replace(LEDGER, oldest_at=ago(seconds)))) == expected
    overflown = status(ledger=replace(LEDGER, overflows=True))
    assert concerns(overflown) == [Concern.CONCERN_AUDIT_OVERFLOWS]
    told = to_proto("tasking", [], status(ledger=replace(LEDGER, head_at=NOW))).audit
    assert (told.sealed_count, told.oldest_seconds, told.head_sequence) == (7, 0, 7)
    assert told.head_time.ToDatetime(tzinfo=UTC) == NOW


def test_what_processes_counted_is_added_up_and_what_each_reads_of_the_database_is_not():
    registry = CollectorRegistry()
    loops = Shown(metric=Gauge("loops", "Loops.", ["state"], registry=registry), by=("state",))
    sent = Shown(metric=Counter("sent", "Sent.", ["way", "end"], registry=registry))
    never = Shown(metric=Gauge("never", "Never told.", registry=registry))
    told = [
        beat("a", figures={"loops": {"open": 7, "overdue": 0}, "sent_total": {"sms sent": 2}}),
        beat("b", figures={"loops": {"open": 7}, "sent_total": {"sms sent": 3, "email failed": 9}}),
        beat("old code"),
        beat("dead", ago=31, figures={"loops": {"open": 99}, "sent_total": {"sms sent": 99}}),
    ]
    found = figures([loops, sent, never], status(heartbeats=told))
    assert [(f.metric, [(list(c.of), c.count) for c in f.counts]) for f in found] == [
        ("loops", [(["open"], 7), (["overdue"], 0)]),
        ("sent_total", [(["email", "failed"], 9), (["sms", "sent"], 5)]),
    ]


def test_since_when_is_said_where_no_process_has_counted_for_an_hour():
    young, old = (
        replace(beat(name), started_at=NOW - timedelta(minutes=minutes))
        for name, minutes in (("young", 5), ("old", 20))
    )
    assert status(heartbeats=[young, old]).told_since == old.started_at
    assert status(heartbeats=[young, beat()]).told_since == NOW - timedelta(hours=1)
    assert status(heartbeats=[]).told_since == NOW
