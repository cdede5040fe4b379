"""Charts as Helm renders them: sets of values, the objects that come of them, and the pods among these."""

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

from services.__main__ import GATEWAY, SERVICES

Object = dict[str, Any]
ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
OURS = (*SERVICES, GATEWAY)
# What has no schema among those of Kubernetes.
CUSTOM = {"Cluster", "Database", "PrometheusRule", "ServiceMonitor"}
ANYWHERE = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
FACILITIES = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]

# The least that whoever installs CareHub has to say.
NEEDED: Object = {
    "global": {
        "image": {"tag": "1.4.0"},
        "publicUrl": "https://carehub.example.org",
        "issuer": {"url": "https://id.example.org/realms/carehub", "peers": ANYWHERE},
    },
    "interop": {"listeners": {"mllp": {"peers": FACILITIES}}},
}
INGRESS = {
    "enabled": True,
    "className": "nginx",
    "tlsSecret": "carehub-tls",
    "peers": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
    "proxies": "10.0.0.0/8",
}
MAIL = {"host": "mail.example.org", "port": 587, "peers": ANYWHERE}
TELEMETRY = {"endpoint": "http://collector:4317", "peers": ANYWHERE}
PASSWORD = {"secret": "smtp", "key": "password"}


def merged(*sets: Mapping[str, Any]) -> Object:
    """Values as `helm -f first -f second` has them."""
    result: Object = {}
    for one in sets:
        for key, value in copy.deepcopy(dict(one)).items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result


def values_of(chart: str, file: str = "values.yaml") -> Object:
    """What a chart says itself."""
    values: Object = yaml.safe_load((CHARTS / chart / file).read_text())
    return values


def production() -> Object:
    return values_of("carehub", "values-production.yaml")


VALUES: Mapping[str, Object] = {
    "small": NEEDED,
    "production": merged(NEEDED, production(), {"gateway": {"ingress": INGRESS}}),
    "digest": merged(NEEDED, {"global": {"image": {"digest": "sha256:" + "0f" * 32}}}),
    "tls": merged(NEEDED, {"global": {"tls": {"enabled": True}}}),
    "mail": merged(
        NEEDED,
        {
            "global": {"mail": MAIL},
            **{
                service: {"settings": {"smtpUser": "ana"}, "secretSettings": {"smtpPassword": PASSWORD}}
                for service in ("interop", "messaging", "referrals", "tasking")
            },
        },
    ),
    "telemetry": merged(
        NEEDED,
        {
            "global": {
                "telemetry": TELEMETRY,
                "monitoring": {"peers": ANYWHERE, "serviceMonitor": {"enabled": True}},
            }
        },
    ),
    "operator": merged(NEEDED, {"postgresql": {"enabled": True, "storageClass": "fast"}}),
    "a broker that services may set up": merged(NEEDED, {"global": {"nats": {"given": False}}}),
    "no heads": merged(NEEDED, {"global": {"audit": {"keySecret": ""}}}),
    "heads in files": merged(NEEDED, {"global": {"audit": {"headsClaim": "audit-heads"}}}),
    "mllp behind a mesh": merged(
        NEEDED,
        {
            "interop": {
                "settings": {"mllpAllowPlaintext": True, "mllpMaxBytes": 2097152},
                "secretFiles": {"mllpCertificate": None, "mllpKey": None, "mllpClientCa": None},
            }
        },
    ),
    "autoscaled": merged(
        NEEDED, {"registry": {"serve": {"autoscaling": {"enabled": True, "maxReplicas": 3}}}}
    ),
    "backups": merged(NEEDED, {"backup": {"enabled": True, "claim": "sets"}}),
    "without interop": merged(NEEDED, {"interop": {"enabled": False}}),
}  # fmt: skip


def render(values: Mapping[str, Any], chart: str = "carehub") -> list[Object]:
    """The objects of a chart. Loaded anew each time: what is rendered once remembers its values."""
    with helm_python.Chart.load(CHARTS / chart) as loaded:
        files = loaded.render(dict(values), name="carehub", namespace="hub")
    return [one for text in files.values() for one in yaml.safe_load_all(text) if one]


@cache
def _rendered(name: str) -> str:
    return json.dumps(render(VALUES[name]))


def rendered(name: str) -> list[Object]:
    """The objects of one of VALUES."""
    objects: list[Object] = json.loads(_rendered(name))
    return objects


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    found = [one for one in objects if one["kind"] == kind]
    named = {one["metadata"]["name"]: one for one in found}
    assert len(named) == len(found), f"two of {kind} have one name"
    return named


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Each template of a pod, by the name of what makes such pods."""
    for one in objects:
        if one["kind"] in {"Deployment", "Job"}:
            yield one["metadata"]["name"], one["spec"]["template"]
        elif one["kind"] == "CronJob":
            yield one["metadata"]["name"], one["spec"]["jobTemplate"]["spec"]["template"]


def container(pod: Object) -> Object:
    (only,) = pod["spec"]["containers"]
    return dict(only)


def is_selected(selector: Mapping[str, str], pod: Object) -> bool:
    """Whether a selector of labels meets a pod. One without labels would meet all, and is none of ours."""
    assert selector
    return selector.items() <= pod["metadata"]["labels"].items()


def environment(objects: list[Object], pod: Object) -> dict[str, str | tuple[str, str]]:
    """The variables of a pod: texts, and for what is a secret the Secret and its key."""
    told: dict[str, str | tuple[str, str]] = {}
    for source in container(pod).get("envFrom", []):
        told |= of_kind(objects, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for one in container(pod).get("env", []):
        assert one["name"] not in told, f"{one['name']} is said twice"
        ref = one.get("valueFrom", {}).get("secretKeyRef")
        told[one["name"]] = (ref["name"], ref["key"]) if ref else one["value"]
    return told


def service_of(pod: Object) -> str:
    name: str = pod["metadata"]["labels"]["app.kubernetes.io/name"]
    return name


def role_of(pod: Object) -> str:
    role: str = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    return role
