"""The embedded NATS server: it keeps streams over crashes and is adopted, never doubled."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from nats.js.api import StreamConfig

from libs.local.nats import RunningNats, start_nats
from libs.local.process import is_alive

START_AND_WAIT = """
import asyncio, sys
from pathlib import Path
from libs.local.nats import start_nats

async def main():
    server = await start_nats(Path(sys.argv[1]), say=lambda text: None)
    print(server.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""

Start = Callable[..., "asyncio.Future[RunningNats]"]


@pytest_asyncio.fixture
async def start(home: Path, said: list[str]) -> AsyncIterator[Start]:
    servers: list[RunningNats] = []

    async def start_it(port: int = 0) -> RunningNats:
        servers.append(await start_nats(home, port=port, say=said.append))
        return servers[-1]

    yield start_it
    for server in servers:
        await server.stop()


async def test_a_stream_survives_a_crash_and_the_url_stays(start: Start) -> None:
    first = await start()
    client = await nats.connect(first.url)
    stream = client.jetstream()
    await stream.add_stream(StreamConfig(name="kept", subjects=["kept.>"]))
    await stream.publish("kept.one", b"a message")
    # The server syncs once a second, and what it has not synced it may lose.
    await asyncio.sleep(1.5)
    first.kill()
    await client.close()
    assert not is_alive(first.pid)

    second = await start()
    assert second.url == first.url
    client = await nats.connect(second.url)
    info = await client.jetstream().stream_info("kept")
    assert info.state.messages == 1
    await client.close()


async def test_strangers_are_refused_and_the_configuration_is_private(
    start: Start, home: Path
) -> None:
    server = await start()
    assert (home / "nats" / "nats.conf").stat().st_mode & 0o777 == 0o600
    stranger = server.url.replace("carehub:", "carehub:not")
    with pytest.raises(nats.errors.Error):
        await nats.connect(stranger, allow_reconnect=False, max_reconnect_attempts=0)


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
    await (await nats.connect(server.url)).close()
    await server.stop()
    assert not is_alive(left)


async def test_a_server_left_behind_on_another_port_is_restarted(start: Start) -> None:
    before = await start()
    after = await start(port=int(before.monitor_url.rpartition(":")[2]) ^ 1)
    assert not is_alive(before.pid)
    assert after.url != before.url
    await (await nats.connect(after.url)).close()
