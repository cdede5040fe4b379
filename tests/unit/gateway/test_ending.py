"""A gateway that is told to end, on the network: who is connected has an answer, and is told to dial anew."""

import asyncio

import httpx
import pytest

from gateway.api.serve import serve
from libs.chassis.channels import Channels
from libs.local.process import free_port


@pytest.fixture
async def served():
    port, stopping = free_port(), asyncio.Event()
    env = {
        "GATEWAY_PORT": str(port),
        "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "GATEWAY_ISSUER": "http://127.0.0.1:1/realms/none",
        "GATEWAY_CLIENT_SECRET": "none",
    }
    serving = asyncio.create_task(serve(Channels(), env, stopping))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(200):
            try:
                await client.get("/healthz")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
        yield client, stopping, serving
    stopping.set()
    await serving


async def test_a_connection_that_is_there_is_answered_and_closed_with_its_answer(served):
    client, stopping, serving = served
    assert "connection" not in (await client.get("/healthz")).headers
    stopping.set()
    await asyncio.sleep(0)
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    async with asyncio.timeout(10):  # nobody is connected any more: it waits for none
        await serving


async def test_it_is_not_ready_from_then_on(served):
    client, stopping, _ = served
    stopping.set()
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "it ends\n")
