"""A real broker with the users that `carehub nats permissions` prints: what they refuse, and that nothing needed is missing."""

import asyncio
import importlib
from uuid import uuid4

import nats
import pytest
from carehub.identity.v1 import identity_events_pb2
from nats.aio.client import Client
from sqlalchemy import select

from gateway.api.live import EVENTS
from libs.chassis import audit
from libs.chassis.access import heartbeat
from libs.chassis.caller import Call
from libs.chassis.database import sql
from libs.conveyor.listen import listen
from libs.conveyor.streams import connect, ensure_stream, inbox_of, make_room
from libs.ledger.heads import audit_heads, new_key
from libs.ledger.keeping import with_ledger
from libs.local import nats as local_nats
from libs.local.broker import configuration, listening, set_up_at, users_of
from libs.local.environment import SERVICES
from libs.local.process import Child, free_port, spawn, wait_until_ready
from libs.process.app import Host, HostSettings
from libs.process.status import Role
from libs.testing.hub import caller_keys

ACCESS = identity_events_pb2.AccessChanged.DESCRIPTOR.full_name
BEATS = sql(select(heartbeat.c.position))
WITNESSED = sql(select(audit_heads.c.service).distinct())


def apps(home):
    env = {
        "IDENTITY_ISSUER": "http://127.0.0.1:9/realms/carehub",
        "IDENTITY_SIGNING_KEYS": str(home / "caller-keys.json"),
        "IDENTITY_CREATE_KEYS": "1",
        "INTEROP_MLLP_PORT": "0",
    }
    return {s: importlib.import_module(f"services.{s}.app").build(env) for s in SERVICES}


class Broker:
    def __init__(self, child: Child, log, port: int) -> None:
        self.child, self.log, self.port = child, log, port

    def url(self, user: str) -> str:
        return f"nats://{user}:of-{user}@127.0.0.1:{self.port}"

    def refused(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if "Violation" in line]


@pytest.fixture
async def broker(tmp_path):
    told = apps(tmp_path)
    users = users_of(told.values(), {"gateway": EVENTS})
    port, log = free_port(), tmp_path / "broker.log"
    while (monitor := free_port()) == port:
        pass
    (tmp_path / "nats.conf").write_text(
        f'host: "127.0.0.1"\nport: {port}\nhttp: "127.0.0.1:{monitor}"\nlog_file: "{log}"\n'
        f'jetstream {{ store_dir: "{tmp_path / "store"}" }}\n{users}'
    )
    env = {f"{name.upper()}_NATS_PASSWORD": f"of-{name}" for name in (*told, "gateway", "admin")}
    argv = [local_nats._binary(), "-c", str(tmp_path / "nats.conf")]
    child = spawn("nats", argv, home=tmp_path, env=env)
    await wait_until_ready(child, lambda: local_nats.is_healthy(monitor))
    yield Broker(child, log, port)
    await child.stop()


async def client_of(broker, user):
    refused = asyncio.Queue()

    async def failed(error):
        refused.put_nowait(str(error))

    client: Client = await nats.connect(
        broker.url(user), inbox_prefix=inbox_of(user), error_cb=failed, allow_reconnect=False
    )
    return client, refused


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("registry", ACCESS),
        ("interop", ACCESS),
        ("gateway", ACCESS),
        ("registry", "$JS.API.STREAM.PURGE.identity"),
        ("registry", "$JS.API.STREAM.DELETE.identity"),
        ("registry", "$JS.API.STREAM.UPDATE.identity"),
        ("registry", "$JS.API.CONSUMER.MSG.NEXT.identity.tasking-access"),
        ("registry", "$JS.API.CONSUMER.DELETE.identity.tasking-access"),
        # By how these are made the broker would publish for them: `republish`, `deliver_subject`.
        ("registry", "$JS.API.STREAM.CREATE.registry"),
        ("registry", "$JS.API.STREAM.UPDATE.registry"),
        ("registry", "$JS.API.CONSUMER.CREATE.audit.registry-audit-heads"),
    ],
    ids=str,
)
async def test_a_service_says_nothing_in_the_name_of_another(broker, user, subject):
    owner, _ = await client_of(broker, "admin")
    await owner.jetstream().add_stream(name="identity", subjects=["carehub.identity.v1.>"])
    client, refused = await client_of(broker, user)
    await client.publish(subject, b"")
    await client.flush()
    assert "permissions violation" in (await asyncio.wait_for(refused.get(), 30)).lower()
    assert (await owner.jetstream().stream_info("identity")).state.messages == 0
    await client.close()
    await owner.close()


@pytest.mark.parametrize("subject", [f"{inbox_of('identity')}.>", "carehub.>", ">"])
async def test_a_service_overhears_no_other(broker, subject):
    client, refused = await client_of(broker, "registry")
    await client.subscribe(subject)
    await client.flush()
    assert "permissions violation" in (await asyncio.wait_for(refused.get(), 30)).lower()
    await client.close()


@pytest.mark.timeout(600)
async def test_everybody_can_do_what_they_have_to(broker, servers, tmp_path, monkeypatch):
    """Streams, relays, consumers and heads of all services, each as its own user: nothing of it is refused."""
    monkeypatch.setattr("libs.ledger.sealing.HEAD_EVERY", 0.5)
    key = tmp_path / "audit.pem"
    key.write_text(new_key())
    admin = HostSettings(
        role=Role.WORK,
        database_urls={},
        system_urls={},
        nats_url=broker.url("admin"),
        stream_bytes=16 * 1024**2,
    )
    said = []
    await set_up_at(admin, apps(tmp_path).values(), said.append)
    assert {*SERVICES, "identity.tasking-access", "audit.registry-audit-heads"} <= set(said)
    hosts = {}
    for name, app in apps(tmp_path).items():
        await servers.prepare(name, app.migrations)
        settings = HostSettings(
            role=Role.ALL,
            database_urls={name: servers.url(name, "")},
            system_urls={name: servers.url(name, "system")},
            nats_url=broker.url(name),
            conveyor_is_given=True,
        )
        hosts[name] = Host([with_ledger(app, key)], settings, caller_keys)
        await hosts[name].start()
    heard = listen(broker.url("gateway"), "gateway", EVENTS)
    try:
        assert await anext(heard) is None
        for holder in ("analytics", "careplans", "registry", "tasking"):
            await until(hosts[holder], holder, BEATS)
        for name, host in hosts.items():
            async with host.runtimes[name].database.system() as tx:
                audit.record(tx, Call(method="a test", request_id="1", deadline=0.0), "")
        for name, host in hosts.items():
            await until(host, name, WITNESSED, len(SERVICES))
            conveyor = await connect(broker.url(name), name, is_given=True)
            await ensure_stream(conveyor, name)
            await make_room(conveyor, name)
            await conveyor.close()
        assert broker.refused() == []
    finally:
        await heard.aclose()
        await asyncio.gather(*(host.stop(grace=5.0) for host in hosts.values()))


async def until(host, name, statement, count=1):
    async with asyncio.timeout(60):
        while True:
            async with host.runtimes[name].database.system() as tx:
                if len(await tx.fetch(statement)) >= count:
                    return
            await asyncio.sleep(0.05)


def test_who_may_say_nothing_is_not_allowed_everything():
    assert 'deny: [\n          ">"' in configuration({str(uuid4()): listening("gateway", EVENTS)})
