"""The embedded PostgreSQL: it keeps data over crashes and is adopted, never doubled."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from libs.local import postgres
from libs.local.postgres import RunningPostgres, start_postgres
from libs.local.process import is_alive

START_AND_WAIT = """
import asyncio, sys
from pathlib import Path
from libs.local.postgres import start_postgres

async def main():
    server = await start_postgres(Path(sys.argv[1]), say=lambda text: None)
    print(server.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""

Start = Callable[..., "asyncio.Future[RunningPostgres]"]


@pytest_asyncio.fixture
async def start(home: Path, said: list[str]) -> AsyncIterator[Start]:
    """Start the server of this test's home; whatever still runs at the end is stopped."""
    servers: list[RunningPostgres] = []

    async def start_it(**settings: Any) -> RunningPostgres:
        servers.append(await start_postgres(home, say=said.append, **settings))
        return servers[-1]

    yield start_it
    for server in servers:
        await server.stop()


async def ask(server: RunningPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_committed_rows_survive_a_crash_and_the_url_stays(start: Start) -> None:
    first = await start()
    await ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.kill()
    assert not is_alive(first.pid)

    second = await start()
    assert second.url == first.url
    assert second.pid != first.pid
    assert await ask(second, "SELECT answer FROM kept") == 42


async def test_the_server_is_private_and_durable(start: Start, home: Path) -> None:
    server = await start(settings={"work_mem": "8MB"})
    shown = {
        name: await ask(server, f"SHOW {name}")
        for name in ("listen_addresses", "unix_socket_directories", "fsync", "max_connections")
    }
    assert shown == {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "on",
        "max_connections": "400",
    }
    assert await ask(server, "SHOW synchronous_commit") == "on"
    assert await ask(server, "SHOW shared_buffers") == "256MB"
    assert await ask(server, "SHOW work_mem") == "8MB"
    assert await ask(server, "SELECT datlocprovider FROM pg_database LIMIT 1") == b"b"
    assert (home / "secrets" / "postgres").stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url, password="another")


async def test_a_server_left_behind_is_adopted_and_stopped(start: Start, home: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START_AND_WAIT, str(home), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout
    left = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.wait()

    server = await start()
    assert server.pid == left
    assert await ask(server, "SELECT 1") == 1
    await server.stop()
    assert not is_alive(left)


async def test_a_server_left_behind_with_other_settings_is_restarted(start: Start) -> None:
    before = await start()
    after = await start(settings={"work_mem": "5MB"})
    assert not is_alive(before.pid)
    assert await ask(after, "SHOW work_mem") == "5MB"


async def test_a_taken_port_is_exchanged_for_another(start: Start) -> None:
    first = await start()
    port = int(first.url.rpartition(":")[2].partition("/")[0])
    await first.stop()
    other = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port)
    async with other:
        second = await start()
        assert second.url != first.url
        assert await ask(second, "SELECT 1") == 1


async def test_ctrl_c_in_the_terminal_does_not_reach_it(start: Start) -> None:
    server = await start()
    assert os.getsid(server.pid) != os.getsid(0)


async def test_errors_in_the_log_quote_no_rows(start: Start, home: Path) -> None:
    server = await start()
    await ask(server, "CREATE TABLE people (name text PRIMARY KEY)")
    await ask(server, "INSERT INTO people VALUES ('Marisol')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(server, "INSERT INTO people VALUES ('Marisol')")
    log = (home / "logs" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "Marisol" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: only root runs PostgreSQL as another user")
async def test_root_keeps_data_and_binaries_where_the_other_user_can_reach_them(
    start: Start, home: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = home.with_name(f"{home.name}-system")
    elsewhere.mkdir(mode=0o755)
    monkeypatch.setattr(postgres, "SYSTEM_FOLDER", elsewhere)
    may_execute = postgres._may_execute
    monkeypatch.setattr(
        postgres,
        "_may_execute",
        lambda path, user: (
            elsewhere in path.parents
            or ("site-packages" not in path.parts and may_execute(path, user))
        ),
    )
    os.chmod(home, 0o700)  # noqa: PTH101
    try:
        server = await start()
        assert server.data.is_relative_to(elsewhere)
        assert await ask(server, "SELECT 1") == 1
        assert any("cannot enter" in line for line in said)
        assert any("copying" in line for line in said)
        server.kill()
        assert (await start()).data == server.data
        await (await start()).stop()
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)
