"""A process: the services that live in it, what serves them and what works for them, and a graceful end."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import prometheus_client

from libs.chassis import ids
from libs.chassis.channels import Channels
from libs.chassis.database import Database, open_pool
from libs.chassis.errors import Unavailable
from libs.chassis.faults import backoff, one_more, rest
from libs.chassis.guard import Guard, Servicer
from libs.chassis.migrate import is_at_head
from libs.chassis.server import serve
from libs.chassis.services import ServiceKeys, ServiceSigner
from libs.chassis.tls import Certificates
from libs.chassis.tokens import CallerVerifier
from libs.conveyor import crashpoints
from libs.conveyor.inbox import Consumer, run_consumer
from libs.conveyor.relay import run_relay
from libs.conveyor.streams import Conveyor, connect
from libs.conveyor.timers import Timer, run_timers
from libs.process.gauges import Read, Watched, run_gauges, watch_pool
from libs.process.holding import APPLY, Holding, keep_lease, refuse_deactivated
from libs.process.operations import Operations
from libs.process.status import Role, run_heartbeat
from libs.telemetry import logs, metrics
from libs.telemetry.figures import Shown, of_requests

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a service is given when it starts."""

    database: Database
    channels: Channels
    now: Callable[[], datetime]
    stopping: asyncio.Event
    caller_token: Callable[[], str]  # of the service, for calls that it makes for itself
    conveyor: Conveyor | None = None  # for jobs; who answers does not speak to the broker


@dataclass(frozen=True, slots=True)
class Job:
    """Something that runs as long as the process does. It is started again if it fails."""

    name: str
    run: Callable[[Runtime], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One service: what it answers, hears, waits for and does by itself."""

    name: str
    migrations: Path
    servicers: Callable[[Runtime], Sequence[Servicer]]
    consumers: Sequence[Consumer] = ()
    timers: Sequence[Timer] = ()
    jobs: Sequence[Job] = ()
    # What answers beside gRPC. Made only where requests are answered: nobody else has its files.
    listeners: Callable[[], Sequence[Job]] = tuple
    # Whose methods every service answers alike, beside `Operations` and `Holding`.
    alike: Callable[[Runtime], Sequence[object]] = lambda _runtime: ()
    gauges: Sequence[Read] = ()
    figures: Sequence[Shown] = ()

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The metrics that the operations page shows of it."""
        return (*self.figures, *of_requests(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """Where a process finds its databases and its broker, and where it listens."""

    role: Role
    database_urls: Mapping[str, str]
    system_urls: Mapping[str, str]
    nats_url: str
    stream_replicas: int = 1
    stream_bytes: int = 512 * 1024**2
    conveyor_is_given: bool = False
    targets: Mapping[str, str] = field(default_factory=dict)
    grpc_address: str = ""
    metrics_port: int = 0
    metrics_host: str = "0.0.0.0"  # noqa: S104 a pod's own
    pool_size: int = 8
    crashpoint: str = ""
    service_keys: Path | None = None
    private_keys: Mapping[str, Path] = field(default_factory=dict)
    called_by: Collection[str] | None = None
    tls: Certificates | None = None


class Host:
    """Runs services in this process until it is told to stop.

    `caller_keys` asks for the keys that caller tokens are signed with (a JSON Web Key Set), over the channels given.
    """

    def __init__(
        self,
        apps: Sequence[App],
        settings: HostSettings,
        caller_keys: Callable[[Channels], Awaitable[str]],
        now: Callable[[], datetime] = ids.now,
    ) -> None:
        self._apps = apps
        self._settings = settings
        self._now = now
        self.stopping = asyncio.Event()
        self.channels = Channels(settings.targets, settings.tls)
        self.runtimes: dict[str, Runtime] = {}
        self.guards: list[Guard] = []
        self._holders: set[str] = set()
        self._wakes: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._conveyor: Conveyor | None = None
        self._verifier = CallerVerifier(
            lambda: caller_keys(self.channels), ServiceKeys(settings.service_keys)
        )

    async def start(self) -> None:
        """Open what is needed and start; returns when requests can be answered. Waits for the schema."""
        await self._begin()
        await self._listen()

    async def _begin(self) -> None:
        crashpoints.arm(self._settings.crashpoint)
        for app in self._apps:
            runtime = await self._open(app)
            self.runtimes[app.name] = runtime
            self._guard(app, runtime)
        if self._settings.role.works:
            self._conveyor = await connect(
                self._settings.nats_url,
                "-".join(a.name for a in self._apps),
                replicas=self._settings.stream_replicas,
                max_bytes=self._settings.stream_bytes,
                is_given=self._settings.conveyor_is_given,
            )
            for app in self._apps:
                self._work(app)
        for app in self._apps:
            self._beat(app)
        if self._settings.role.answers:
            await self._warm_up()
            for app in self._apps:
                self._listen_besides(app)

    async def _listen(self) -> None:
        if self._settings.grpc_address and self._settings.role.answers:
            address, tls = self._settings.grpc_address, self._settings.tls
            self._tasks.append(await serve(self.guards, address, self.stopping, tls))
        if self._settings.metrics_port:  # last: whoever can read them knows that the rest is there
            host, port = self._settings.metrics_host, self._settings.metrics_port
            prometheus_client.start_http_server(port, host)

    async def _warm_up(self) -> None:
        """What the first request would have to wait for. If identity does not answer, the first request asks it again."""
        for runtime in self.runtimes.values():
            await runtime.database.connect()
        with contextlib.suppress(Unavailable):
            await self._verifier.fetch()

    async def _open(self, app: App) -> Runtime:
        wake = self._wakes[app.name] = asyncio.Event()
        size = self._settings.pool_size
        people = await open_pool(self._settings.database_urls[app.name], size, app.name)
        system = await open_pool(self._settings.system_urls[app.name], size, f"{app.name}-system")
        for kind, pool in (("people", people), ("system", system)):
            watch_pool(app.name, kind, pool)
        database = Database(people, system, self._now, wake.set)
        while True:
            async with database.session() as connection:
                if await is_at_head(connection, app.migrations):
                    break
            log.info("waiting for the schema", extra={"service": app.name})
            await rest(self.stopping, 1.0)
            if self.stopping.is_set():
                raise asyncio.CancelledError
        return Runtime(
            database=database,
            channels=self.channels,
            now=self._now,
            stopping=self.stopping,
            caller_token=ServiceSigner(app.name, self._settings.private_keys.get(app.name)).token,
        )

    def _guard(self, app: App, runtime: Runtime) -> None:
        own = Operations(app.name, app.consumers, app.shown, runtime.database)
        alike = (own, Holding(runtime.database, self._verifier), *app.alike(runtime))
        let_in = self._settings.called_by
        for servicer in app.servicers(runtime):
            guard = Guard(servicer, runtime.database, self._verifier, alike, let_in)
            self.guards.append(guard)
            self.channels.add_local(guard)
            if APPLY in servicer.contract.methods_by_name:
                self._holders.add(app.name)

    def _work(self, app: App) -> None:
        conveyor = self._conveyor
        if conveyor is None:
            raise RuntimeError("no broker")
        runtime = replace(self.runtimes[app.name], conveyor=conveyor)
        database, wake = runtime.database, self._wakes[app.name]
        self._keep_running(
            f"{app.name}-relay",
            lambda: run_relay(app.name, database, conveyor, wake, self.stopping),
        )
        for consumer in app.consumers:
            self._keep_running(
                consumer.name,
                lambda c=consumer: run_consumer(app.name, c, database, conveyor, self.stopping),  # type: ignore[misc]
            )
        if app.timers:
            self._keep_running(
                f"{app.name}-timers",
                lambda: run_timers(app.timers, database, self.stopping, self._now),
            )
        self._watch(app, database)
        for job in app.jobs:
            self._keep_running(job.name, lambda j=job: j.run(runtime))  # type: ignore[misc]
        if app.name in self._holders:
            self._keep_running(f"{app.name}-lease", lambda: keep_lease(runtime))

    def _listen_besides(self, app: App) -> None:
        runtime = self.runtimes[app.name]
        for job in app.listeners():
            self._keep_running(job.name, lambda j=job: j.run(runtime))  # type: ignore[misc]

    def _watch(self, app: App, database: Database) -> None:
        watched = Watched(
            service=app.name,
            consumers=[consumer.name for consumer in app.consumers],
            is_holder=app.name in self._holders,
        )
        reads = (watched.read, *app.gauges)
        self._keep_running(f"{app.name}-gauges", lambda: run_gauges(reads, database, self.stopping))

    def _beat(self, app: App) -> None:
        database = self.runtimes[app.name].database
        self._keep_running(
            f"{app.name}-heartbeat",
            lambda: run_heartbeat(
                self._settings.role,
                app.consumers,
                app.shown,
                database,
                self._conveyor,
                self.stopping,
            ),
        )
        self._keep_running(
            f"{app.name}-deactivated",
            lambda: refuse_deactivated(database, self._verifier, self.stopping),
        )

    def wait_for(self, task: asyncio.Task[None]) -> None:
        """Have this end, too, before channels and databases are closed."""
        self._tasks.append(task)

    def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._again_and_again(name, run), name=name))

    async def _again_and_again(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                await run()
            except Exception:
                failures = one_more(failures, began)
                metrics.BEGUN_ANEW.labels(name).inc()
                pause = backoff(failures, first=0.2, most=10.0)
                log.exception("it failed and starts again", extra={"job": name, "seconds": pause})
                await rest(self.stopping, pause)
            else:
                return

    async def run(self) -> None:
        """Start, and end gracefully once `stopping` is set."""
        await self._begin()
        _spare_the_collector()
        await self._listen()
        await self.stopping.wait()
        await self.stop()

    async def stop(self, grace: float = 25.0) -> None:
        """Not ready, stop pulling, finish what is in work, close: also what is left when one cannot be closed."""
        self.stopping.set()
        async with contextlib.AsyncExitStack() as closing:
            for runtime in self.runtimes.values():
                closing.push_async_callback(runtime.database.close)
            closing.push_async_callback(self.channels.close)
            if self._conveyor is not None:
                closing.push_async_callback(self._conveyor.close)
            await self._finish(grace)

    async def _finish(self, grace: float) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _spare_the_collector() -> None:
    """What is there by now stays. Searched for garbage again and again, it held everything up for 0.4 s each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)


def start_telemetry(service: str, env: Mapping[str, str]) -> None:
    """Logs, and traces if the environment says where to."""
    logs.start(
        service,
        otlp_endpoint=env.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        sampling=float(env.get("CAREHUB_TRACE_SAMPLING", "1.0")),
        level=env.get("CAREHUB_LOG_LEVEL", "INFO"),
    )
