"""What a process tells of its metrics: what there is, what was counted lately, and how long it took."""

import math
import re

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from libs.observability.slos import SLOS
from libs.telemetry.figures import HOUR, SOON, Recent, Shown, Times, add_up, of_requests
from libs.telemetry.metrics import REFUSALS, REQUEST_SECONDS
from services.interop.app import build as interop
from services.messaging.app import build as messaging
from services.tasking.app import build as tasking

MINUTE = 60.0
APPS = [build({}) for build in (interop, messaging, tasking)]


@pytest.fixture
def registry():
    return CollectorRegistry()


def test_what_was_counted_before_the_last_hour_is_not_told(registry):
    counter = Counter("calls", "Calls.", ["end"], registry=registry)
    counter.labels("well").inc(100)  # before anybody looked
    recent = Recent([Shown(metric=counter, by=("end",))], now=0)
    told = {}
    for minute in range(1, 181):
        counter.labels("well").inc()
        if minute == 90:
            counter.labels("badly").inc(5)
        told[minute] = recent.told(minute * MINUTE)["calls_total"]
    assert told[1] == {"well": 1}
    assert told[59] == {"well": 59}
    assert told[120] == {"well": 60, "badly": 5}
    assert told[180] == {"well": 60, "badly": 0}


def test_nobody_keeps_more_than_an_hour_however_often_they_look(registry):
    counter = Counter("looks", "Looks.", registry=registry)
    recent = Recent([Shown(metric=counter)], now=0)
    for second in range(0, int(3 * HOUR), 10):
        recent.told(second)
    assert len(recent._past) <= 62


def test_what_there_is_now_is_told_as_it_is_and_not_when_it_is_not_known(registry):
    gauge = Gauge("rooms", "Rooms.", ["what", "where"], registry=registry)
    recent = Recent([Shown(metric=gauge, by=("what",))], now=0)
    assert recent.told(1) == {"rooms": {}}
    gauge.labels("free", "north").set(2)
    gauge.labels("free", "south").set(3)
    gauge.labels("taken", "north").set(math.nan)
    assert recent.told(2) == {"rooms": {"free": 5}}


def test_a_service_tells_of_its_own_requests_only():
    [*_, ours] = of_requests("tasking")
    [*_, theirs] = of_requests("task")
    for method in ("/carehub.tasking.v1.TaskingService/GetTask", "/carehub.identity.v1.I/GetMe"):
        REFUSALS.labels(method, "TEST_OF_FIGURES").inc()
    assert ours.read()["TEST_OF_FIGURES"] == 1
    assert "TEST_OF_FIGURES" not in theirs.read()


def test_a_service_tells_how_long_its_own_answers_took():
    took = {name: of_requests(name)[1] for name in ("figures", "figured", "fig")}
    for method, seconds in (
        ("figures.v1.S/A", 0.2),
        ("figures.v1.S/B", 0.7),
        ("figured.v1.S/A", 7),
    ):
        REQUEST_SECONDS.labels(f"/carehub.{method}").observe(seconds)
    times = {name: Times(shown.read()) for name, shown in took.items()}
    assert {name: (each.count, each.within(SOON)) for name, each in times.items()} == {
        "figures": (2, 1),
        "figured": (1, 0),
        "fig": (0, 0),
    }


def test_of_what_takes_time_it_is_told_how_much_was_good_enough(registry):
    seconds = Histogram("wait_seconds", "Wait.", buckets=(0.1, 1, 10), registry=registry)
    shown = Shown(metric=seconds, within=1)
    recent = Recent([shown], now=0)
    assert Times(add_up(shown, [recent.told(1)])).count == 0
    assert Times(add_up(shown, [recent.told(1)])).quantile(0.99) == 0
    for value in [0.05] * 50 + [0.5] * 40 + [5] * 10:
        seconds.observe(value)
    times = Times(add_up(shown, [recent.told(2), recent.told(2)]))
    assert (times.count, times.within(1), times.most) == (200, 180, 10)
    assert times.quantile(0.5) == pytest.approx(0.1)
    assert times.quantile(0.95) == pytest.approx(
        5.5
    )  # in the middle of 1 to 10, as Prometheus has it
    seconds.observe(600)
    seconds.observe(601)
    assert Times(add_up(shown, [recent.told(3)])).quantile(0.99) == 10  # or longer; nobody knows


def test_what_is_good_enough_is_what_the_objectives_say():
    shown = {each.name: each for app in APPS for each in app.figures if each.takes_time}
    bounds = {
        name: float(bound)
        for slo in SLOS
        for name, bound in re.findall(
            r'(carehub_(?!http)\w+_seconds)_bucket{le="([\d.]+)"}', slo.bad
        )
    }
    assert {name: each.within for name, each in shown.items()} == bounds
    (api,) = [slo for slo in SLOS if slo.name == "api_latency"]
    assert f'le="{SOON}"' in api.bad
    shown["answers"] = Shown(metric=REQUEST_SECONDS, within=SOON)
    REQUEST_SECONDS.labels("/carehub.figures.v1.S/C").observe(1)
    for each in shown.values():
        assert str(float(each.within)) in each.read(), "a bound that the metric has"
