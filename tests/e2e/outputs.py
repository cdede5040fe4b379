"""What comes out of a hub that runs: its logs, its metrics, its mail, and what the broker's administrator sees."""

import httpx
import nats
from nats.js.api import AckPolicy, ConsumerConfig

from libs.local.letters import kept_letters
from services.__main__ import SERVICES
from tests.e2e.region import Region


def logs(region: Region) -> list[tuple[str, bytes]]:
    """The logs of every process, and what `up` said."""
    files = sorted((region.machine.home / "logs").iterdir())
    assert {"postgres.log", "nats.log"} < {file.name for file in files}
    said = "\n".join(region.said).encode()
    return [*((file.name, file.read_bytes()) for file in files), ("up", said)]


async def metrics(region: Region) -> list[tuple[str, bytes]]:
    """The metrics of every process, from the ports that the home remembers."""
    out = []
    async with httpx.AsyncClient(timeout=10) as client:
        for file in sorted((region.machine.home / "ports").glob("metrics-*")):
            answer = await client.get(f"http://127.0.0.1:{file.read_text().strip()}/metrics")
            assert answer.status_code == 200
            out.append((file.name, answer.content))
    assert len(out) == (len(SERVICES) + 1 if region.settings.split else 2)
    return out


def letters(region: Region) -> list[tuple[str, bytes]]:
    return [(file.name, content) for file, content in kept_letters(region.machine.home)]


async def subjects_and_headers(region: Region) -> list[tuple[str, str]]:
    """Subject and headers of every message on every stream, without its payload."""
    client = await nats.connect(region.machine.nats_url)
    try:
        js = client.jetstream()
        seen: list[tuple[str, str]] = []
        for stream in await js.streams_info():
            name = str(stream.config.name)
            config = ConsumerConfig(headers_only=True, ack_policy=AckPolicy.NONE)
            pull = await js.pull_subscribe("", stream=name, config=config)
            missing = stream.state.messages
            while missing > 0:
                for each in await pull.fetch(min(missing, 500), timeout=10):
                    assert not each.data
                    seen.append((f"stream {name}", f"{each.subject} {each.headers}"))
                    missing -= 1
            seen.append((f"configuration of {name}", str(stream.config)))
        return seen
    finally:
        await client.close()
