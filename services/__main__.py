"""The one entry point, `carehub COMMAND`: it runs services, and what operates them."""

import argparse
import asyncio
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop

from libs.chassis import ids
from libs.chassis.channels import Channels
from libs.chassis.config import ConfigError
from libs.chassis.database import Database, open_pool
from libs.chassis.errors import DomainError
from libs.chassis.migrate import migrate
from libs.chassis.tls import Certificates
from libs.ledger.keeping import with_ledger
from libs.local.environment import SERVICES
from libs.process.app import App, Host, HostSettings, start_telemetry
from libs.process.status import Role

log = logging.getLogger("carehub")
GATEWAY = "gateway"
Command = Callable[[Any], Coroutine[Any, Any, int]]
AddCommand = Callable[[str, Command, str], argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code; a known trouble is one sentence, not a traceback."""
    arguments = _parser().parse_args(argv)
    try:
        code = uvloop.run(arguments.command(arguments))
    except KeyboardInterrupt:
        code = 130
    except (RuntimeError, DomainError, ConfigError) as error:
        print(f"carehub: {error}", file=sys.stderr)
        code = 1
    sys.exit(code or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="carehub", description="The open care-coordination hub.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=run)
        return sub

    _add_processes(command)
    _add_tools(command)
    _add_operations(command)
    return parser


def _add_processes(command: AddCommand) -> None:
    sub = command("up", _up, "Run the whole hub on this machine.")
    sub.add_argument("--split", action="store_true", help="every service in a process of its own")
    sub.add_argument("--empty", action="store_true", help="no demo network, only the administrator")
    sub.add_argument("--no-feeds", action="store_true", help="no simulated region at all")
    sub.add_argument("--no-stories", action="store_true", help="feeds alone: nobody acts on them")
    sub = command("serve", _serve, "Run services in this process; what a pod runs.")
    sub.add_argument("services", nargs="+", choices=[*SERVICES, GATEWAY], metavar="SERVICE")
    sub.add_argument("--role", choices=[r.value for r in Role], default="all")
    sub = command("migrate", _migrate, "Bring databases up to date.")
    sub.add_argument("services", nargs="*", metavar="SERVICE", help="all of them by default")


def _add_tools(command: AddCommand) -> None:
    sub = command("admin", _admin, "Add the network's first administrator, whom no RPC can add.")
    sub.add_argument("account", help="the name used to sign in")
    sub.add_argument("--id", type=UUID, required=True, help="the subject of the provider's tokens")
    sub.add_argument("--name", default="Network Administrator")
    sub.add_argument("--email", default="")
    sub = command("apply", _apply, "Make a network what a file says. Twice changes nothing.")
    sub.add_argument("file", type=Path)
    sub.add_argument("--dry-run", action="store_true", help="say what would change, and stop there")
    sub = command("token", _token, "Print a bearer token of a demo account.")
    sub.add_argument("account")
    sub.add_argument("--step-up", action="store_true", help="as after a second factor, just now")
    sub = command("send", _send, "Send HL7 v2 files over MLLP and print each acknowledgement.")
    sub.add_argument("paths", nargs="+", type=Path, metavar="FILE|DIR")
    sub.add_argument("--host", default="127.0.0.1")
    sub.add_argument("--port", type=int, default=int(os.environ.get("CAREHUB_MLLP_PORT", "2575")))
    from libs.local.story.command import add_arguments as add_demo_arguments

    add_demo_arguments(command("demo", _demo, "Move a demo's clock, or play the story on it."))
    from libs.simulator.command import add_arguments

    add_arguments(
        command(
            "simulate", _simulate, "Play the feeds of an invented region, or write them to files."
        )
    )
    from libs.keycloak.command import add_arguments as add_keycloak_arguments

    add_keycloak_arguments(
        command("keycloak", _keycloak, "Make a realm of Keycloak what CareHub needs.")
    )


def _add_operations(command: AddCommand) -> None:
    from libs.local.parked import add_arguments

    sub = command("parked", _parked, "List, show, replay or discard events that were set aside.")
    add_arguments(sub, SERVICES)
    sub = command("audit", _audit, "Verify that nobody changed an audit ledger.")
    sub.add_argument("action", choices=["verify"])
    sub.add_argument("services", nargs="*", metavar="SERVICE", help="all of them by default")

    from libs.backup.arguments import add_backup_arguments, add_restore_arguments

    add_backup_arguments(command("backup", _backup, "Write all databases into a folder."))
    sub = command("restore", _restore, "Restore databases from the folder of a backup.")
    add_restore_arguments(sub, SERVICES)

    sub = command("key", _key, "Make the key of a service, or identity's for callers; or turn it.")
    sub.add_argument("whose", choices=[*SERVICES, "caller"])
    sub.add_argument("folder", type=Path, help="has SERVICE.json and public/SERVICE.json")
    sub.add_argument("--turn", choices=["add", "use", "drop"], help="one step to another key")
    sub = command("nats", _nats, "Print what each service may do at the broker, or set it up.")
    sub.add_argument("action", choices=["permissions", "setup"])


def _say(line: str) -> None:
    print(line, flush=True)


def _home() -> Path:
    return Path(os.environ.get("CAREHUB_HOME", ".carehub")).resolve()


def _app(service: str, env: Mapping[str, str]) -> App:
    """A service and its ledger."""
    app: App = importlib.import_module(f"services.{service}.app").build(env)
    return with_ledger(app, _path("CAREHUB_AUDIT_KEY"), _path("CAREHUB_AUDIT_HEADS"))


def _host_settings(services: Sequence[str], role: Role) -> HostSettings:
    env = os.environ
    return HostSettings(
        role=role,
        database_urls={s: env[f"{s.upper()}_DATABASE_URL"] for s in services},
        system_urls={s: env[f"{s.upper()}_SYSTEM_DATABASE_URL"] for s in services},
        nats_url=env.get("CAREHUB_NATS_URL", ""),
        stream_replicas=int(env.get("CAREHUB_STREAM_REPLICAS", "1")),
        stream_bytes=int(env.get("CAREHUB_STREAM_BYTES", str(512 * 1024**2))),
        conveyor_is_given=env.get("CAREHUB_NATS_GIVEN") == "1",
        targets={s: env[f"{s.upper()}_TARGET"] for s in SERVICES if f"{s.upper()}_TARGET" in env},
        grpc_address=env.get("CAREHUB_GRPC_ADDRESS", ""),
        metrics_port=int(env.get("CAREHUB_METRICS_PORT", "0")),
        metrics_host=env.get("CAREHUB_METRICS_HOST", "0.0.0.0"),  # noqa: S104 a pod's own
        pool_size=int(env.get("CAREHUB_POOL_SIZE", "8")),
        crashpoint=env.get("CAREHUB_CRASHPOINT", ""),
        service_keys=_path("CAREHUB_SERVICE_KEYS"),
        private_keys={s: path for s in services if (path := _path(f"{s.upper()}_SERVICE_KEY"))},
        called_by=_listed("CAREHUB_CALLED_BY"),
        tls=Certificates.of(
            *(_path(f"CAREHUB_TLS_{part}") for part in ("CERTIFICATE", "KEY", "AUTHORITY"))
        ),
    )


def _listed(variable: str) -> frozenset[str] | None:
    """Words with commas between them. Set and empty is nobody, and not the same as not set."""
    text = os.environ.get(variable)
    return None if text is None else frozenset(filter(None, map(str.strip, text.split(","))))


def _path(variable: str) -> Path | None:
    return Path(os.environ[variable]) if os.environ.get(variable) else None


async def caller_keys(channels: Channels) -> str:
    """The keys that identity signs caller tokens with."""
    from carehub.identity.v1 import identity_service_pb2 as identity

    method = identity.DESCRIPTOR.services_by_name["IdentityService"].methods_by_name[
        "GetCallerKeys"
    ]
    response = await channels.call(method, identity.GetCallerKeysRequest())
    return response.jwks if isinstance(response, identity.GetCallerKeysResponse) else ""


async def _serve(arguments: argparse.Namespace) -> int:
    from libs.local.clock import follow

    follow(os.environ)
    start_telemetry("-".join(arguments.services), os.environ)
    services = [s for s in SERVICES if s in arguments.services]
    host = Host(
        [_app(s, os.environ) for s in services],
        _host_settings(services, Role(arguments.role)),
        caller_keys,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, host.stopping.set)
    watch = asyncio.create_task(_end_with_parent(host.stopping), name="parent")
    gateway = None
    if GATEWAY in arguments.services:
        from gateway.api.serve import serve as serve_gateway

        gateway = asyncio.create_task(
            serve_gateway(host.channels, os.environ, host.stopping), name="gateway"
        )
        host.wait_for(gateway)
    await host.run()
    if gateway is not None:
        await gateway
    watch.cancel()
    return 0


async def _end_with_parent(stopping: asyncio.Event) -> None:
    """A child of `carehub up` ends when its parent is gone, however it went."""
    parent = int(os.environ.get("CAREHUB_PARENT_PID", "0"))
    while parent and os.getppid() == parent:
        await asyncio.sleep(0.5)
    if parent:
        stopping.set()


async def _migrate(arguments: argparse.Namespace) -> int:
    for service in arguments.services or SERVICES:
        url = os.environ[f"{service.upper()}_OWNER_DATABASE_URL"]  # and no other setting
        for step in await migrate(url, service, Path(__file__).parent / service / "migrations"):
            print(f"{service}: {step}")
    return 0


async def _admin(arguments: argparse.Namespace) -> int:
    from services.identity.app import bootstrap

    pool = await open_pool(os.environ["IDENTITY_SYSTEM_DATABASE_URL"], 1, "carehub-admin")
    database = Database(None, pool, ids.now)
    try:
        async with database.system() as tx:
            who = {n: getattr(arguments, n) for n in ("id", "account", "name", "email")}
            await bootstrap(tx, **who)
    finally:
        await database.close()
    return 0


async def _up(arguments: argparse.Namespace) -> int:
    from libs.local.up import UpSettings, up

    env = os.environ
    settings = UpSettings(
        home=_home(),
        http_host=env.get("CAREHUB_HTTP_HOST", "127.0.0.1"),
        http_port=int(env.get("CAREHUB_HTTP_PORT", "8080")),
        mllp_host=env.get("CAREHUB_MLLP_HOST", "127.0.0.1"),
        mllp_port=int(env.get("CAREHUB_MLLP_PORT", "2575")),
        database_url=env.get("CAREHUB_DATABASE_URL", ""),
        nats_url=env.get("CAREHUB_NATS_URL", ""),
        split=arguments.split,
        empty=arguments.empty,
        feeds=not arguments.no_feeds,
        stories=not arguments.no_stories,
    )
    await up(settings, _say)
    return 0


def _local_urls() -> tuple[str, str]:
    """Where the hub of this machine answers, and who signs people in there."""
    env = _remembered()
    if not env:
        raise RuntimeError("no hub ever ran here; start one with `make run` or `carehub up`")
    return env["GATEWAY_PUBLIC_URL"], env["GATEWAY_ISSUER"]


async def _apply(arguments: argparse.Namespace) -> int:
    from libs.local.accounts import read_accounts, write_accounts
    from libs.local.apply import accounts_of, apply, note_own_network, read_network
    from libs.local.client import FreshToken, api

    url, issuer = _local_urls()
    network = read_network(arguments.file)
    auth = FreshToken(issuer, "admin")
    if not arguments.dry_run:
        note_own_network(_home(), network)
    async with api(url, auth) as client:
        changes = await apply(network, client, print, renew=auth.renew, dry_run=arguments.dry_run)
    if not arguments.dry_run:
        new = {a.username: a for a in (*read_accounts(_home()), *accounts_of(network))}
        write_accounts(_home(), list(new.values()))
    print(f"{changes} changes{' to make' if arguments.dry_run else ''}.")
    return 0


async def _token(arguments: argparse.Namespace) -> int:
    from libs.local.client import password_token

    level = "2" if arguments.step_up else "1"
    print(await password_token(_local_urls()[1], arguments.account, level))
    return 0


async def _send(arguments: argparse.Namespace) -> int:
    from libs.local.send import run

    return await run(arguments.paths, arguments.host, arguments.port, print)


async def _simulate(arguments: argparse.Namespace) -> int:
    from libs.simulator.command import run

    return await run(arguments, _say)


async def _demo(arguments: argparse.Namespace) -> int:
    from libs.local.story.command import run

    return await run(arguments, _remembered(), _say)


async def _keycloak(arguments: argparse.Namespace) -> int:
    from libs.keycloak.command import run

    return await run(arguments, os.environ, _say)


async def _parked(arguments: argparse.Namespace) -> int:
    from libs.local.parked import run

    env = {**_remembered(), **os.environ}
    return await run(arguments, env, lambda: _app(arguments.service, env), print)


async def _audit(arguments: argparse.Namespace) -> int:
    from libs.local.verify import run

    if unknown := set(arguments.services) - set(SERVICES):
        raise RuntimeError(f"there is no service {unknown.pop()}; there are {', '.join(SERVICES)}")
    env = {**_remembered(), **os.environ}
    return await run(arguments.services or SERVICES, SERVICES, env, _say)


async def _backup(arguments: argparse.Namespace) -> int:
    from libs.backup.command import back_up

    return await back_up(arguments, os.environ, _home(), SERVICES, _say)


async def _restore(arguments: argparse.Namespace) -> int:
    from libs.backup.command import bring_back

    folders = {s: Path(__file__).parent / s / "migrations" for s in SERVICES}
    return await bring_back(arguments, os.environ, _home(), folders, _say)


async def _key(arguments: argparse.Namespace) -> int:
    from libs.local.keys import key_file, turn

    path = key_file(arguments.whose, arguments.folder)
    print(turn(path, arguments.turn) if arguments.turn else path)
    return 0


async def _nats(arguments: argparse.Namespace) -> int:
    """The users of a NATS server, which follow from the code alone; or the streams and consumers, by an administrator."""
    from gateway.api.live import EVENTS
    from libs.local.broker import set_up_at, users_of

    env = {"IDENTITY_ISSUER": "", "IDENTITY_SIGNING_KEYS": "", **os.environ}
    apps = [_app(s, env) for s in SERVICES]  # what each says of itself; none is started
    if arguments.action == "permissions":
        print(users_of(apps, {GATEWAY: EVENTS}), end="")
    else:
        await set_up_at(_host_settings((), Role.WORK), apps, print)
    return 0


def _remembered() -> dict[str, str]:
    from libs.local.environment import remembered

    return remembered(_home())


if __name__ == "__main__":
    main()
