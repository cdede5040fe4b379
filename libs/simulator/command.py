"""`carehub simulate`: a region's feeds into a hub, or into files."""

import argparse
import asyncio
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from libs.simulator.clock import Clock, Spell
from libs.simulator.link import Address
from libs.simulator.noise import QUIET, Feeds, Noise
from libs.simulator.people import Region
from libs.simulator.places import DEMO_FEEDS, SITES
from libs.simulator.play import Player, Say, write
from libs.simulator.visits import Life

# Faster than this the steps of one visit would fall into one second.
_FASTEST = 240.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=5000, help="how many live in the region")
    parser.add_argument("--seed", default="1", help="the same seed gives the same region")
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument(
        "--speed", type=float, default=1.0, help="60: an hour of the region's life in a minute"
    )
    speed.add_argument("--fast", action="store_true", help="as fast as the hub acknowledges")
    parser.add_argument("--count", type=int, help="stop after so many events (repeats come on top)")
    parser.add_argument("--days", type=float, default=4.0, help="begin so many days ago")
    parser.add_argument("--intensity", type=float, default=1.0, help="times as many arrivals")
    parser.add_argument(
        "--feeds", default=",".join(DEMO_FEEDS), help=f"of {', '.join(s.key for s in SITES)}"
    )
    parser.add_argument("--clean", action="store_true", help="without the noise of real feeds")
    parser.add_argument("--out", type=Path, help="write files to this folder instead of sending")
    parser.add_argument(
        "--truth", type=Path, help="write what must be true afterwards to this file"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2575)


async def run(arguments: argparse.Namespace, say: Say) -> int:
    """0 if everything was acknowledged or refused as it should be."""
    if not 0 < arguments.speed <= _FASTEST:
        raise RuntimeError(f"--speed must be more than 0 and at most {_FASTEST:.0f}")
    region = _region(arguments)
    is_paced = not arguments.fast and arguments.out is None
    days = arguments.days
    if arguments.count and not is_paced:
        days = max(days, region.days_for(arguments.count) / arguments.intensity)
    now = datetime.now(UTC).replace(microsecond=0)
    clock = Clock([Spell(since=now, speed=arguments.speed)]) if is_paced else Clock()
    life = Life(region, now - timedelta(days=days), clock=clock, intensity=arguments.intensity)
    feeds = Feeds(life, region.seed, QUIET if arguments.clean else Noise())
    messages = feeds.messages(arguments.count, until=None if is_paced else now)
    player = Player(
        address=Address(host=arguments.host, port=arguments.port), say=say, waits=is_paced
    )
    if arguments.out is not None:
        count = write(messages, arguments.out, player.truth)
        say(
            f"{count} messages in {arguments.out}/feeds, and what must be true after them in {arguments.out}/truth.jsonl."
        )
        return 0
    began = time.monotonic()
    await player.play(messages, _stopping())
    _tell(player, time.monotonic() - began, say)
    if arguments.truth:
        player.truth.write(arguments.truth)
    return 0


def _region(arguments: argparse.Namespace) -> Region:
    keys = [key.strip().upper() for key in arguments.feeds.split(",")]
    try:
        return Region.build(arguments.seed, arguments.people, keys)
    except KeyError as error:
        known = ", ".join(site.key for site in SITES)
        raise RuntimeError(f"there is no site {error}; there are {known}") from error


def _stopping() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def _tell(player: Player, seconds: float, say: Say) -> None:
    for key, tally in sorted(player.tallies.items()):
        say(
            f"{key:12} {tally.acknowledged} acknowledged, {tally.refused} refused, "
            f"{tally.resent} sent again, {tally.lost_connections} connections lost"
        )
    say(f"{player.sent} messages in {seconds:.1f} s ({player.sent / max(seconds, 0.001):.0f}/s)")
