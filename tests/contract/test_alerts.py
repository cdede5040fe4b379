"""Alerts and dashboards are what the code says, what Prometheus reads, and tested: each fires when it must, and else is silent."""

import json
import re
from pathlib import Path

import pytest
import yaml

from libs.observability.__main__ import written
from libs.observability.causes import CAUSES
from libs.observability.rules import alerts
from libs.observability.slos import BURNS, PERIOD, SLOS
from tests.contract.promql import (
    DASHBOARDS,
    RULES,
    alerting,
    as_rules,
    everywhere,
    metrics_in,
    promtool,
    rules,
    with_promtool,
)
from tests.contract.rendering import NEEDED, ROOT, merged, of_kind, render, rendered

STAGED = sorted((ROOT / "tests/alerts").glob("*.yaml"))
# What a summary may show: ids and names of parts, which are no health data.
SHOWN = {"service", "consumer", "feed_id", "channel", "rule", "instance", "pool", "file", "part"}
ON = {"monitoring": {"alerts": {"enabled": True}, "dashboards": {"enabled": True}}}


def cases():
    """The tests that promtool runs, by their names."""
    return {
        case["name"]: case for path in STAGED for case in yaml.safe_load(path.read_text())["tests"]
    }


def fired_in(case):
    """What a case expects to fire at one time or another."""
    samples = [one for query in case["promql_expr_test"] for one in query["exp_samples"]]
    found = (re.search(r'alertname="(\w+)"', one["labels"]) for one in samples)
    return {match[1] for match in found if match}


def test_what_is_committed_is_what_the_code_says():
    stale = [str(path.relative_to(ROOT)) for path, text in written() if path.read_text() != text]
    assert stale == [], "make observability"
    assert {path for path, _ in written()} == {RULES, *DASHBOARDS}


@with_promtool
def test_prometheus_reads_the_rules():
    assert f"SUCCESS: {len(rules())} rules found" in promtool("check", "rules", RULES)


@with_promtool
def test_prometheus_reads_every_query_of_panels_and_runbooks(tmp_path):
    told = as_rules(everywhere(), tmp_path / "read.yaml")
    assert "SUCCESS" in promtool("check", "rules", told)


@with_promtool
@pytest.mark.parametrize("path", STAGED, ids=lambda path: path.stem)
def test_each_alert_fires_when_it_must_and_is_silent_when_it_must_not(path: Path):
    assert "SUCCESS" in promtool("test", "rules", path)


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(alert):
    measured = {m for rule in alerting() if rule["alert"] == alert for m in measured_by(rule)}
    fires = [
        case for name, case in cases().items() if re.match(rf"[^:]*\b{alert}\b.*: fires?\b", name)
    ]
    silent = [
        case
        for name, case in cases().items()
        if re.match(rf"[^:]*\b{alert}\b.*: \w+ silent\b", name)
    ]
    assert fires
    assert silent
    assert all(alert in fired_in(case) for case in fires)
    for case in silent:
        assert alert not in fired_in(case)
        said = {series["series"].partition("{")[0] for series in case["input_series"]}
        assert said & measured, f"{case['name']}: nothing that could make it fire"


def measured_by(rule):
    """The metrics that an alert comes from, also through what is recorded."""
    records = {(r["record"], r["labels"]["slo"]): r["expr"] for r in rules() if "record" in r}
    slo = re.search(r'slo="(\w+)"', rule["expr"])
    for name in metrics_in(rule["expr"]):
        yield from metrics_in(records[name, slo[1]]) if ":" in name else {name}


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_an_objective_is_watched_at_every_pace(slo):
    told = {r["labels"]["window"]: r for r in alerting() if r["alert"] == slo.alert}
    assert list(told) == [burn.long for burn in BURNS]
    for burn in BURNS:
        assert told[burn.long]["labels"]["severity"] == burn.severity
        for window in (burn.long, burn.short):
            assert (
                f'rate{window}{{slo="{slo.name}"}} > {burn.factor:g} * {slo.budget:g}'
                in (told[burn.long]["expr"])
            )
    recorded = {r["record"] for r in rules() if r.get("labels", {}).get("slo") == slo.name}
    assert f"carehub:slo_bad:ratio_rate{PERIOD}" in recorded


def test_an_alert_says_how_bad_it_is_and_what_and_where_to_read_on_and_nothing_of_patients():
    assert len(alerts()) == len(set(alerts())) == len(SLOS) + len(CAUSES)
    for rule in alerting():
        summary = rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(re.findall(r"\$labels\.(\w+)", summary)) <= SHOWN, summary
        assert 20 < len(summary) < 200
        assert (ROOT / rule["annotations"]["runbook_url"]).is_file()


def test_dashboards_have_names_of_their_own_and_ask_whatever_prometheus_is_chosen():
    boards = [json.loads(path.read_text()) for path in DASHBOARDS]
    assert len({board["uid"] for board in boards}) == len({b["title"] for b in boards}) == 6
    for board in boards:
        panels = [panel for panel in board["panels"] if panel["type"] != "row"]
        assert len(panels) >= 10
        assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
        assert all(panel["targets"] for panel in panels)
        titles = [panel["title"] for panel in panels]
        assert all(len(title) < 60 for title in titles)


# In charts.


def test_there_are_no_alerts_and_dashboards_unless_somebody_wants_them():
    kinds = {one["kind"] for one in rendered("small")}
    assert "PrometheusRule" not in kinds
    assert not [name for name in of_kind(rendered("small"), "ConfigMap") if "dashboard" in name]


def test_charts_ship_the_rules_as_they_are_and_the_address_of_the_runbooks():
    labels = {"release": "prometheus"}
    values = {
        "monitoring": {"alerts": {"labels": labels, "runbooks": "https://wiki.example.org/r/"}}
    }
    (bare,) = of_kind(render(merged(NEEDED, ON)), "PrometheusRule").values()
    assert bare["spec"] == yaml.safe_load(RULES.read_text())
    (told,) = of_kind(render(merged(NEEDED, ON, values)), "PrometheusRule").values()
    assert labels.items() <= told["metadata"]["labels"].items()
    for group in told["spec"]["groups"]:
        for rule in (one for one in group["rules"] if "alert" in one):
            url = rule["annotations"]["runbook_url"]
            assert url == f"https://wiki.example.org/r/{rule['alert']}.md"


def test_charts_ship_the_dashboards_where_a_sidecar_finds_them():
    values = {"monitoring": {"dashboards": {"annotations": {"grafana_folder": "CareHub"}}}}
    maps = of_kind(render(merged(NEEDED, ON, values)), "ConfigMap")
    shipped = {name: one for name, one in maps.items() if name.startswith("dashboard-")}
    assert len(shipped) == len(DASHBOARDS)
    for path in DASHBOARDS:
        one = shipped[f"dashboard-{path.stem}"]
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert one["metadata"]["annotations"] == {"grafana_folder": "CareHub"}
        assert one["data"] == {f"carehub-{path.name}": path.read_text()}


def test_what_is_scraped_has_the_job_and_the_labels_that_alerts_ask_for():
    objects = rendered("telemetry")
    services = of_kind(objects, "Service").values()
    for monitor in of_kind(objects, "ServiceMonitor").values():
        assert monitor["spec"]["endpoints"][0]["honorLabels"] is True
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        read = [
            s["metadata"]["labels"] for s in services if wanted <= s["metadata"]["labels"].items()
        ]
        assert read
        assert {labels[monitor["spec"]["jobLabel"]] for labels in read} == {"carehub"}
