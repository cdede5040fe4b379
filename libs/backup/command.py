"""`carehub backup` and `carehub restore`: where the databases are, what is said, and the report at the end."""

import argparse
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from libs.backup.archive import BackupFailed, Seal, read
from libs.backup.keeping import let_go, named_by
from libs.backup.loading import Target
from libs.backup.manifest import Manifest
from libs.backup.restoring import Order, Restored, restore
from libs.backup.taking import Order as BackupOrder
from libs.backup.taking import passphrase_in, take
from libs.chassis import ids
from libs.chassis.migrate import create_database
from libs.conveyor.forgetting import KEEP_EVENTS
from libs.ledger.heads import Keys, Signer
from libs.local import environment, verify
from libs.local.clock import ahead_of
from libs.local.process import Say, claim_home, make_home, write_private

KINDS = ("OWNER", "MAINTENANCE")
# What a hub of one machine knows besides its databases. Its secrets are made anew.
_HOME = ("accounts.json", "demo-clock", "network", "simulator.json", "stories.json")
_MARKS = ("admin", "demo")
Env = Mapping[str, str]


async def back_up(
    arguments: argparse.Namespace, env: Env, home: Path, services: Sequence[str], say: Say
) -> int:
    """Write a set and say what is in it."""
    remembered = environment.remembered(home)
    if not _are_given(env, services, ("MAINTENANCE",)) and not remembered:
        raise BackupFailed(_wanted(services, ("MAINTENANCE",)))
    is_local = not _are_given(env, services, ("MAINTENANCE",))
    _follow_clock(home, is_local)
    folder = named_by(ids.now(), arguments.folder) if arguments.keep else arguments.folder
    manifest = await take(
        BackupOrder(
            folder=folder,
            urls={s: _url(env, remembered, home, s, "MAINTENANCE") for s in services},
            passphrase=passphrase_in(arguments.passphrase_file),
            audit_keys=_known_keys({**remembered, **env}).pem(),
            home_files=_home_files(home) if is_local else {},
            now=ids.now,
        ),
        say,
    )
    if manifest.heard_ahead:
        say(
            "The hub was too busy for a clean cut: some had heard what others had not told yet. A restore sees to it."
        )
    say(
        f"{folder}: {len(manifest.services)} databases, {manifest.rows:,} rows, {manifest.size / 1e6:,.1f} MB in "
        f"{manifest.seconds:.1f} s, as of {manifest.taken_at:%Y-%m-%d %H:%M:%S}Z."
    )
    if not manifest.salt:
        say(
            "It holds health data and is not sealed: keep it where only operators can read, or use --passphrase-file."
        )
    say("Keys and passwords are not in it. Keep them apart, and try it: carehub restore --drill")
    for gone in let_go(arguments.folder, arguments.keep, folder) if arguments.keep else ():
        say(f"{gone}: removed; {arguments.keep} newer sets are kept.")
    return 0


async def bring_back(
    arguments: argparse.Namespace,
    env: Env,
    home: Path,
    migrations: Mapping[str, Path],
    say: Say,
) -> int:
    """Restore a set where the environment says, or into this machine's hub, or into a scratch server. The exit code."""
    if arguments.drill and arguments.only:
        raise BackupFailed(
            "A drill tries a whole set: there is nobody beside whom one database could be restored. Leave --only away."
        )
    if arguments.drill:
        with _scratch() as scratch:
            code = await _into_home(arguments, env, scratch, migrations, say)
        say("The drill is over, and its server removed." if not code else "The drill FAILED.")
        return code
    if _are_given(env, list(migrations), KINDS):
        targets = {s: _target(env, {}, home, s, folder) for s, folder in migrations.items()}
        return await _restore(arguments, env, targets, say)
    if any(f"{s.upper()}_{kind}_DATABASE_URL" in env for s in migrations for kind in KINDS):
        raise BackupFailed(_wanted(list(migrations), KINDS))
    return await _into_home(arguments, env, home, migrations, say)


@contextmanager
def _scratch() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="carehub-drill-"))
    path.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    try:
        yield path
    finally:
        shutil.rmtree((path / "postgres").resolve(), ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)


async def _into_home(
    arguments: argparse.Namespace, env: Env, home: Path, migrations: Mapping[str, Path], say: Say
) -> int:
    """Into the hub of a machine, which may never have run, and does not now."""
    make_home(home)
    with claim_home(home):
        async with _server(env if not arguments.drill else {}, home, say) as admin_url:
            for service in migrations:
                passwords = environment.passwords(home, service)
                await create_database(admin_url, service, passwords)
            remembered = {f"{s.upper()}_DATABASE_URL": admin_url for s in migrations}
            targets = {s: _target({}, remembered, home, s, d) for s, d in migrations.items()}
            own = {
                "CAREHUB_AUDIT_KEY": str(environment.audit_key(home)),
                "CAREHUB_AUDIT_HEADS": str(home / "audit"),
            }
            code = await _restore(arguments, {**own}, targets, say, home)
    if not arguments.drill:
        say(
            "Start it: carehub up"
            + (" --no-feeds" if not (home / "simulator.json").exists() else "")
        )
    return code


@asynccontextmanager
async def _server(env: Env, home: Path, say: Say) -> AsyncIterator[str]:
    if url := env.get("CAREHUB_DATABASE_URL"):
        yield url
        return
    from libs.local.postgres import start_postgres  # not in the image

    postgres = await start_postgres(home, say=say)
    try:
        yield postgres.url
    finally:
        await postgres.stop()


async def _restore(
    arguments: argparse.Namespace,
    env: Env,
    targets: Mapping[str, Target],
    say: Say,
    home: Path | None = None,
) -> int:
    began = time.monotonic()
    order = Order(
        folder=arguments.folder,
        passphrase=passphrase_in(arguments.passphrase_file),
        targets=targets,
        only=frozenset([arguments.only] if arguments.only else ()),
        replaces=arguments.replace,
        although_heard=arguments.although_heard,
        signer=_signer(env),
        now=ids.now,
    )
    if home is not None and not arguments.only:
        order = replace(order, complete=partial(_restore_home, arguments.folder, home))
    done = await restore(order, say)
    code = await _verified(done, env, targets, say)
    _report(done, time.monotonic() - began, say)
    if not arguments.drill:  # nobody will work with that
        _what_to_do(done, order, say)
    return code


def _report(done: Restored, seconds: float, say: Say) -> None:
    sets = [done.manifest.services[service] for service in done.services]
    rows = sum(table.rows for each in sets for table in each.tables.values())
    say(
        f"Restored {', '.join(done.services)} as of {done.manifest.taken_at:%Y-%m-%d %H:%M:%S}Z in {seconds:.1f} s: "
        f"{rows:,} rows, every table's digest as it was. Epoch {done.epoch}."
    )


def _what_to_do(done: Restored, order: Order, say: Say) -> None:
    say(
        f"When work begins, what was told in the {KEEP_EVENTS.days} days before the set is told again; whoever has heard it "
        "does nothing. By grants nothing is seen until identity is heard."
    )
    if order.only:
        say(
            f"{done.lost:,} events that others had heard from {done.services[0]} since then are not remembered: what they "
            "told stays with the others until it is told anew. docs/operations/backup-and-restore.md says what to look at."
        )
    else:
        say(
            "What people decided after that time is not in it. Before you let anybody in, enter again: withdrawals of "
            "consent, deactivations, agreements that ended."
        )


async def _verified(done: Restored, env: Env, targets: Mapping[str, Target], say: Say) -> int:
    """As `carehub audit verify`, with the keys of before and those of now."""
    keys = done.manifest.audit_keys + _known_keys(env).pem()
    if not keys:
        say(
            "The ledgers were not verified: the set has no public key of heads. Set CAREHUB_AUDIT_KEY."
        )
        return 0
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(keys)
        file.flush()
        urls = {f"{s.upper()}_SYSTEM_DATABASE_URL": t.maintenance_url for s, t in targets.items()}
        told = {**env, **urls, "CAREHUB_AUDIT_PUBLIC_KEYS": file.name}
        return await verify.run(done.services, list(targets), told, say)


def _restore_home(folder: Path, home: Path, manifest: Manifest, seal: Seal | None) -> None:
    """What `carehub up` would otherwise make anew, over what was restored; and the keys of before, for the audit."""
    for name in manifest.home.keys() & set(_HOME):
        write_private(home / name, b"".join(read(folder, manifest.home[name].name, seal)))
    for name in _MARKS:
        (home / name).touch()
    own = Keys(environment.audit_key(home).read_text()).pem()
    write_private(environment.audit_public_keys(home), own + manifest.audit_keys)


def _home_files(home: Path) -> dict[str, Path]:
    return {name: home / name for name in _HOME if (home / name).exists()}


def _follow_clock(home: Path, is_local: bool) -> None:
    if is_local and (home / "demo-clock").exists():
        ids.keep_ahead(ahead_of(home / "demo-clock"))


def _signer(env: Env) -> Signer | None:
    path = env.get("CAREHUB_AUDIT_KEY")
    return Signer(Path(path).read_text()) if path else None


def _known_keys(env: Env) -> Keys:
    names = ("CAREHUB_AUDIT_PUBLIC_KEYS", "CAREHUB_AUDIT_KEY")
    paths = [Path(env[name]) for name in names if env.get(name)]
    return Keys("".join(path.read_text() for path in paths if path.exists()))


def _are_given(env: Env, services: Sequence[str], kinds: Sequence[str]) -> bool:
    return all(env.get(f"{s.upper()}_{kind}_DATABASE_URL") for s in services for kind in kinds)


def _wanted(services: Sequence[str], kinds: Sequence[str]) -> str:
    names = [f"{services[0].upper()}_{kind}_DATABASE_URL" for kind in kinds]
    return (
        f"Nobody says where the databases are: no hub ever ran here, and {' and '.join(names)} and those of the other "
        f"{len(services) - 1} services are not all set."
    )


def _target(env: Env, remembered: Env, home: Path, service: str, migrations: Path) -> Target:
    return Target(
        service=service,
        owner_url=_url(env, remembered, home, service, "OWNER"),
        maintenance_url=_url(env, remembered, home, service, "MAINTENANCE"),
        migrations=migrations,
    )


def _url(env: Env, remembered: Env, home: Path, service: str, kind: str) -> str:
    """As it is set, or at the server that this machine's hub uses."""
    name = service.upper()
    return env.get(f"{name}_{kind}_DATABASE_URL") or environment.url_at(
        remembered[f"{name}_DATABASE_URL"], home, service, kind.lower()
    )
