"""A server that ends, and the next one at its place: who writes all the while loses nothing, and knows when nobody comes."""

import asyncio
import time

import pytest
from carehub.identity.v1 import identity_service_pb2 as identity
from carehub.identity.v1 import organization_pb2

from libs.chassis.channels import Channels
from libs.chassis.server import serve
from libs.chassis.wire import CallFailed
from libs.local.process import free_port
from libs.testing.hub import caller_token

CREATE = identity.DESCRIPTOR.services_by_name["IdentityService"].methods_by_name[
    "CreateOrganization"
]
WRITER = {"permissions": ["organizations.write", "organizations.read"], "roles": ["network_admin"]}


def _new(name):
    kind = organization_pb2.Organization.KIND_PROVIDER
    return identity.CreateOrganizationRequest(
        organization=organization_pb2.Organization(name=name, kind=kind)
    )


async def test_a_server_replaced_again_and_again_fails_no_change(hub):
    """Changes are not tried twice: each was sent to one who answered it."""
    async with hub("identity") as running:
        address, made, over = f"127.0.0.1:{free_port()}", [], asyncio.Event()
        channels = Channels({"identity": address})

        async def change(who):
            number = 0
            while not over.is_set():
                number += 1
                token = caller_token(**WRITER)
                name = f"Replaced {who} {number}"
                made.append(await channels.call(CREATE, _new(name), caller_token=token, timeout=30))

        stopping = asyncio.Event()
        server = await serve(running.host.guards, address, stopping)
        async with asyncio.TaskGroup() as busy:
            for who in range(4):
                busy.create_task(change(who))
            for turn in range(5):
                while len(made) < 20 * (turn + 1):
                    await asyncio.sleep(0.01)
                stopping.set()
                await server
                stopping = asyncio.Event()
                server = await serve(running.host.guards, address, stopping)
            over.set()
        assert len({one.id for one in made}) == len(made)
        await channels.close()
        stopping.set()
        await server


async def test_where_nobody_comes_a_call_says_so_soon(hub):
    channels = Channels({"identity": f"127.0.0.1:{free_port()}"})
    began = time.monotonic()
    with pytest.raises(CallFailed) as failed:
        await channels.call(CREATE, _new("Nobody"), timeout=60)
    assert failed.value.code == "UNAVAILABLE"
    assert time.monotonic() - began < 20, "not only when its time is up"
    await channels.close()
