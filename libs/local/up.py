"""`carehub up`: the whole hub on this machine, with one command and no container.

PostgreSQL and NATS run beside it, the services in two processes (`serve` answers, `work` works off events and
timers) or, split, one process each. Ctrl-C ends everything; the next `up` continues where this one stopped.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import uvicorn

from libs.chassis import ids
from libs.chassis.migrate import create_database, is_at_head
from libs.local import environment
from libs.local.accounts import ADMIN, read_accounts, write_accounts
from libs.local.apply import accounts_of, apply, is_own_network, read_network
from libs.local.client import FreshToken, api, wait_until_ready
from libs.local.clock import VARIABLE, ahead_of, clock_file
from libs.local.environment import DIRECTORY, SERVICES, Machine
from libs.local.issuer import IssuerSettings, issuer_app
from libs.local.mail import start_mail_sink
from libs.local.nats import RunningNats, start_nats
from libs.local.patients import accounts_of_patients, register_patients
from libs.local.postgres import RunningPostgres, start_postgres
from libs.local.process import ProcessFailed, Supervisor, claim_home, is_free, kept_port, make_home
from libs.simulator.demo import play_demo
from libs.simulator.link import Address
from libs.simulator.stories.cohort import Pace, play_stories

Say = Callable[[str], None]
DEMO = Path(__file__).parent / "demo.yaml"
ROOT = Path(__file__).parents[2]
_READY_SECONDS = 120.0
_ENGINE_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpSettings:
    """What `carehub up` was asked for."""

    home: Path
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    mllp_host: str = "127.0.0.1"
    mllp_port: int = 2575
    database_url: str = ""
    nats_url: str = ""
    split: bool = False
    empty: bool = False
    feeds: bool = False
    stories: bool = True

    @property
    def is_demo(self) -> bool:
        """Nothing but what it made itself, and only people whom it invented."""
        return not (self.empty or self.database_url or self.nats_url)


class UpFailed(RuntimeError):
    """It cannot start; the message says why and what to do."""


async def up(settings: UpSettings, say: Say) -> None:
    """Run until SIGINT or SIGTERM."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    make_home(settings.home)
    with claim_home(settings.home):
        async with running(settings, say) as machine:
            _welcome(machine, settings, say)
            await _live(machine, settings, stopping, say)
            say("Stopping.")


async def _live(machine: Machine, settings: UpSettings, stopping: asyncio.Event, say: Say) -> None:
    """Play the invented region, if it is wanted, until it is time to stop or a network of somebody's own is applied."""
    if settings.feeds and not settings.empty:
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as playing:
            playing.create_task(_until_over(machine.home, stopping, ending, say))
            address = Address(host="127.0.0.1", port=machine.mllp_port)
            playing.create_task(play_demo(address, machine.home / "simulator.json", ending, say))
            if settings.stories and machine.clock:
                playing.create_task(play_stories(_pace(machine, machine.clock), ending))
    await stopping.wait()


async def _until_over(home: Path, stopping: asyncio.Event, ending: asyncio.Event, say: Say) -> None:
    """Say `ending` once it is time to stop, or once nobody who is invented may be among real people."""
    while not stopping.is_set() and not is_own_network(home):
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await stopping.wait()
    if not stopping.is_set():
        say("A network of its own was applied here: the invented region is played no more.")
    ending.set()


def _pace(machine: Machine, clock: Path) -> Pace:
    ahead = ahead_of(clock)
    return Pace(
        env=environment.for_services(machine),
        memory=machine.home / "stories.json",
        now=lambda: ids.now() + ahead(),
    )


@asynccontextmanager
async def running(settings: UpSettings, say: Say) -> AsyncIterator[Machine]:
    """The hub, ready, for as long as the block runs."""
    await _ports_free(settings)
    async with AsyncExitStack() as stack:
        machine = await _machine(settings, stack, say)
        for service in SERVICES:
            await create_database(
                machine.database_url, service, environment.passwords(machine.home, service)
            )
        environment.remember(machine)
        await _migrate(machine, say)
        supervisor = Supervisor(machine.home, say, ready_within=_READY_SECONDS)
        stack.push_async_callback(supervisor.stop_all)
        await _start(supervisor, machine, settings)
        await wait_until_ready(machine.public_url, _READY_SECONDS)
        if not settings.empty:
            await _apply_demo(machine, say)
        yield machine


async def _ports_free(settings: UpSettings) -> None:
    """A hub that was killed gives its ports back within seconds; anything else there is somebody else's."""
    wanted = {settings.http_port: "CAREHUB_HTTP_PORT", settings.mllp_port: "CAREHUB_MLLP_PORT"}
    for port, variable in wanted.items():
        for _ in range(100):
            if is_free(port):
                break
            await asyncio.sleep(0.1)
        else:
            raise UpFailed(
                f"Port {port} is taken by another program. Choose another: {variable}=… carehub up"
            )


async def _machine(settings: UpSettings, stack: AsyncExitStack, say: Say) -> Machine:
    home = settings.home
    database_url, nats_url = settings.database_url, settings.nats_url
    if not database_url:
        postgres = await start_postgres(home, say=say)
        database_url = postgres.url
        port = urlsplit(database_url).port or 0
        again = partial(start_postgres, home, say=say, port=port)
        _keep_alive(stack, "postgres", postgres, again, say)
    if not nats_url:
        nats = await start_nats(home, say=say)
        nats_url = nats.url
        port = urlsplit(nats_url).port or 0
        _keep_alive(stack, "nats", nats, partial(start_nats, home, say=say, port=port), say)
    mail = await start_mail_sink(home, kept_port(home, "smtp"))
    stack.push_async_callback(mail.stop)
    machine = Machine(
        home=home,
        database_url=database_url,
        nats_url=nats_url,
        http_host=settings.http_host,
        http_port=settings.http_port,
        mllp_host=settings.mllp_host,
        mllp_port=settings.mllp_port,
        issuer_url=f"http://127.0.0.1:{kept_port(home, 'issuer')}",
        smtp_port=mail.port,
        clock=clock_file(home) if settings.is_demo else None,
    )
    await _start_issuer(machine, stack)
    return machine


def _keep_alive(
    stack: AsyncExitStack,
    name: str,
    engine: RunningPostgres | RunningNats,
    again: Callable[[], Awaitable[RunningPostgres | RunningNats]],
    say: Say,
) -> None:
    """Start an engine again if it dies, at the port that everybody was told; end it with the hub."""
    current = engine

    async def watch() -> None:
        nonlocal current
        while True:
            await current.wait()
            say(f"{name} ended; it starts again.")
            try:
                current = await again()
            except (ProcessFailed, OSError) as error:
                say(f"{name} did not come back: {error}")
                await asyncio.sleep(_ENGINE_PAUSE_SECONDS)

    task = asyncio.create_task(watch(), name=f"watch-{name}")

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await current.stop()

    stack.push_async_callback(end)


async def _start_issuer(machine: Machine, stack: AsyncExitStack) -> None:
    settings = IssuerSettings(
        home=machine.home,
        url=machine.issuer_url,
        accounts=lambda: read_accounts(machine.home),
        client_secret=environment.local_secret(machine.home, "web-client"),
        redirect_uris=(f"{machine.public_url}/signin/callback",),
        post_logout_redirect_uris=(f"{machine.public_url}/",),
    )
    port = int(machine.issuer_url.rpartition(":")[2])
    config = uvicorn.Config(
        issuer_app(settings),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve(), name="issuer")  # serve() would take our signals

    async def end() -> None:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    async with asyncio.timeout(10):
        while not server.started and not task.done():
            await asyncio.sleep(0.01)


async def _carehub(machine: Machine, env: Mapping[str, str], *arguments: str) -> str:
    """Run a command of CareHub to its end, as an operator would; what it printed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services",
        *arguments,
        env={**_inherited(), **environment.for_services(machine), **env},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    if child.returncode:
        raise UpFailed(f"`carehub {arguments[0]}` failed; the lines above say why.")
    return out.decode()


async def _migrate(machine: Machine, say: Say) -> None:
    if not await _is_up_to_date(machine):
        await _carehub(machine, environment.for_migrations(machine), "migrate")
        say("The databases are up to date.")
    if not (machine.home / "admin").exists():
        identity = ("--id", str(ADMIN.subject), "--name", ADMIN.name, "--email", ADMIN.email)
        await _carehub(machine, {}, "admin", ADMIN.username, *identity)
        (machine.home / "admin").touch()


async def _is_up_to_date(machine: Machine) -> bool:
    """Asked here, since a process that finds nothing to do costs seconds of every start."""
    for service in SERVICES:
        connection = await asyncpg.connect(environment.database_url(machine, service, "owner"))
        try:
            if not await is_at_head(connection, ROOT / "services" / service / "migrations"):
                return False
        finally:
            await connection.close()
    return True


async def _start(supervisor: Supervisor, machine: Machine, settings: UpSettings) -> None:
    shared = {
        **_inherited(),
        **environment.for_services(machine),
        "CAREHUB_PARENT_PID": str(os.getpid()),
    }

    async def start(name: str, arguments: list[str], extra: Mapping[str, str]) -> None:
        port = kept_port(machine.home, f"metrics-{name}")
        env = {
            **shared,
            **extra,
            "CAREHUB_METRICS_PORT": str(port),
            "CAREHUB_METRICS_HOST": "127.0.0.1",
        }
        argv = [sys.executable, "-m", "services", "serve", *arguments]
        await supervisor.start(
            name, argv, env, lambda: _answers(f"http://127.0.0.1:{port}/metrics")
        )

    async with asyncio.TaskGroup() as starting:
        if settings.split:
            targets = environment.for_split(machine.home)
            for service in SERVICES:
                address = {"CAREHUB_GRPC_ADDRESS": targets[f"{service.upper()}_TARGET"]}
                arguments = [service, "--role", "all"]
                starting.create_task(start(service, arguments, {**targets, **address}))
            starting.create_task(start("gateway", ["gateway", "--role", "serve"], targets))
        else:
            starting.create_task(start("serve", ["gateway", *SERVICES, "--role", "serve"], {}))
            starting.create_task(start("work", [*SERVICES, "--role", "work"], {}))


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(timeout=2.0) as client:
        try:
            return (await client.get(url)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def _inherited() -> dict[str, str]:
    """Our environment without settings of ours that are meant for `up` itself."""
    dropped = {
        "CAREHUB_DATABASE_URL",
        "CAREHUB_NATS_URL",
        "CAREHUB_HTTP_PORT",
        "CAREHUB_MLLP_PORT",
        VARIABLE,
    }
    return {k: v for k, v in os.environ.items() if k not in dropped}


async def _apply_demo(machine: Machine, say: Say) -> None:
    """Make the demo network, once: what people change in it afterwards is theirs."""
    applied = machine.home / "demo"
    if applied.exists():
        return
    network = read_network(DEMO)
    write_accounts(machine.home, [*accounts_of(network), *accounts_of_patients(network)])
    auth = FreshToken(machine.issuer, "admin")
    async with api(machine.public_url, auth) as client:
        changes = await apply(network, client, lambda _line: None, renew=auth.renew)
    async with api(machine.public_url, FreshToken(machine.issuer, "coordinator")) as client:
        changes += await register_patients(network, client)
        taken = await client.post("/v1/directory:import", json={"json": DIRECTORY.read_text()})
        taken.raise_for_status()
    applied.touch()
    say(f"The demo network is there: {changes} things added.")


def _welcome(machine: Machine, settings: UpSettings, say: Say) -> None:
    say("")
    say(f"CareHub is ready:   {machine.public_url}")
    say(f"  API documents     {machine.public_url}/docs")
    say(f"  HL7 v2 over MLLP  {machine.mllp_host}:{machine.mllp_port}   (carehub send FILE…)")
    if not settings.empty:
        names = ", ".join(a.username for a in read_accounts(machine.home)[:6])
        say(f"  Accounts          {names} … (the password is the name; carehub token ACCOUNT)")
    say(f"  Mail and logs     {machine.home}/mail, {machine.home}/logs")
    say("  Ctrl-C stops it; the next start continues here.")
