"""A hub of pods: engines on the machine, every pod of the charts in a network beside it."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from libs.chassis.migrate import ROLES, create_database, role
from libs.chassis.services import new_service_key
from libs.ledger.heads import new_key
from libs.local import nats as local_nats
from libs.local.postgres import start_postgres
from libs.local.process import spawn, wait_until_ready
from services.__main__ import GATEWAY, SERVICES
from services.identity.convert.token import new_keys
from tests.contract.rendering import CHARTS, NEEDED, OURS, ROOT, merged, pods, render
from tests.image.authority import Authority
from tests.image.pods import HERE, Machine, forward, make_network

TOLD = ROOT / ".venv" / "image"
USERS = (*OURS, "admin")


@dataclass
class Hub:
    machine: Machine
    templates: dict[str, dict]
    secrets: dict[str, dict[str, bytes]]
    nats_log: Path


@pytest.fixture(scope="session")
def image() -> Path:
    if not TOLD.exists():
        pytest.skip("there is no image: tests/image/build.sh says why")
    return Path(TOLD.read_text().strip())


@pytest.fixture(scope="session", params=["plain text", "tls"])
async def hub(image, request, tmp_path_factory):
    """Every template, with the engines that they need; no pod has been started."""
    home = tmp_path_factory.mktemp("hub")
    for folder in (home, *home.parents[:2]):
        folder.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    if request.param_index == 0:
        make_network()
    values = merged(NEEDED, {"global": {"tls": {"enabled": request.param == "tls"}}})
    objects = render(values)
    secrets = secrets_of()
    keys = {f"{s}.json": key[1].encode() for s, key in SERVICE_KEYS.items()}
    machine = Machine(image, home, objects, secrets, {"service-public-keys": keys})
    postgres = await start_postgres(home / "postgres", say=print, settings={"fsync": "off"})
    for service in SERVICES:
        names = [role(service, kind) for kind in ROLES]
        await create_database(postgres.url, service, {name: name for name in names})
    forwarded = await forward(5432, urlsplit(postgres.url).port or 0)
    nats = await start_nats(home)
    try:
        yield Hub(machine, dict(pods(objects)), secrets, home / "nats.log")
    finally:
        await machine.stop()
        forwarded.close()
        await nats.stop()
        await postgres.stop()


async def start_nats(home):
    """The broker with the users of the charts."""
    configuration = home / "nats.conf"
    configuration.write_text(
        f'host: "{HERE}"\nport: 4222\nhttp: "127.0.0.1:8222"\nlog_file: "{home / "nats.log"}"\n'
        f'jetstream {{ store_dir: "{home / "store"}" }}\n'
        f'include "{os.path.relpath(CHARTS / "carehub/files/nats-authorization.conf", home)}"\n'
    )
    env = {f"{user.upper()}_NATS_PASSWORD": f"of-{user}" for user in USERS}
    child = spawn("nats", [local_nats._binary(), "-c", str(configuration)], home=home, env=env)
    await wait_until_ready(child, lambda: local_nats.is_healthy(8222))
    return child


SERVICE_KEYS = {service: new_service_key() for service in SERVICES}


def secrets_of():
    """The Secrets that docs/operations/install.md lists."""
    authority = Authority()
    secrets = {
        "audit-key": {"audit-key.pem": new_key().encode()},
        "identity-signing-keys": {"caller-keys.json": new_keys().encode()},
        "interop-mllp-tls": authority.certify("interop-mllp"),
        "sender-tls": authority.certify("sender"),
        f"{GATEWAY}-oidc": {"client-secret": b"hidden"},
    }
    for user in USERS:
        secrets[f"{user}-nats"] = {"url": f"nats://{user}:of-{user}@nats:4222".encode()}
        secrets[f"{user}-tls"] = authority.certify(user)
    for service in SERVICES:
        urls = {
            kind: f"postgresql://{role(service, kind)}:{role(service, kind)}@postgresql:5432/{service}".encode()
            for kind in ROLES
        }
        secrets[f"{service}-database"] = {"url": urls[""], "system-url": urls["system"]}
        secrets[f"{service}-database-owner"] = {"url": urls["owner"]}
        secrets[f"{service}-service-key"] = {"key.json": SERVICE_KEYS[service][0].encode()}
    return secrets
