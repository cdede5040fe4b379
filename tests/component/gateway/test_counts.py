"""The counts of a menu over REST: every one of them is there, also when it is nothing."""

from pathlib import Path
from uuid import UUID

import httpx

from gateway.api.app import GatewaySettings, build
from libs.testing.hub import caller_token
from tests.component.gateway.exchanging import Exchanging

URL = "http://127.0.0.1:8080"


async def test_counts_come_as_json(hub):
    async with hub("tasking") as h:
        settings = GatewaySettings(
            public_url=URL, issuer=f"{URL}/realms/carehub", client_secret="not-a-secret-here"
        )
        here = [UUID(int=1)]
        tokens = Exchanging(
            h.channels,
            nurse=caller_token(permissions=["tasks.read"], facilities=here),
            clerk=caller_token(permissions=["patients.read"], facilities=here),
        )
        app = build(tokens, settings, Path("libs/contracts/contracts.binpb").read_bytes())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            told = await client.get("/v1/tasks:count", headers={"Authorization": "Bearer nurse"})
            assert told.status_code == 200, told.text
            nothing = {"open": 0, "late": 0}
            scopes = ("mine", "myTeams", "unclaimed", "all")
            assert told.json() == dict.fromkeys(scopes, nothing)
            told = await client.get("/v1/tasks:count", headers={"Authorization": "Bearer clerk"})
            assert told.status_code == 403
