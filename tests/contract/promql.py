"""PromQL where it stands: in rules, panels and runbooks; the metrics it names; and promtool, which reads it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.observability.rules import groups
from tests.contract.rendering import CHARTS, ROOT

RULES = CHARTS / "carehub/files/rules.yaml"
DASHBOARDS = sorted((CHARTS / "carehub/files/dashboards").glob("*.json"))
RUNBOOKS = ROOT / "docs/runbooks"
_PROMTOOL = (
    os.environ.get("CAREHUB_PROMTOOL", ""),
    shutil.which("promtool") or "",
    str(ROOT / ".venv/prometheus/usr/bin/promtool"),
)
PROMTOOL = next((place for place in _PROMTOOL if os.access(place, os.X_OK)), "")
with_promtool = pytest.mark.skipif(
    not PROMTOOL, reason="no promtool: `sh tests/alerts/promtool.sh` gets Debian's"
)
# What Prometheus and its client for Python say of every process.
OF_EVERY_PROCESS = {"up", "process_"}
# What kube-state-metrics says of a cluster, and no process of the hub.
OF_THE_CLUSTER = "kube_"


def promtool(*arguments: str | Path) -> str:
    """What promtool says; it must be content."""
    found = subprocess.run(
        [PROMTOOL, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def rules() -> list[Mapping[str, Any]]:
    return [rule for group in groups()["groups"] for rule in group["rules"]]


def alerting() -> list[Mapping[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def of_panels() -> Iterator[tuple[str, str]]:
    """Each query of a dashboard, and where it is."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                yield f"{path.stem}: {panel['title']}", target["expr"]


def of_runbooks() -> Iterator[tuple[str, str]]:
    for path in sorted(RUNBOOKS.glob("*.md")):
        for text in blocks(path, "promql"):
            yield path.stem, text.strip()


def everywhere() -> Iterator[tuple[str, str]]:
    """Every expression there is, and where."""
    yield from ((rule.get("alert") or rule["record"], rule["expr"]) for rule in rules())
    yield from of_panels()
    yield from of_runbooks()


def metrics_in(expr: str) -> set[str]:
    """The names of metrics in an expression: whatever is neither label, function nor word of the language."""
    return set(re.findall(r"\b(?:carehub|process|kube)_\w+|\bup\b|\bcarehub:[\w:]+", expr))


def exported(metric: str) -> str:
    """What a process calls the family of a metric: without what Prometheus adds for a histogram's or a counter's series."""
    return re.sub(r"_(bucket|count|sum|total)$", "", metric)


def as_rules(expressions: Iterator[tuple[str, str]], path: Path) -> Path:
    """A file of rules that promtool checks: where Grafana puts in a time of its own, some time."""
    told = [
        {"record": "read", "labels": {"at": where}, "expr": expr.replace("$__rate_interval", "5m")}
        for where, expr in expressions
    ]
    # Two rules must not be the same.
    for number, rule in enumerate(told):
        rule["labels"]["number"] = str(number)
    path.write_text(yaml.safe_dump({"groups": [{"name": "read", "rules": told}]}))
    return path


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.M | re.S)
