"""A process whose services were given no ledger does not start: nobody forgets it and goes on."""

import asyncio

import pytest

from libs.chassis.contracts import ContractError
from libs.ledger.keeping import with_ledger
from libs.process.app import Host, HostSettings
from libs.process.status import Role
from libs.testing.hub import caller_keys
from services.identity.app import build


@pytest.fixture
async def app(servers, tmp_path):
    keys = str(tmp_path / "keys.json")
    app = build(
        {
            "IDENTITY_ISSUER": "http://127.0.0.1:9/realms/carehub",
            "IDENTITY_SIGNING_KEYS": keys,
            "IDENTITY_CREATE_KEYS": "1",
        }
    )
    await servers.prepare(app.name, app.migrations)
    return app


def host_of(servers, app, role):
    settings = HostSettings(
        role=role,
        database_urls={app.name: servers.url(app.name, "")},
        system_urls={app.name: servers.url(app.name, "system")},
        nats_url=servers.nats.url,
        stream_bytes=16 * 1024**2,
    )
    return Host([app], settings, caller_keys)


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize("role", Role)
async def test_without_a_ledger_it_does_not_start(servers, app, role):
    host = host_of(servers, app, role)
    try:
        with pytest.raises(ContractError, match="ListAudit"):
            await host.start()
    finally:
        await host.stop(grace=5.0)


@pytest.mark.parametrize("role", Role)
async def test_the_ledger_is_sealed_where_the_service_works(servers, app, role):
    host = host_of(servers, with_ledger(app), role)
    try:
        await host.start()
        kept = {"identity-sealer", "identity-audit-heads"}
        assert kept & tasks() == (set() if role is Role.SERVE else kept)
    finally:
        await host.stop(grace=5.0)
