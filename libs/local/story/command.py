"""`carehub demo`: move a demo hub's clock, and play the story on it."""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import httpx

from libs.chassis import ids
from libs.local.clock import move, to_step
from libs.local.story.play import play
from libs.local.story.stage import Say, Stage

# Long enough to look at each step; the whole in two minutes.
PAUSE = 9.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    clock = actions.add_parser("clock", help="say what time it is in the hub, or let time pass")
    clock.add_argument("--forward", default="0s", metavar="TIME", help="2d, 12h, 90m or 1d12h")
    story = actions.add_parser(
        "story", help="play one story through every service; its console shows it live"
    )
    story.add_argument("--pause", type=float, default=PAUSE, help="seconds to look at each step")
    story.add_argument("--step", action="store_true", help="go on when Enter is pressed")


async def run(arguments: argparse.Namespace, env: Mapping[str, str], say: Say) -> int:
    """`env` is what the processes of the hub here are told; nothing is done to a hub that is no demo."""
    if arguments.action == "clock":
        ahead = move(env, to_step(arguments.forward))
        say(f"{ids.now() + ahead:%A, %Y-%m-%d %H:%M:%S} UTC, {ahead} ahead of this machine")
        return 0
    began = time.monotonic()
    async with httpx.AsyncClient(
        base_url=env.get("GATEWAY_PUBLIC_URL", ""), timeout=30.0
    ) as client:
        await play(Stage(env=env, client=client, say=say, rest=_rest(arguments)))
    say(
        f"\nThat was the whole story, in {time.monotonic() - began:.0f} seconds: every loop closed, and each by evidence."
        "\nThe hub's clock stays where it is now, months ahead: what nobody did for others meanwhile is late. For a"
        "\nregion as on the first day stop the hub, and delete its folder (.carehub, or CAREHUB_HOME)."
    )
    return 0


def _rest(arguments: argparse.Namespace) -> Callable[[], Awaitable[None]]:
    if arguments.step:
        return _until_enter
    return partial(asyncio.sleep, arguments.pause)


async def _until_enter() -> None:
    await asyncio.to_thread(sys.stdin.readline)
