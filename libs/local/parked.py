"""`carehub parked`: events that could not be handled wait here until somebody decides. What they hold is not printed."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from libs.chassis import ids
from libs.chassis.database import Database, open_pool
from libs.conveyor import parked
from libs.conveyor.inbox import Consumer
from libs.conveyor.parked import Parked
from libs.process.app import App

Build = Callable[[], App]
MOST_LISTED = 100


def add_arguments(parser: argparse.ArgumentParser, services: Sequence[str]) -> None:
    parser.add_argument("service", choices=services)
    parser.add_argument("action", choices=["list", "show", "replay", "discard"])
    parser.add_argument("id", nargs="?", help="of the parked event")
    parser.add_argument("--reason", default="", help="why it is discarded")


async def run(
    arguments: argparse.Namespace, env: Mapping[str, str], build: Build, say: Callable[[str], None]
) -> int:
    """Say what is parked in the service's database, or decide about one event. Only a replay builds the service."""
    url = env[f"{arguments.service.upper()}_SYSTEM_DATABASE_URL"]
    database = Database(None, await open_pool(url, 1, "carehub-parked"), ids.now)
    try:
        if arguments.action == "list":
            async with database.system() as tx:
                found = await parked.page(tx, MOST_LISTED + 1)
        else:
            found = [await _decided(database, arguments, build)]
        for entry in found[:MOST_LISTED]:
            say(_line(entry))
        if len(found) > MOST_LISTED:
            say(f"and more: these {MOST_LISTED} have waited longest")
    finally:
        await database.close()
    return 0


async def _decided(database: Database, arguments: argparse.Namespace, build: Build) -> Parked:
    if arguments.id is None:
        raise RuntimeError("say which: carehub parked SERVICE list prints the ids")
    entry = await parked.show(database, UUID(arguments.id))
    if arguments.action == "replay":
        await parked.replay(database, _consumer(build(), entry), entry.id)
    elif arguments.action == "discard":
        if not arguments.reason:
            raise RuntimeError("say why: --reason")
        async with database.system() as tx:
            await parked.discard(tx, entry.id, arguments.reason)
    return await parked.show(database, entry.id)


def _consumer(app: App, entry: Parked) -> Consumer:
    for consumer in app.consumers:
        if consumer.name == entry.consumer:
            return consumer
    raise RuntimeError(f"{app.name} has no consumer {entry.consumer} any more; discard the event")


def _line(entry: Parked) -> str:
    told = f"{entry.state} {entry.reason}: {entry.message}"
    return f"{entry.id} {entry.parked_at:%Y-%m-%d %H:%M} {entry.consumer} {entry.subject} {told}"
