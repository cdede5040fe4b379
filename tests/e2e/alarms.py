"""Which alerts fire at a hub as it is now: what its processes say of themselves, read by Prometheus' own rules."""

import math
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from libs.chassis.ids import new_id
from libs.observability.rules import alerts
from tests.contract.promql import PROMTOOL, RULES, metrics_in, rules
from tests.e2e import outputs
from tests.e2e.region import Region

# As if it had been as it is for so long: a call that ends by itself within minutes is no call.
MINUTES = 30
FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What Prometheus would read of all processes at one moment; `counted` are the series that only grow."""

    at: float
    series: Mapping[str, float]
    counted: frozenset[str]
    processes: frozenset[str]


async def families(region: Region) -> list[tuple[str, Metric]]:
    """Each family of metrics, of each process."""
    return [
        (process, family)
        for process, text in await outputs.metrics(region)
        for family in text_string_to_metric_families(text.decode())
    ]


async def scraped(region: Region) -> Scrape:
    """The series that any rule reads."""
    read = set().union(*(metrics_in(rule["expr"]) for rule in rules()))
    series, counted, at = dict[str, float](), set[str](), time.monotonic()
    found = await families(region)
    for process, family in found:
        for name, value in _series(process, family.samples):
            if name.partition("{")[0] in read:
                series[name] = value
                if family.type in {"counter", "histogram"}:
                    counted.add(name)
    processes = frozenset(process for process, _ in found)
    return Scrape(at=at, series=series, counted=frozenset(counted), processes=processes)


async def firing(region: Region, folder: Path, since: Scrape | None = None) -> set[str]:
    """The alerts that fire if the hub goes on as it is: gauges stay, and what is counted grows as it has grown `since`."""
    now = await scraped(region)
    series = [
        {"series": name, "values": _goes_on(name, value, now, since)}
        for name, value in now.series.items()
    ]
    series += [
        {"series": f'up{{job="carehub",instance="{p}"}}', "values": f"1x{MINUTES}"}
        for p in now.processes
    ]
    expected = {"expr": FIRING, "eval_time": f"{MINUTES}m", "exp_samples": []}
    case = {"interval": "1m", "input_series": series, "promql_expr_test": [expected]}
    told = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}
    path = folder / f"{new_id()}.yaml"
    path.write_text(yaml.safe_dump(told))
    return _found(path)


def _series(process: str, samples: list[Sample]) -> Iterator[tuple[str, float]]:
    for name, labels, value, *_ in samples:
        every = {"job": "carehub", "instance": process, **labels}
        told = ",".join(f'{label}="{text}"' for label, text in every.items())
        yield f"{name}{{{told}}}", value


def _goes_on(name: str, value: float, now: Scrape, since: Scrape | None) -> str:
    if math.isnan(value):
        return " ".join(["NaN"] * (MINUTES + 1))
    if math.isinf(value):
        return " ".join(["Inf"] * (MINUTES + 1))
    if since is None or name not in now.counted:
        return f"{value}x{MINUTES}"
    grown = value - since.series.get(name, 0.0)
    a_minute = (value if grown < 0 else grown) / (now.at - since.at) * 60
    return f"{value}+{a_minute}x{MINUTES}"


def _found(path: Path) -> set[str]:
    """promtool tells what it did not expect; nothing was expected."""
    done = subprocess.run([PROMTOOL, "test", "rules", str(path)], capture_output=True, text=True)
    found = set(re.findall(r'alertname="(\w+)"', done.stdout + done.stderr))
    assert found <= set(alerts())
    assert (done.returncode == 0) == (not found), done.stdout + done.stderr
    return found
