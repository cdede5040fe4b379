"""Whatever the code reads from its environment can be set by the charts, and whatever they set is read."""

import inspect
import re

import pytest

import services.__main__ as command
from gateway.api.serve import Settings as GatewaySettings
from gateway.api.serve import serve as serve_gateway
from libs.chassis import config
from libs.process.app import start_telemetry
from libs.process.status import Role
from services.__main__ import GATEWAY, SERVICES
from tests.contract.rendering import (
    MAIL,
    NEEDED,
    OURS,
    PASSWORD,
    TELEMETRY,
    VALUES,
    environment,
    merged,
    pods,
    render,
    rendered,
    role_of,
    service_of,
    values_of,
)

# What the code reads and no pod is told: tests' crash points, one machine's loopback, and to write a key where a pod
# writes nothing.
NOT_FOR_PODS = {"CAREHUB_CRASHPOINT", "CAREHUB_METRICS_HOST", "IDENTITY_CREATE_KEYS"}
# uvicorn reads it: whose word is believed about whom a request comes from.
OF_UVICORN = {"FORWARDED_ALLOW_IPS"}


class Noted(dict):
    """An environment that remembers what was asked of it."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        return super().get(name, "")

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)

    def __contains__(self, name):
        self.asked.add(name)
        return super().__contains__(name)


def read_by(service, monkeypatch):
    """The variables that `carehub serve SERVICE` reads."""
    env = Noted({"IDENTITY_ISSUER": "", "IDENTITY_SIGNING_KEYS": "", "GATEWAY_PUBLIC_URL": "", "GATEWAY_ISSUER": "", "GATEWAY_CLIENT_SECRET": ""})  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(command.os, "environ", env)
        command._host_settings([s for s in SERVICES if s == service], Role.WORK)
        if service == GATEWAY:
            config.read(GatewaySettings, env, "GATEWAY")
        else:
            command._app(service, env)
    for function in (start_telemetry, serve_gateway):
        env.asked |= set(re.findall(r'env\.get\(\s*"(\w+)"', inspect.getsource(function)))
    return env.asked


def everything():
    """Whatever can be said of the hub, said."""
    return merged(
        NEEDED,
        VALUES["mail"],
        VALUES["production"],
        {"global": {"telemetry": TELEMETRY, "mail": MAIL, "audit": {"headsClaim": "heads"}}},
        *(
            {chart: {"settings": {s: "1" for s, v in values_of(chart).get("settings", {}).items() if v == "" and s != "mllpAllowPlaintext"}}}
            for chart in OURS
        ),
        {"interop": {"secretSettings": {"smtpPassword": PASSWORD}}},
    )  # fmt: skip


@pytest.mark.parametrize("chart", OURS)
def test_variables_are_those_that_the_code_reads_and_all_can_be_set(chart, monkeypatch):
    objects = render(everything())
    told = {
        variable
        for _, pod in pods(objects)
        if service_of(pod) == chart and role_of(pod) in {"serve", "work"}
        for variable in environment(objects, pod)
    }
    read = read_by(chart, monkeypatch)
    if chart == GATEWAY:
        assert told - read == OF_UVICORN
    else:
        assert told - read == set()
    own = {v for v in read if v.startswith(f"{chart.upper()}_")}
    own -= {f"{chart.upper()}_TARGET", "INTEROP_MLLP_ALLOW_PLAINTEXT"}
    shared = {v for v in read if v.startswith(("CAREHUB_", "OTEL_"))}
    if chart == GATEWAY:
        # It has no database, no key and no port for gRPC: what a service is told about those says nothing to it.
        shared &= told | {"CAREHUB_NATS_URL", "CAREHUB_METRICS_PORT", "CAREHUB_TLS_CERTIFICATE"}
    assert own - NOT_FOR_PODS - told == set()
    assert shared - NOT_FOR_PODS - told == set()


@pytest.mark.parametrize("chart", OURS)
def test_a_values_file_names_every_setting_of_the_code(chart, monkeypatch):
    values = values_of(chart)
    named = [
        s for kind in ("settings", "secretSettings", "secretFiles") for s in values.get(kind, {})
    ]
    prefix = f"{chart.upper()}_"
    variables = [prefix + re.sub(r"([A-Z])", r"_\1", setting).upper() for setting in named]
    assert len(set(variables)) == len(variables)
    library = {"TARGET", "DATABASE_URL", "SYSTEM_DATABASE_URL", "SERVICE_KEY"}
    read = {v for v in read_by(chart, monkeypatch) if v.startswith(prefix)} - NOT_FOR_PODS
    assert set(variables) == read - {f"{prefix}{name}" for name in library}


def test_a_number_is_written_as_the_code_reads_it():
    """Helm makes a large one 2.097152e+06."""
    objects = render(everything())
    objects += rendered("mllp behind a mesh")
    config_maps = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
    texts = [text for data in config_maps for name, text in data.items() if name.isupper()]
    assert [text for text in texts if re.fullmatch(r"[\d.]+e\+?\d+", text)] == []
    assert {"2097152", "536870912", "4294967296"} <= set(texts)
