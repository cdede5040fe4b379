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
    """The metrics of every process."""
    out = [(name, told) for name, told in await scrapes(region) if told is not None]
    assert len(out) == (len(SERVICES) + 1 if region.settings.split else 2)
    return out


async def scrapes(region: Region) -> list[tuple[str, bytes | None]]:
    """The same, from the ports that the home remembers; None of a process that does not answer."""
    return [
        (file.name, await _scrape(file.read_text().strip()))
        for file in sorted((region.machine.home / "ports").glob("metrics-*"))
    ]


async def _scrape(port: str) -> bytes | None:
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/metrics")
    except httpx.HTTPError:
        return None
    assert answer.status_code == 200
    return answer.content


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
