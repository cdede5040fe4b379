"""Which alerts fire at a hub as it is now: what its processes say of themselves, read by Prometheus' own rules."""

import math
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from libs.chassis.ids import new_id
from libs.observability.rules import alerts
from tests.contract.promql import (
    PROMTOOL,
    RULES,
    RUNBOOKS,
    blocks,
    metrics_in,
    of_runbooks,
    rules,
)
from tests.e2e import outputs
from tests.e2e.region import Region

# As if it had been as it is for so long: a call that ends by itself within minutes is no call.
MINUTES = 30
Input: TypeAlias = dict[str, str]
FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What Prometheus would read of all processes at one moment; `counted` are the series that only grow."""

    at: float
    series: Mapping[str, float]
    counted: frozenset[str]
    up: Mapping[str, bool]


async def families(region: Region) -> list[tuple[str, Metric]]:
    """Each family of metrics, of each process."""
    return [
        (process, family)
        for process, text in await outputs.metrics(region)
        for family in text_string_to_metric_families(text.decode())
    ]


async def scraped(region: Region) -> Scrape:
    """The series that any rule or runbook reads, of the processes that answer."""
    told = [rule["expr"] for rule in rules()] + [expr for _, expr in of_runbooks()]
    read = set().union(*map(metrics_in, told))
    series, counted, at = dict[str, float](), set[str](), time.monotonic()
    found = await outputs.scrapes(region)
    for process, text in found:
        for family in text_string_to_metric_families((text or b"").decode()):
            for name, value in _series(process, family.samples):
                if name.partition("{")[0] in read:
                    series[name] = value
                    if family.type in {"counter", "histogram"}:
                        counted.add(name)
    up = {process: text is not None for process, text in found}
    return Scrape(at=at, series=series, counted=frozenset(counted), up=up)


async def firing(
    region: Region, folder: Path, since: Scrape | None = None, earlier: Sequence[Scrape] = ()
) -> set[str]:
    """The alerts that fire if the hub goes on as it is: gauges stay, and what is counted grows as it has grown `since`.

    `earlier` is how it was before, a reading each minute.
    """
    told = _asked(folder, _as_it_is(await scraped(region), since, earlier), [FIRING])
    found = set(re.findall(r'alertname="(\w+)"', told))
    assert found <= set(alerts())
    return found


async def shown(
    region: Region,
    folder: Path,
    alert: str,
    since: Scrape | None = None,
    earlier: Sequence[Scrape] = (),
) -> list[str]:
    """What the PromQL of a runbook finds in a hub that goes on as it is: each of it something."""
    asked = [text.strip() for text in blocks(RUNBOOKS / f"{alert}.md", "promql")]
    told = _asked(folder, _as_it_is(await scraped(region), since, earlier), asked)
    found = re.findall(r"^ +got: (.*)$", told, re.M)
    assert len(found) == len(asked), told
    return found


def read_by(alert: str, command: str, given: bytes) -> list[str]:
    """What the commands of a runbook that begin like this make of what a cluster would give: run from the first pipe on."""
    lines = [line for text in blocks(RUNBOOKS / f"{alert}.md", "sh") for line in text.splitlines()]
    found = [line.partition(" | ")[2] for line in lines if line.startswith(command)]
    assert found, command
    return [
        subprocess.run(["/bin/sh", "-c", rest], input=given, capture_output=True, check=True).stdout.decode()
        for rest in found
    ]  # fmt: skip


def _as_it_is(now: Scrape, since: Scrape | None, earlier: Sequence[Scrape]) -> list[Input]:
    names = now.series.keys() | {name for scrape in earlier for name in scrape.series}
    series = [
        {"series": name, "values": _goes_on(name, now, since, earlier)} for name in sorted(names)
    ]
    return series + [
        {"series": f'up{{job="carehub",instance="{process}"}}', "values": f"{is_up:d}x{MINUTES}"}
        for process, is_up in now.up.items()
    ]


def _series(process: str, samples: list[Sample]) -> Iterator[tuple[str, float]]:
    for name, labels, value, *_ in samples:
        every = {"job": "carehub", "instance": process, **labels}
        told = ",".join(f'{label}="{text}"' for label, text in every.items())
        yield f"{name}{{{told}}}", value


def _goes_on(name: str, now: Scrape, since: Scrape | None, earlier: Sequence[Scrape]) -> str:
    before = [_told(name, scrape) for scrape in earlier]
    left, value = MINUTES - len(before), now.series.get(name, math.nan)
    if since is None or name not in now.counted or not math.isfinite(value):
        return " ".join([*before, *[_told(name, now)] * (left + 1)])
    grown = value - since.series.get(name, 0.0)
    a_minute = (value if grown < 0 else grown) / (now.at - since.at) * 60
    return " ".join([*before, f"{value}+{a_minute}x{left}"])


def _told(name: str, scrape: Scrape) -> str:
    """One reading. Prometheus' tests begin in 1970: what is a time is told as if that were now."""
    if name not in scrape.series:
        return "_"
    value = scrape.series[name]
    if name.partition("{")[0].endswith("_timestamp_seconds"):
        value -= time.time()
    return str(value).replace("nan", "NaN").replace("inf", "Inf")


def _asked(folder: Path, series: list[Input], expressions: Sequence[str]) -> str:
    """What promtool finds for these in the end. It tells what it did not expect; nothing was expected."""
    expected = [
        {"expr": each, "eval_time": f"{MINUTES}m", "exp_samples": []} for each in expressions
    ]
    case = {"interval": "1m", "input_series": series, "promql_expr_test": expected}
    told = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}
    path = folder / f"{new_id()}.yaml"
    path.write_text(yaml.safe_dump(told))
    done = subprocess.run([PROMTOOL, "test", "rules", str(path)], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == ("got: {" not in said), said
    return said
