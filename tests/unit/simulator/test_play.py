"""Messages reach a hub that refuses, hangs up or is away; each until it is taken."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice

import orjson
import pytest

from libs.local.send import read_messages
from libs.simulator import link
from libs.simulator.demo import _Memory
from libs.simulator.link import Address
from libs.simulator.noise import Fate, Feeds, Noise
from libs.simulator.people import Region
from libs.simulator.play import Player, write
from libs.simulator.truth import Truth
from libs.simulator.visits import Life

START = datetime(2026, 11, 16, 6, tzinfo=UTC)
REGION = Region.build("play", 200)


def messages(count=60, noise=None):
    return Feeds(Life(REGION, START), REGION.seed, noise).messages(count)


class Hub:
    """A listener that answers as it is told, and remembers what it took."""

    def __init__(self):
        self.taken = Counter()
        self.frames = 0
        # What to do with frames by their number: a code, or None to hang up.
        self.moods = {}
        self._server = None

    @asynccontextmanager
    async def listening(self):
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        async with self._server:
            yield Address(host=host, port=port)

    async def _talk(self, reader, writer):
        try:
            while True:
                frame = (await reader.readuntil(b"\x1c\r"))[1:-2]
                self.frames += 1
                code = self.moods.get(self.frames, "AA")
                if code is None:
                    return
                control_id = frame.split(b"|")[9].decode()
                if not control_id:
                    code = "AE"
                if code == "AA":
                    self.taken[control_id] += 1
                writer.write(
                    f"\x0bMSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|{code}|{control_id}\r\x1c\r".encode()
                )
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


async def play(hub, stream, **options):
    async with hub.listening() as address:
        player = Player(address=address, say=lambda _line: None, **({"waits": False} | options))
        async with asyncio.timeout(60):
            await player.play(stream, asyncio.Event())
    return player


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(link, "_SHORTEST_WAIT", 0.001)
    monkeypatch.setattr(link, "_LONGEST_WAIT", 0.01)


async def test_everything_is_sent_and_acknowledged():
    hub, stream = Hub(), list(messages())
    player = await play(hub, iter(stream))
    assert player.sent == len(stream)
    wanted = Counter(m.control_id for m in stream if m.fate is not Fate.REFUSED)
    assert hub.taken == wanted
    assert sum(sum(each.values()) for each in player.truth.fates.values()) == len(stream)


async def test_what_is_turned_away_or_lost_with_the_connection_is_sent_again():
    hub, stream = Hub(), list(messages())
    hub.moods = {3: "AR", 5: None, 9: "AR", 10: "AR", 20: None, 21: None}
    player = await play(hub, iter(stream))
    assert hub.taken.keys() == {m.control_id for m in stream if m.fate is not Fate.REFUSED}
    assert player.sent == len(stream)
    assert sum(tally.lost_connections for tally in player.tallies.values()) >= 3


async def test_what_is_refused_for_good_does_not_hold_up_the_others():
    hub, stream = Hub(), list(messages(200, noise=Noise(broken=0.2)))
    player = await play(hub, iter(stream))
    refused = sum(m.fate is Fate.REFUSED for m in stream)
    assert refused
    assert sum(tally.refused for tally in player.tallies.values()) == refused


async def test_a_hub_that_is_away_is_waited_for_and_stopping_does_not_wait():
    stopping = asyncio.Event()
    player = Player(address=Address(host="127.0.0.1", port=9), say=lambda _line: None, waits=False)
    asyncio.get_running_loop().call_later(0.2, stopping.set)
    async with asyncio.timeout(30):
        await player.play(messages(), stopping)
    assert player.sent == 0
    assert player.sent_until < START + timedelta(days=2)


async def test_a_message_waits_for_its_time():
    now = datetime.now(UTC)
    late = next(i for i, m in enumerate(messages()) if i == 30)
    stream = list(islice(messages(), 31))
    offset = now + timedelta(seconds=0.5) - stream[30].sent_at
    hub = Hub()
    player = await play(hub, iter(stream), waits=True, now=lambda: datetime.now(UTC) - offset)
    assert player.sent == 31
    assert datetime.now(UTC) - now >= timedelta(seconds=0.4), late


async def test_a_second_run_skips_what_the_first_one_sent():
    hub, stream = Hub(), list(messages())
    await play(hub, iter(stream), skip_until=stream[40].sent_at)
    assert sum(hub.taken.values()) <= len(stream) - 41


async def test_files_hold_every_message_and_the_truth_beside(tmp_path):
    stream = list(messages(noise=Noise(broken=0.1)))
    assert write(iter(stream), tmp_path, Truth()) == len(stream)
    assert sorted(await read_messages(tmp_path / "feeds")) == sorted(m.raw for m in stream)
    lines = [orjson.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    assert {line["kind"] for line in lines} == {"patient", "encounter", "transition", "feed"}


def test_the_demo_remembers_where_it_was(tmp_path):
    path = tmp_path / "deep" / "memory.json"
    assert _Memory.read(path) is None
    begun = _Memory.begin(START)
    begun.write(path)
    assert _Memory.read(path) == begun
    woken = begun.wake(START + timedelta(hours=9))
    assert [spell.speed for spell in woken.spells] == [20, 1, 20]
    assert woken.start == begun.start
    path.write_text("{")
    assert _Memory.read(path) is None
