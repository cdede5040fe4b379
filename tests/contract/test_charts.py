"""Every service has a chart, and what Helm makes of it is what Kubernetes takes and the code needs."""

import functools
import inspect
import json
import os
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import helm_python
import jsonschema
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils as kubernetes_schemas

from gateway.api.edge import _QUIET as HEALTH
from libs.process.app import Host
from libs.process.status import Role
from services.__main__ import GATEWAY, SERVICES, _parser
from tests.contract.rendering import (
    CHARTS,
    CUSTOM,
    NEEDED,
    OURS,
    ROOT,
    VALUES,
    container,
    environment,
    is_selected,
    merged,
    of_kind,
    pods,
    render,
    rendered,
    role_of,
    service_of,
)

MINORS = ("1.33", "1.37")
SHARED = Path(os.environ.get("CAREHUB_SHARED_DATA", ROOT.parent / "shared" / "data"))
SKAFFOLD = SHARED / "skaffold-schema" / "v4beta13.json"
MOUNTED = "/etc/carehub/"

every_value_set = pytest.mark.parametrize("values", VALUES)
# Read once: the definitions of a minor are megabytes, and it reads them for each object.
kubernetes_schemas.schema_contents = functools.cache(kubernetes_schemas.schema_contents)


# Charts.


@pytest.mark.parametrize("service", OURS)
def test_every_service_has_a_thin_chart(service):
    folder = CHARTS / service
    assert folder.is_dir(), f"charts/{service} is missing: docs/how-to/add-a-service.md says how"
    chart = yaml.safe_load((folder / "Chart.yaml").read_text())
    assert chart["name"] == service
    assert [d["name"] for d in chart["dependencies"]] == ["service"]
    assert (folder / "templates/all.yaml").read_text() == '{{ include "service.all" . }}\n'
    assert (folder / "charts/service").resolve() == CHARTS / "service"
    assert (folder / "values.schema.json").resolve() == CHARTS / "service/service.schema.json"


def test_the_umbrella_has_them_all():
    chart = yaml.safe_load((CHARTS / "carehub/Chart.yaml").read_text())
    listed = {d["name"]: d.get("condition") for d in chart["dependencies"]}
    assert listed == {"service": None, **{one: f"{one}.enabled" for one in OURS}}
    for name in listed:
        assert (CHARTS / "carehub/charts" / name).resolve() == CHARTS / name
    folders = {path.name for path in CHARTS.iterdir() if path.is_dir()}
    assert folders == {"carehub", *listed}


@pytest.mark.parametrize("chart", [*OURS, "carehub"])
def test_helm_finds_nothing_to_complain_of(chart):
    values = NEEDED if chart == "carehub" else alone(chart)
    found = helm_python.lint(str(CHARTS / chart), values, strict=True, kube_version="v1.33.0")
    assert [m for m in found["messages"] if m["severity"] > 1] == []
    assert found["errors"] == []


@pytest.mark.parametrize("chart", OURS)
def test_a_thin_chart_is_installed_alone_as_under_the_umbrella(chart):
    together = {(o["kind"], o["metadata"]["name"]) for o in rendered("small")}
    assert {(o["kind"], o["metadata"]["name"]) for o in render(alone(chart), chart)} <= together


def alone(chart):
    """The umbrella's values for a chart by itself."""
    umbrella = merged(yaml.safe_load((CHARTS / "carehub/values.yaml").read_text()), NEEDED)
    return {**umbrella[chart], "global": umbrella["global"]}


@every_value_set
@pytest.mark.parametrize("minor", MINORS)
def test_kubernetes_takes_what_is_rendered(values, minor):
    objects = [one for one in rendered(values) if one["kind"] not in CUSTOM]
    assert len(objects) > 40
    for one in objects:
        kubernetes_validate.validate(one, minor, strict=True)


@every_value_set
def test_names_are_unique(values):
    objects = rendered(values)
    for kind in {one["kind"] for one in objects}:
        of_kind(objects, kind)


# Pods.


@every_value_set
def test_pods_pass_the_restricted_standard(values):
    objects = rendered(values)
    for name, pod in pods(objects):
        spec, only = pod["spec"], container(pod)
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] >= 10000, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert spec["automountServiceAccountToken"] is False, name
        assert {"hostNetwork", "hostPID", "hostIPC", "initContainers"}.isdisjoint(spec), name
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "secret", "configMap", "persistentVolumeClaim"}, name
    for account in of_kind(objects, "ServiceAccount").values():
        assert account["automountServiceAccountToken"] is False


@every_value_set
def test_pods_say_what_they_need(values):
    for name, pod in pods(rendered(values)):
        resources = container(pod)["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys(), name
        assert set(resources["limits"]) == {"memory"}, name
        # Else a Service called gateway would set GATEWAY_PORT to tcp://…, which is no number.
        assert pod["spec"]["enableServiceLinks"] is False, name


@every_value_set
def test_every_pod_runs_a_command_that_there_is(values):
    for name, pod in pods(rendered(values)):
        told: Namespace = _parser().parse_args(container(pod)["args"])
        command = container(pod)["args"][0]
        service, role = service_of(pod), role_of(pod)
        if command == "serve":
            assert (told.services, told.role) == ([service], role), name
            assert role in {Role.SERVE, Role.WORK}
        elif command == "migrate":
            assert (told.services, role) == ([service], "migrate"), name
        elif command == "backup":
            assert (told.keep, role) == (30, "backup"), name
        else:
            assert (told.action, role) == ("setup", "setup"), name


@every_value_set
def test_a_service_has_pods_that_serve_and_pods_that_work_and_a_migration(values):
    found = {(service_of(pod), role_of(pod)) for _, pod in pods(rendered(values))}
    there = [s for s in SERVICES if VALUES[values].get(s, {}).get("enabled", True)]
    wanted = {(s, role) for s in there for role in ("serve", "work", "migrate")}
    is_given = VALUES[values]["global"].get("nats", {}).get("given", True)
    wanted |= {("nats-setup", "setup")} if is_given else set()
    wanted |= {("backup", "backup")} if values == "backups" else set()
    assert found == wanted | {(GATEWAY, "serve")}


@every_value_set
def test_ports_are_those_that_the_code_opens(values):
    objects = rendered(values)
    for name, pod in pods(objects):
        ports = {p["name"]: str(p["containerPort"]) for p in container(pod).get("ports", [])}
        env = environment(objects, pod)
        opened = {"metrics": env.get("CAREHUB_METRICS_PORT")}
        if role_of(pod) not in {"serve", "work"}:
            opened = {}
        elif service_of(pod) == GATEWAY:
            assert env["GATEWAY_HOST"] == "0.0.0.0"
            opened["http"] = env["GATEWAY_PORT"]
        elif role_of(pod) == "serve":
            opened["grpc"] = str(env["CAREHUB_GRPC_ADDRESS"]).removeprefix("0.0.0.0:")
        if (service_of(pod), role_of(pod)) == ("interop", "serve"):
            assert env["INTEROP_MLLP_HOST"] == "0.0.0.0"
            opened["mllp"] = env["INTEROP_MLLP_PORT"]
        assert ports == opened, name


@every_value_set
def test_probes_ask_what_the_code_answers_and_need_no_certificate(values):
    for name, pod in pods(rendered(values)):
        only = container(pod)
        probes = {kind: only[kind] for kind in only if kind.endswith("Probe")}
        if "lifecycle" not in only:
            assert probes == {}, name
            continue
        assert set(probes) == {"startupProbe", "readinessProbe", "livenessProbe"}, name
        asked = {kind: probe.get("httpGet", probe.get("grpc")) for kind, probe in probes.items()}
        if service_of(pod) == GATEWAY:
            assert {asked[kind]["path"] for kind in asked} == HEALTH
            assert asked["readinessProbe"]["path"] == "/readyz"  # and no other: it asks identity
            continue
        metrics = {"path": "/metrics", "port": "metrics"}
        assert asked["startupProbe"] == asked["livenessProbe"] == metrics, name
        is_plain = role_of(pod) == "serve" and values not in {"tls", "production"}
        wanted = {"port": only["ports"][0]["containerPort"]} if is_plain else metrics
        assert asked["readinessProbe"] == wanted, name


@every_value_set
def test_a_pod_has_the_time_to_end(values):
    grace = inspect.signature(Host.stop).parameters["grace"].default
    for name, pod in pods(rendered(values)):
        if hook := container(pod).get("lifecycle"):
            pause = hook["preStop"]["sleep"]["seconds"]
            assert pause >= 5, name
            assert pod["spec"]["terminationGracePeriodSeconds"] > pause + grace + 5, name


@every_value_set
def test_every_file_that_a_setting_names_is_mounted_so_that_it_may_change(values):
    objects = rendered(values)
    for name, pod in pods(objects):
        mounts = {m["mountPath"]: m for m in container(pod)["volumeMounts"]}
        volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
        assert sorted(m["name"] for m in mounts.values()) == sorted(volumes), name
        assert all("subPath" not in m for m in mounts.values()), "one by subPath never changes"
        for variable, value in environment(objects, pod).items():
            if not str(value).startswith((MOUNTED, "/var/lib/")):
                continue
            path = Path(str(value))
            mount = mounts.get(str(path)) or mounts[str(path.parent)]
            secret = volumes[mount["name"]].get("secret")
            if secret and str(path) not in mounts:
                assert path.name in {item["path"] for item in secret["items"]}, variable
                assert secret["defaultMode"] == 0o440  # for its group, which is the pod's


@every_value_set
def test_a_secret_is_never_a_value(values):
    objects = rendered(values)
    assert of_kind(objects, "Secret") == {}
    for _, pod in pods(objects):
        for variable, value in environment(objects, pod).items():
            if re.search(r"PASSWORD|SECRET|_DATABASE_URL$|_NATS_URL$", variable):
                assert isinstance(value, tuple) or value.startswith(MOUNTED), variable
    assert re.findall(r"://[^/\s\"]*:[^/\s\"]*@", json.dumps(objects)) == []


# What belongs together.


@every_value_set
def test_selectors_meet_the_pods_that_they_mean(values):
    objects = rendered(values)
    deployments = of_kind(objects, "Deployment")
    templates = {name: one["spec"]["template"] for name, one in deployments.items()}

    def met(selector):
        return [name for name, pod in templates.items() if is_selected(selector, pod)]

    for name, deployment in deployments.items():
        assert met(deployment["spec"]["selector"]["matchLabels"]) == [name]
        for spread in templates[name]["spec"]["topologySpreadConstraints"]:
            assert met(spread["labelSelector"]["matchLabels"]) == [name]
    for name, service in of_kind(objects, "Service").items():
        (target,) = met(service["spec"]["selector"])
        named = {port["name"] for port in container(templates[target])["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, name
    budgets = of_kind(objects, "PodDisruptionBudget")
    assert [met(b["spec"]["selector"]["matchLabels"]) for b in budgets.values()] == [
        [name] for name in budgets
    ]
    assert budgets.keys() == deployments.keys()


@every_value_set
def test_only_what_no_autoscaler_looks_after_says_how_many(values):
    objects = rendered(values)
    scaled = {
        a["spec"]["scaleTargetRef"]["name"]
        for a in of_kind(objects, "HorizontalPodAutoscaler").values()
    }
    for name, deployment in of_kind(objects, "Deployment").items():
        assert ("replicas" in deployment["spec"]) == (name not in scaled), name
    assert bool(scaled) == (values in {"production", "autoscaled"})


def test_metrics_are_scraped_from_every_pod():
    objects = rendered("telemetry")
    services = of_kind(objects, "Service").values()
    monitors = of_kind(objects, "ServiceMonitor")
    assert monitors.keys() == of_kind(objects, "Deployment").keys()
    for monitor in monitors.values():
        (endpoint,) = monitor["spec"]["endpoints"]
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        named = [
            port["name"]
            for service in services
            if wanted <= service["metadata"]["labels"].items()
            for port in service["spec"]["ports"]
        ]
        assert named.count(endpoint["port"]) == 1


def test_what_changes_rolls_the_pods_and_what_does_not_leaves_them():
    def checksums(*values):
        found = of_kind(render(merged(NEEDED, *values)), "Deployment")
        return {
            name: one["spec"]["template"]["metadata"]["annotations"]["checksum/configuration"]
            for name, one in found.items()
        }

    before, after = checksums(), checksums({"tasking": {"settings": {"mailFrom": "a@b.org"}}})
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"tasking-serve", "tasking-work"}


def test_a_new_version_is_a_new_migration_and_a_new_setting_is_none():
    def jobs(*values):
        return set(of_kind(render(merged(NEEDED, *values)), "Job"))

    assert jobs() == jobs({"registry": {"serve": {"replicas": 2}}})
    newer = jobs({"global": {"image": {"tag": "1.5.0"}}})
    assert len(newer) == len(jobs()) == len(SERVICES) + 1
    assert newer.isdisjoint(jobs())
    assert all(len(name) <= 63 for name in newer)


def test_in_production_a_zone_may_go_and_nobody_notices():
    for name, deployment in of_kind(rendered("production"), "Deployment").items():
        rules = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        spread = {rule["topologyKey"]: rule["whenUnsatisfiable"] for rule in rules}
        assert spread["topology.kubernetes.io/zone"] == "DoNotSchedule", name
        assert deployment["spec"].get("replicas", 3) >= 3, name
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    for scaler in of_kind(rendered("production"), "HorizontalPodAutoscaler").values():
        assert scaler["spec"]["minReplicas"] >= 3


def test_the_ingress_leads_to_the_gateway_by_the_name_that_browsers_use():
    objects = rendered("production")
    (ingress,) = of_kind(objects, "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "carehub.example.org"
    assert ingress["spec"]["tls"] == [{"hosts": [rule["host"]], "secretName": "carehub-tls"}]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    service = of_kind(objects, "Service")[backend["name"]]
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


# The image, and skaffold.


def test_the_dockerfile_is_as_it_should_be():
    found = subprocess.run(
        [Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_ends_as_what_charts_take_it_for():
    text = (ROOT / "Dockerfile").read_text()
    final = text[text.rindex("\nFROM ") :]
    (user,) = re.findall(r"^USER (\d+):(\d+)$", final, re.M)
    for _, pod in pods(rendered("small")):
        context = pod["spec"]["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == tuple(map(int, user))
    assert 'ENTRYPOINT ["carehub"]' in final
    assert not re.search(r"apt-get|pip install|npm", final)
    assert "--require-hashes" in text


def test_skaffold_is_what_skaffold_reads_and_names_what_there_is():
    skaffold = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    assert skaffold["apiVersion"] == "skaffold/v4beta13"
    (artifact,) = skaffold["build"]["artifacts"]
    assert (ROOT / artifact["docker"]["dockerfile"]).exists()
    assert {profile["name"] for profile in skaffold["profiles"]} == {"dev", "production"}
    for release in skaffold["deploy"]["helm"]["releases"]:
        for path in [release.get("chartPath"), *release.get("valuesFiles", [])]:
            assert not path or "{{" in path or (ROOT / path).exists(), path


@pytest.mark.skipif(
    not SKAFFOLD.exists(), reason="its schema is not there: shared/data/skaffold-schema"
)
def test_skaffold_keeps_to_its_schema():
    skaffold = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    jsonschema.validate(skaffold, json.loads(SKAFFOLD.read_text()))
