"""Servers and hubs for every test that asks for them; unit tests pay nothing for them."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.watch.tally import TALLY

if TYPE_CHECKING:
    from libs.testing.hub import Hub
    from libs.testing.servers import Servers

# Before anybody imports gRPC: a server of it in this process, such as the collector of traces, would wake in the child while
# an engine is forked, and the child dies of it.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
# How fast something is, `make bench` says; no test fails for a machine that others use, too.
settings.register_profile("carehub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("carehub")


@pytest.fixture(scope="session")
async def servers() -> "AsyncIterator[Servers]":
    from libs.testing.servers import running_servers
    from tests.watch.watch import Watch

    async with running_servers() as running:
        watch = Watch(running)
        with watch.watching():
            yield running
        await watch.look()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not TALLY.is_good:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.read:
        terminalreporter.section("over the whole run: " + ("good" if TALLY.is_good else "NOT GOOD"))
        for line in TALLY.lines():
            terminalreporter.line(line)


@pytest.fixture
def hub(servers: "Servers") -> "Callable[..., AbstractAsyncContextManager[Hub]]":
    """`async with hub("tasking") as h:` runs services on fresh databases."""
    from libs.testing.hub import running_hub

    return lambda *services, **options: running_hub(servers, services, **options)
