"""Servers and hubs for every test that asks for them; unit tests pay nothing for them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from libs.testing.hub import Hub
    from libs.testing.servers import Servers


@pytest.fixture(scope="session")
async def servers() -> "AsyncIterator[Servers]":
    from libs.testing.servers import running_servers

    async with running_servers() as running:
        yield running


@pytest.fixture
def hub(servers: "Servers") -> "Callable[..., AbstractAsyncContextManager[Hub]]":
    """`async with hub("tasking") as h:` runs services on fresh databases."""
    from libs.testing.hub import running_hub

    return lambda *services, **options: running_hub(servers, services, **options)
