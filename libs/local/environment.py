"""What the processes of one machine are told: databases, broker, ports, keys. Computed, never typed."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from libs.chassis.migrate import ROLES, role
from libs.chassis.services import new_service_key
from libs.ledger.heads import new_key
from libs.local.clock import VARIABLE
from libs.local.issuer import WEB
from libs.local.process import kept_port, write_private

SERVICES = (
    "analytics",
    "careplans",
    "identity",
    "interop",
    "messaging",
    "referrals",
    "registry",
    "scheduling",
    "tasking",
)
DIRECTORY = Path(__file__).parent / "demo-directory.json"
# What needs a second factor within five minutes, whoever asks.
STEP_UP = "BreakGlass=2/300 FindForEmergency=2/300"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The servers and ports of this machine, as `carehub up` found or started them."""

    home: Path
    database_url: str
    nats_url: str
    http_host: str
    http_port: int
    mllp_host: str
    mllp_port: int
    issuer_url: str
    smtp_port: int
    # Of a demo; no other hub's clock can be moved.
    clock: Path | None = None

    @property
    def issuer(self) -> str:
        return f"{self.issuer_url}/realms/carehub"

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"


def local_secret(home: Path, name: str) -> str:
    """A random secret of this machine, made once and kept in a private file."""
    path = home / "secrets" / name
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def audit_key(home: Path) -> Path:
    """The file of the key that audit heads are signed with, made once."""
    path = home / "secrets" / "audit-key.pem"
    if not path.exists():
        write_private(path, new_key())
    return path


def audit_public_keys(home: Path) -> Path:
    """The file of the public keys of heads, where there are older ones than the audit key's; else there is none."""
    return home / "secrets" / "audit-public-keys.pem"


def service_key(folder: Path, service: str) -> Path:
    """The file of the key that a service vouches for itself with, made once; beside it `public/<service>.json`."""
    path, public = folder / f"{service}.json", folder / "public" / f"{service}.json"
    if not (path.exists() and public.exists()):
        secret, told = new_service_key()
        write_private(public, told)
        write_private(path, secret)
    return path


def service_keys(folder: Path) -> dict[str, str]:
    """Where each service's key is, and everybody's public keys."""
    keys = {f"{s.upper()}_SERVICE_KEY": str(service_key(folder, s)) for s in SERVICES}
    return {**keys, "CAREHUB_SERVICE_KEYS": str(folder / "public")}


def passwords(home: Path, service: str) -> dict[str, str]:
    """The passwords of a service's four database roles, derived from the machine's secret."""
    key = local_secret(home, "roles").encode()
    names = [role(service, kind) for kind in ROLES]
    return {n: hmac.new(key, n.encode(), hashlib.sha256).hexdigest() for n in names}


def database_url(machine: Machine, service: str, kind: str) -> str:
    """The URL of a service's database for one of its roles."""
    return url_at(machine.database_url, machine.home, service, kind)


def url_at(server_url: str, home: Path, service: str, kind: str) -> str:
    """The same, of any URL at the server."""
    name = role(service, kind)
    server = urlsplit(server_url)
    query = f"?{server.query}" if server.query else ""
    address = f"{server.hostname}:{server.port or 5432}"
    return f"postgresql://{name}:{passwords(home, service)[name]}@{address}/{service}{query}"


def for_migrations(machine: Machine) -> dict[str, str]:
    """The owners' URLs: only `carehub migrate` gets them."""
    return {f"{s.upper()}_OWNER_DATABASE_URL": database_url(machine, s, "owner") for s in SERVICES}


def for_services(machine: Machine) -> dict[str, str]:
    """What every service process needs."""
    env = {
        "CAREHUB_HOME": str(machine.home),
        "CAREHUB_NATS_URL": machine.nats_url,
        "CAREHUB_PUBLIC_URL": machine.public_url,
        "CAREHUB_AUDIT_KEY": str(audit_key(machine.home)),
        "CAREHUB_AUDIT_HEADS": str(machine.home / "audit"),
        "IDENTITY_ISSUER": machine.issuer,
        "IDENTITY_SIGNING_KEYS": str(machine.home / "secrets" / "caller-keys.json"),
        "IDENTITY_CREATE_KEYS": "1",
        "INTEROP_MLLP_HOST": machine.mllp_host,
        "INTEROP_MLLP_PORT": str(machine.mllp_port),
        "INTEROP_SMTP_HOST": "127.0.0.1",
        "INTEROP_SMTP_PORT": str(machine.smtp_port),
        "INTEROP_PUBLIC_URL": machine.public_url,
        "REFERRALS_SMTP_HOST": "127.0.0.1",
        "REFERRALS_SMTP_PORT": str(machine.smtp_port),
        "REFERRALS_PUBLIC_URL": machine.public_url,
        "TASKING_SMTP_HOST": "127.0.0.1",
        "TASKING_SMTP_PORT": str(machine.smtp_port),
        "TASKING_PUBLIC_URL": machine.public_url,
        # The people of a demo network are invented, and their telephones are in this hub.
        "MESSAGING_TELEPHONE": "local",
        "MESSAGING_UNKNOWN_CONSENT": "allow",
        "MESSAGING_SMTP_HOST": "127.0.0.1",
        "MESSAGING_SMTP_PORT": str(machine.smtp_port),
        "GATEWAY_HOST": machine.http_host,
        "GATEWAY_PORT": str(machine.http_port),
        "GATEWAY_ISSUER": machine.issuer,
        "GATEWAY_CLIENT_ID": WEB,
        "GATEWAY_CLIENT_SECRET": local_secret(machine.home, "web-client"),
        "GATEWAY_PUBLIC_URL": machine.public_url,
        **service_keys(machine.home / "secrets" / "services"),
        "GATEWAY_STEP_UP": STEP_UP,
        "GATEWAY_LEAVE_SECONDS": "0",  # there is no other gateway
    }
    for service in SERVICES:
        env[f"{service.upper()}_DATABASE_URL"] = database_url(machine, service, "")
        env[f"{service.upper()}_SYSTEM_DATABASE_URL"] = database_url(machine, service, "system")
    if (keys := audit_public_keys(machine.home)).exists():
        env["CAREHUB_AUDIT_PUBLIC_KEYS"] = str(keys)
    if machine.clock:
        env[VARIABLE] = str(machine.clock)
    return env


def for_split(home: Path) -> Mapping[str, str]:
    """Where each service listens when every one has a process of its own."""
    return {f"{s.upper()}_TARGET": f"127.0.0.1:{kept_port(home, f'grpc-{s}')}" for s in SERVICES}


def remember(machine: Machine) -> None:
    """Keep what services are told, for commands that look after a hub that runs here."""
    content = orjson.dumps(for_services(machine), option=orjson.OPT_INDENT_2)
    write_private(machine.home / "secrets" / "environment.json", content)


def remembered(home: Path) -> dict[str, str]:
    """What services of this machine are told; empty where no hub ever ran."""
    path = home / "secrets" / "environment.json"
    found: dict[str, str] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return found
