"""Charts let in whom contracts, READMEs and code let in, and give each service what is its own and nothing of another's."""

import ast
import re
import subprocess

import pytest
import yaml
from carehub.options.v1 import options_pb2

import services.__main__ as command
from libs.chassis.migrate import ROLES, role
from libs.local import nats as local_nats
from libs.process.holding import APPLY
from libs.process.status import Role
from services.__main__ import GATEWAY, SERVICES
from services.identity.clients.holders import holders
from tests.contract.rendering import (
    CHARTS,
    OURS,
    PASSWORD,
    ROOT,
    VALUES,
    container,
    environment,
    is_selected,
    of_kind,
    pods,
    rendered,
    role_of,
    service_of,
    values_of,
)
from tests.contract.test_contracts import contracts_of

every_value_set = pytest.mark.parametrize("values", VALUES)
NATS_USERS = CHARTS / "carehub/files/nats-authorization.conf"

# Who may call whom.


def listed(service):
    """The services that contracts let in for themselves."""
    return {
        name
        for contract in contracts_of(service)
        for method in contract.methods
        for name in method.GetOptions().Extensions[options_pb2.access].called_by
    }


def called_by_code():
    """Whom each service calls, as the code has it."""
    calls = {service: {"identity"} - {service} for service in SERVICES}  # for its keys: caller_keys
    calls["identity"] |= holders().keys()
    for service in SERVICES:
        for path in (ROOT / "services" / service).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("carehub."):
                    other = node.module.split(".")[1]
                    asked = [n for n in node.names if n.name.endswith("_service_pb2")]
                    if asked and other in SERVICES and other != service:
                        calls[service].add(other)
    return {**calls, GATEWAY: set(SERVICES)}


@pytest.mark.parametrize("service", SERVICES)
def test_calledby_is_whom_contracts_let_in_and_whom_code_has_call(service):
    told = set(values_of(service)["calledBy"])
    assert told == {caller for caller, calls in called_by_code().items() if service in calls}
    assert listed(service) <= told - {GATEWAY}
    assert GATEWAY in told, "people come through it"


@pytest.mark.parametrize("chart", OURS)
def test_calls_is_calledby_seen_from_the_other_side(chart):
    assert set(values_of(chart)["calls"]) == called_by_code()[chart]
    for other in values_of(chart)["calls"]:
        assert chart in values_of(other)["calledBy"]


def test_whoever_holds_data_of_patients_is_told_by_identity_and_asks_it():
    told = {s for s in SERVICES if any(APPLY in c.methods_by_name for c in contracts_of(s))}
    assert told == holders().keys()
    assert told <= set(values_of("identity")["calls"])
    assert told <= set(values_of("identity")["calledBy"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_says_who_gets_through_to_it(service):
    text = " ".join((ROOT / f"services/{service}/README.md").read_text().split())
    link = rf"\[`calledBy`\]\(\.\./\.\./charts/{service}/values\.yaml\)"
    (said,) = re.findall(rf"Its chart lets in \({link}\): ([^.]+)\.", text)
    assert said.split(", ") == values_of(service)["calledBy"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_whom_to_believe(service):
    config_map = of_kind(rendered("small"), "ConfigMap")[service]["data"]
    told = config_map["CAREHUB_CALLED_BY"].split(",")
    assert set(filter(None, told)) == set(values_of(service)["calledBy"]) - {GATEWAY}


# The network.


def reached(rule, side):
    """The names of our charts that a rule is about, the port, and its other peers."""
    ours, others = set(), []
    for peer in rule[side]:
        names = peer.get("podSelector", {}).get("matchExpressions", [])
        if names:
            assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/part-of": "carehub"}
            ours |= set(names[0]["values"])
        else:
            others.append(peer)
    return ours, {port["port"] for port in rule["ports"]}, others


@every_value_set
def test_every_pod_has_one_policy_and_it_denies_what_it_does_not_name(values):
    objects = rendered(values)
    policies = of_kind(objects, "NetworkPolicy").values()
    for name, pod in pods(objects):
        (policy,) = [
            p for p in policies if is_selected(p["spec"]["podSelector"]["matchLabels"], pod)
        ]
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"], name
        for side, rules in (("from", policy["spec"]["ingress"]), ("to", policy["spec"]["egress"])):
            for rule in rules:
                assert rule[side], f"{name}: without peers a rule is about everybody"
                assert rule["ports"], f"{name}: without ports it is about all of them"
                assert all(rule[side]), f"{name}: a peer that says nothing"


@every_value_set
def test_calledby_gets_in_at_the_port_of_grpc_and_nobody_else(values):
    objects = rendered(values)
    global_values = VALUES[values]["global"]
    for name, policy in of_kind(objects, "NetworkPolicy").items():
        chart, _, what = name.rpartition("-")
        for rule in policy["spec"]["ingress"]:
            ours, ports, others = reached(rule, "from")
            if ours:
                assert (ours, ports, what) == (set(values_of(chart)["calledBy"]), {9000}, "serve")
                assert others == []
            elif ports == {9090}:
                assert others == global_values.get("monitoring", {}).get("peers")
            elif ports == {2575}:
                assert (chart, what) == ("interop", "serve")
                assert others == VALUES[values]["interop"]["listeners"]["mllp"]["peers"]
            else:
                assert (name, ports) == ("gateway-serve", {8080})
                assert others == VALUES[values]["gateway"]["ingress"]["peers"]
        wants_callers = what == "serve" and chart in SERVICES
        is_called = any(reached(rule, "from")[0] for rule in policy["spec"]["ingress"])
        assert is_called == wants_callers, name


@every_value_set
def test_a_pod_gets_to_what_its_settings_name_and_nowhere_else(values):
    objects = rendered(values)
    policies = of_kind(objects, "NetworkPolicy").values()
    for name, pod in pods(objects):
        (policy,) = [
            p for p in policies if is_selected(p["spec"]["podSelector"]["matchLabels"], pod)
        ]
        rules = [reached(rule, "to") for rule in policy["spec"]["egress"]]
        ours = {one for names, _, _ in rules for one in names}
        env = environment(objects, pod)
        assert {f"{one.upper()}_TARGET" for one in ours} == {
            v for v in env if v.endswith("_TARGET")
        }
        assert {ports.pop() for names, ports, _ in rules if names} <= {9000}
        wanted = {53}
        wanted |= {5432} if any(v.endswith("DATABASE_URL") for v in env) else set()
        wanted |= {4222} if "CAREHUB_NATS_URL" in env else set()
        serves, works = role_of(pod) == Role.SERVE, role_of(pod) == Role.WORK
        wanted |= {443} if serves and any(v.endswith("_ISSUER") for v in env) else set()
        wanted |= {587} if works and any(v.endswith("_SMTP_HOST") for v in env) else set()
        wanted |= {4317} if "OTEL_EXPORTER_OTLP_ENDPOINT" in env else set()
        assert {port for names, ports, _ in rules if not names for port in ports} == wanted, name


# What is its own.


@every_value_set
def test_a_pod_has_its_own_two_roles_at_its_own_database_and_only_migrations_the_owner(values):
    objects = rendered(values)
    for name, pod in pods(objects):
        service, what = service_of(pod), role_of(pod)
        urls = {v: s for v, s in environment(objects, pod).items() if v.endswith("DATABASE_URL")}
        if what == "backup":
            assert urls == {
                f"{s.upper()}_MAINTENANCE_DATABASE_URL": (f"{s}-database-maintenance", "url")
                for s in SERVICES
            }
        elif service not in SERVICES:
            assert urls == {}, name
        elif what == "migrate":
            assert urls == {
                f"{service.upper()}_OWNER_DATABASE_URL": (f"{service}-database-owner", "url")
            }
        else:
            assert urls == {
                f"{service.upper()}_DATABASE_URL": "/etc/carehub/database/url",
                f"{service.upper()}_SYSTEM_DATABASE_URL": "/etc/carehub/database/system-url",
            }
            (volume,) = [v for v in pod["spec"]["volumes"] if v["name"] == "database"]
            assert volume["secret"]["secretName"] == f"{service}-database", name


@every_value_set
def test_secrets_are_of_their_service_and_of_the_role_that_needs_them(values):
    objects = rendered(values)
    seen: dict[str, set[str]] = {}
    for _, pod in pods(objects):
        secrets = {v[0] for v in environment(objects, pod).values() if isinstance(v, tuple)}
        secrets |= {v["secret"]["secretName"] for v in pod["spec"]["volumes"] if "secret" in v}
        for secret in secrets:
            seen.setdefault(secret, set()).add(f"{service_of(pod)}-{role_of(pod)}")
    assert seen.get("interop-mllp-tls", {"interop-serve"}) == {"interop-serve"}
    shared = {"audit-key": {f"{s}-work" for s in SERVICES}, "admin-nats": {"nats-setup-setup"}}
    for secret, pods_of in seen.items():
        if secret in shared:
            assert pods_of <= shared[secret]
        elif secret != PASSWORD["secret"]:
            assert len({one.rpartition("-")[0] for one in pods_of}) == 1, secret
        if secret.endswith("-nats") and secret not in shared:
            assert pods_of in ({f"{secret.removesuffix('-nats')}-work"}, {"gateway-serve"})


def test_an_operator_makes_the_databases_and_the_roles_that_migrations_know():
    objects = rendered("operator")
    (cluster,) = of_kind(objects, "Cluster").values()
    made = {one["name"]: one for one in cluster["spec"]["managed"]["roles"]}
    assert made.keys() == {role(service, kind) for service in SERVICES for kind in ROLES}
    for name, one in made.items():
        assert (one["login"], one["inherit"]) == (True, False), name
        assert one["bypassrls"] == name.endswith("_maintenance"), name
        assert not one.get("superuser")
    databases = of_kind(objects, "Database")
    assert {n: d["spec"]["owner"] for n, d in databases.items()} == {
        service: role(service, "owner") for service in SERVICES
    }
    *own, last = cluster["spec"]["postgresql"]["pg_hba"]
    assert own == [
        f"hostssl {s} {','.join(role(s, kind) for kind in ('', 'owner', 'system', 'maintenance'))} all scram-sha-256"
        for s in SERVICES
    ]
    assert last == "host all all all reject"


def test_the_brokers_users_are_those_of_the_code(capsys):
    with pytest.raises(SystemExit):
        command.main(["nats", "permissions"])
    told = capsys.readouterr().out
    again = f"carehub nats permissions > {NATS_USERS.relative_to(ROOT)}"
    assert NATS_USERS.read_text() == told, f"subjects have changed: {again}"
    served = of_kind(rendered("small"), "ConfigMap")["nats-authorization"]["data"]
    assert served == {"authorization.conf": told}
    users = re.findall(r"user: (\w+),", told)
    assert users == [*SERVICES, GATEWAY, "admin"]


def test_nats_reads_its_users_and_has_a_password_for_each(tmp_path):
    values = yaml.safe_load((NATS_USERS.parent / "nats-values.yaml").read_text())
    passwords = set(re.findall(r"\$(\w+_NATS_PASSWORD)", NATS_USERS.read_text()))
    assert values["container"]["env"].keys() == passwords
    (tmp_path / "authorization.conf").write_text(NATS_USERS.read_text())
    (tmp_path / "nats.conf").write_text('{"port": 4222}\ninclude authorization.conf\n')
    argv = [local_nats._binary(), "-t", "-c", str(tmp_path / "nats.conf")]
    found = subprocess.run(argv, env=dict.fromkeys(passwords, "x"), capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_a_service_has_the_key_that_the_others_know_it_by():
    for name, pod in pods(rendered("small")):
        if service_of(pod) in SERVICES and role_of(pod) != "migrate":
            env = environment(rendered("small"), pod)
            assert env["CAREHUB_SERVICE_KEYS"] == "/etc/carehub/service-keys"
            assert env[f"{service_of(pod).upper()}_SERVICE_KEY"].startswith("/etc/carehub/")
            keys = {v for v in env if v.endswith("_SERVICE_KEY")}
            assert keys == {f"{service_of(pod).upper()}_SERVICE_KEY"}, name


@every_value_set
def test_certificates_go_together_and_name_the_host_that_is_asked_for(values):
    objects = rendered(values)
    is_on = VALUES[values]["global"].get("tls", {}).get("enabled", False)
    for name, pod in pods(objects):
        env = environment(objects, pod)
        files = {v for v in env if v.startswith("CAREHUB_TLS_")}
        wanted = is_on and container(pod)["args"][0] == "serve"
        assert len(files) == (3 if wanted else 0), name
        for variable, target in env.items():
            if variable.endswith("_TARGET"):
                host, _, port = target.partition(":")
                service = of_kind(objects, "Service").get(host)
                assert service or host == "interop", target
                if service:
                    assert service["spec"]["clusterIP"] == "None"  # each pod has an address
                    assert int(port) in {p["port"] for p in service["spec"]["ports"]}
