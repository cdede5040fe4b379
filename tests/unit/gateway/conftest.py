"""A gateway around services that live in this test."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.api.app import GatewaySettings, build
from tests.unit.gateway.doubles import IMAGE, ISSUER, PUBLIC_URL, Neighbors


@pytest.fixture
def neighbors() -> Neighbors:
    return Neighbors()


@pytest.fixture
def gateway_settings() -> GatewaySettings:
    return GatewaySettings(
        public_url=PUBLIC_URL,
        issuer=ISSUER,
        client_secret="not-a-secret-in-tests",
        web=Path("/none"),
    )


@pytest.fixture
async def api(
    neighbors: Neighbors, gateway_settings: GatewaySettings
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway, signed in as a nurse by bearer token."""
    app = build(neighbors, gateway_settings, IMAGE)
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(
        transport=transport, base_url=PUBLIC_URL, headers={"Authorization": "Bearer good"}
    ) as client:
        yield client
