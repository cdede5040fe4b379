"""`carehub audit verify`, against real ledgers: its sentences and its exit codes."""

from uuid import uuid4

import asyncpg
import pytest
from carehub.audit.v1 import audit_pb2
from carehub.interop.v1 import interop_service_pb2
from sqlalchemy import func, select

from libs.chassis.database import param, sql
from libs.ledger import heads
from libs.ledger.heads import new_key
from libs.local.verify import TAMPERED, UNKNOWN, WHOLE, run
from libs.testing.hub import caller_token

SERVICES = ("identity", "interop")
KEPT = sql(
    select(func.max(heads.audit_heads.c.sequence)).where(
        heads.audit_heads.c.service == param("service")
    )
)
CONTRACT = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]


@pytest.fixture
def env(servers, tmp_path):
    key = tmp_path / "key.pem"
    key.write_text(new_key())
    urls = {f"{s.upper()}_SYSTEM_DATABASE_URL": servers.url(s, "system") for s in SERVICES}
    kept = {"CAREHUB_AUDIT_KEY": str(key), "CAREHUB_AUDIT_HEADS": str(tmp_path / "heads")}
    return urls | kept


async def verified(env, *services):
    lines = []
    code = await run(services or SERVICES, SERVICES, env, lines.append)
    return code, "\n".join(lines)


async def test_whole_then_tampered_then_not_to_be_known(hub, env, servers, monkeypatch):
    monkeypatch.setattr("libs.ledger.sealing.SEAL_EVERY", 0.05)
    monkeypatch.setattr("libs.ledger.sealing.HEAD_EVERY", 0.05)
    token = caller_token(permissions=["audit.read"], facilities=[uuid4()])
    async with hub(*SERVICES, env=env) as h:
        for _ in range(3):
            request = audit_pb2.ListAuditRequest()
            await h.call(CONTRACT, "ListAudit", request, audit_pb2.ListAuditResponse, token=token)

        async def kept() -> bool:
            async with h.system("identity") as tx:
                return await tx.one(KEPT, service="interop") == 3

        await h.until(kept, what="the head of the last row, kept by the neighbor")
    # Ended gracefully: everything is sealed and signed.
    code, told = await verified(env)
    assert code == WHOLE, told
    assert "interop: whole; 3 rows" in told
    assert "its own table, the database of identity, the files of heads" in told

    connection = await asyncpg.connect(servers.admin_url("interop"))
    try:
        await connection.execute(
            "SET session_replication_role = replica; UPDATE audit SET subject = NULL;"
            "DELETE FROM audit_chain WHERE sequence = 3; DELETE FROM audit_heads"
        )
    finally:
        await connection.close()
    code, told = await verified(env)
    assert code == TAMPERED
    assert "EDITED: the row says something else than when it was sealed" in told
    assert "CUT: the end of the chain was cut off" in told
    assert "according to the database of identity" in told
    assert "tell the privacy officer" in told
    assert "identity: whole" in told
    assert (await verified(env, "identity"))[0] == WHOLE

    away = env | {"IDENTITY_SYSTEM_DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/identity"}
    code, told = await verified(away, "identity")
    assert code == UNKNOWN
    assert "identity: its database does not answer" in told
    keyless = {name: text for name, text in env.items() if name != "CAREHUB_AUDIT_KEY"}
    code, told = await verified(keyless)
    assert code == UNKNOWN
    assert "CAREHUB_AUDIT_KEY" in told
